# SPDX-License-Identifier: Apache-2.0
"""Files of the state folder in bounded pieces: logs of any size never come whole.

A path stands in the records, written by us; it is still held against the folder before anything
is opened, and links that lead out of it are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from okd_payload.errors import InputError, NotFound

LARGEST_PIECE = 1 << 20
_CHUNK = 1 << 16
_RANGE = re.compile(r"bytes=(\d{1,15})?-(\d{1,15})?")


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A range of a file: from ``start`` up to, and without, ``end``."""

    path: Path
    start: int
    end: int
    size: int

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the file."""
        return self.start == 0 and self.end == self.size

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, a little at a time."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            left = self.end - self.start
            while left > 0:
                chunk = file.read(min(_CHUNK, left))
                if not chunk:
                    return
                left -= len(chunk)
                yield chunk


def find_file(folder: Path, name: str) -> Path:
    """The regular file ``name`` below ``folder``. Raises NotFound."""
    root = folder.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise NotFound(
            "the file is not here",
            hint="it may have been removed with its release, or lie on another instance",
        )
    return path


def choose_piece(path: Path, wanted: str | None, *, most: int | None = None) -> Piece:
    """The piece of ``path`` that the header ``Range`` asks for, at most ``most`` bytes of it.

    Raises InputError for a range of a form that is not known or that the file has not.
    """
    size = path.stat().st_size
    start, end = 0, size
    if wanted is not None:
        found = _RANGE.fullmatch(wanted.strip())
        if found is None or found.group(0) == "bytes=-":
            raise InputError(f"{wanted!r} is no range", hint="write Range: bytes=FIRST-LAST")
        first, last = found.groups()
        if first is None:
            start = max(0, size - int(last))
        else:
            start = int(first)
            end = min(size, int(last) + 1) if last is not None else size
        if start > size or start > end:
            raise InputError(f"the file has only {size} bytes", hint="ask for less")
    if most is not None:
        end = min(end, start + most)
    return Piece(path=path, start=start, end=end, size=size)
