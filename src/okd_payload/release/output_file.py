# SPDX-License-Identifier: Apache-2.0
"""Writing one file for a user, so that its name always means a complete file.

What is no ordinary file, as a pipe or /dev/null, is written to as it is. ``output_folder`` is for
files that belong together.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from okd_payload.errors import StorageError

FOLDER_MODE = 0o750


def write_output(
    path: Path, content: bytes, *, mode: int | None = None, time: datetime | None = None
) -> None:
    """Write ``content`` to ``path``, in a folder that is made where it is missing.

    Raises StorageError.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        scratch = path.with_name(f".{path.name}.new")
        try:
            scratch.write_bytes(content)
            if mode is not None:
                scratch.chmod(mode)
            if time is not None:
                os.utime(scratch, (time.timestamp(), time.timestamp()))
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror}", hint="make room there, or name another file"
        ) from error
