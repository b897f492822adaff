# SPDX-License-Identifier: Apache-2.0
"""Writing what goes with a mirror: instructions for clusters, and signatures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from okd_payload.errors import StorageError

_FOLDER_MODE, _FILE_MODE = 0o750, 0o640


def write_files(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write ``files`` into ``folder``, each as a whole; gives their paths. Raises StorageError."""
    written = []
    for name, content in files.items():
        path, scratch = folder / name, folder / f".{name}.new"
        try:
            folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            scratch.write_bytes(content)
            scratch.chmod(_FILE_MODE)
            scratch.replace(path)
        except OSError as error:
            raise StorageError(
                f"cannot write {path}: {error.strerror}", hint="choose another folder"
            ) from error
        written.append(path)
    return written
