# SPDX-License-Identifier: Apache-2.0
"""The stream file that a command about catalogs is for."""

from __future__ import annotations

from pathlib import Path

from okd_payload.catalog.load import STREAM_FILE
from okd_payload.errors import InputError


def find_stream_file(stream: Path | None) -> Path:
    """The stream file that ``stream`` means, or that of the current folder. Raises InputError."""
    path = stream or Path()
    path = path / STREAM_FILE if path.is_dir() else path
    if not path.is_file():
        raise InputError(
            f"there is no {path}", hint="name a stream file, or the folder that it is in"
        )
    return path
