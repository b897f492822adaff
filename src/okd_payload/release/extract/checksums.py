# SPDX-License-Identifier: Apache-2.0
"""``sha256sum.txt``: what was meant to be written, and whether it is there.

The sums are those of the bytes as they were made, not of the files; reading the files back and
comparing is what finds a disk or a network share that did not keep them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from okd_payload.errors import StorageError
from okd_payload.release.output_folder import ExtractedFile

CHECKSUMS: Final = "sha256sum.txt"
SIGNATURE: Final = "sha256sum.txt.asc"


def format_checksums(files: Iterable[ExtractedFile]) -> bytes:
    """The lines that the command ``sha256sum --check`` reads, sorted by name."""
    ordered = sorted(files, key=lambda file: file.name)
    return "".join(f"{file.sha256}  {file.name}\n" for file in ordered).encode()


def verify_files(files: Iterable[ExtractedFile]) -> None:
    """Read ``files`` back. Raises StorageError, which names all that are not what was written."""
    wrong = [file.name for file in files if _sha256_of(Path(file.path)) != file.sha256]
    if wrong:
        raise StorageError(
            f"read back, these files are not what was written: {', '.join(wrong)}",
            hint="check the disk, and what else writes there; then run the same command again",
        )


def _sha256_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(
            f"cannot read {path} back: {error.strerror or error}",
            hint="is the disk full or failing? run the same command again",
        ) from error
