# SPDX-License-Identifier: Apache-2.0
"""Files of the state folder in bounded pieces: logs of any size never come whole.

A path stands in the records, written by us; it is still held against the folder before anything
is opened, and links that lead out of it are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import msgspec
from litestar.exceptions import HTTPException

from okd_payload.errors import InputError, NotFound

LARGEST_PIECE = 1 << 20
_CHUNK = 1 << 16
_UNIT = "bytes="
_RANGE = re.compile(r"bytes=(\d{1,15})?-(\d{1,15})?")


class RangeNotSatisfiable(HTTPException):
    """A range begins where the file has ended."""

    status_code = 416


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


def is_heeded(wanted: str | None) -> TypeGuard[str]:
    """Whether a header ``Range`` is there and of bytes: others are passed over (RFC 9110, 14.2)."""
    return wanted is not None and wanted.strip().startswith(_UNIT)


def choose_piece(path: Path, wanted: str | None, *, most: int | None = None) -> Piece:
    """The piece of ``path`` that the header ``Range`` asks for, at most ``most`` bytes of it.

    All of it for one that is not heeded. Raises InputError for a range of a form that is not known,
    and RangeNotSatisfiable for one that the file has not.
    """
    size = path.stat().st_size
    if not is_heeded(wanted):
        return _cut(path, 0, size, size=size, most=most)
    found = _RANGE.fullmatch(wanted.strip())
    if found is None or found.group(0) == "bytes=-":
        raise InputError(f"{wanted!r} is no range", hint="write Range: bytes=FIRST-LAST")
    first, last = found.groups()
    start = int(first) if first is not None else max(0, size - int(last))
    end = size if first is None or last is None else min(size, int(last) + 1)
    if start >= size:
        raise RangeNotSatisfiable(
            f"the file has only {size} bytes", headers={"Content-Range": f"bytes */{size}"}
        )
    if start > end:
        raise InputError(f"{wanted!r} ends before it begins", hint="write Range: bytes=FIRST-LAST")
    return _cut(path, start, end, size=size, most=most)


def read_on(path: Path, offset: int, *, most: int) -> Piece:
    """What ``path`` has from ``offset`` on, at most ``most`` bytes of it: nothing at its end.

    Raises InputError for an offset that the file has not come to.
    """
    size = path.stat().st_size
    if offset > size:
        raise InputError(f"the file has only {size} bytes", hint="ask for less")
    return _cut(path, offset, size, size=size, most=most)


def _cut(path: Path, start: int, end: int, *, size: int, most: int | None) -> Piece:
    bound = end if most is None else min(end, start + most)
    return Piece(path=path, start=start, end=bound, size=size)
