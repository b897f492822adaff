# SPDX-License-Identifier: Apache-2.0
"""Sources whose files are not known beforehand: trees that can be listed, too.

Most readers know the path that they want. Those who look for one (a Dockerfile, say) take this
wider seam, which costs a server no more than reading one file: trees come with the commit.
"""

from __future__ import annotations

from typing import Protocol

from okd_payload.source.model import Commit, Source, SourceTree


class ListedSourceTree(SourceTree, Protocol):
    """Resolving, reading and listing sources."""

    async def list_files(self, source: Source, commit: Commit) -> tuple[str, ...]:
        """The paths of all files and links at ``commit``. Raises SourceError."""
        ...
