# SPDX-License-Identifier: Apache-2.0
"""Writing what goes with a mirror: instructions for clusters, and signatures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from okd_payload.release.output_file import write_output

_FILE_MODE = 0o640


def write_files(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write ``files`` into ``folder``, each as a whole; gives their paths. Raises StorageError."""
    for name, content in files.items():
        write_output(folder / name, content, mode=_FILE_MODE)
    return [folder / name for name in files]
