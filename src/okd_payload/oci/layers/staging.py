# SPDX-License-Identifier: Apache-2.0
"""Files of an archive on disk as they come, one at a time: the base of visitors that keep some.

Whoever visits chooses the path, of its own and never by the name in an archive; where a file
belongs is settled when all entries are known.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO


class StagingVisitor:
    """A ``Visitor`` whose ``enter`` says by ``stage`` where the content goes that it wants."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None

    def stage(self, path: Path) -> None:
        """Write the entry that is entered to ``path``, which is new. Raises OSError."""
        self._file = path.open("xb")

    def take(self, content: memoryview) -> None:
        """Write it. Raises OSError."""
        if self._file is not None:
            self._file.write(content)

    def leave(self) -> None:
        """The file is complete. Raises OSError."""
        self.close()

    def close(self) -> None:
        """Close the file that is being written, also one that is cut. Raises OSError."""
        if self._file is not None:
            self._file.close()
            self._file = None
