# SPDX-License-Identifier: Apache-2.0
"""Files that people name, read whole but never without bound.

A device, a pipe or an image of a disk may be named by mistake, and the first two have no size to
look at: what is read is counted, not what the file system says.
"""

from __future__ import annotations

from pathlib import Path

from okd_payload.documents.bounds import MAX_BYTES
from okd_payload.errors import InvalidDocument


def read_file(path: Path, *, limit: int = MAX_BYTES) -> bytes:
    """The content of the file at ``path``.

    Raises InvalidDocument when it cannot be read, or has more than ``limit`` bytes.
    """
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise InvalidDocument(
            error.strerror or str(error),
            path=str(path),
            hint="check the path, and who may read it",
        ) from error
    if len(content) > limit:
        raise InvalidDocument(f"larger than {limit} bytes", path=str(path), hint="is it that file?")
    return content
