# SPDX-License-Identifier: Apache-2.0
"""The bodies of answers: what of the bytes that come is content, and where it ends.

Three forms: of a stated size, in chunks, until the connection ends. Each takes bytes as they
come and gives back the content among them, and what follows the end.
"""

from __future__ import annotations

import enum
import re
from typing import Protocol

from okd_payload.oci.registry.http.errors import Lost, Malformed
from okd_payload.oci.registry.http.heads import Head

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n\0]*)?\r?\n")
_MAX_LINE = 4096
_MAX_TRAILER = 64 * 1024


class Body(Protocol):
    """The body of one answer."""

    @property
    def ended(self) -> bool:
        """Whether all of it has come."""
        ...

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """The content in ``data``, and what follows the body. Raises Malformed."""
        ...

    def finish(self) -> None:
        """Say that the connection has ended. Raises Lost when that is too early."""
        ...


def body_of(head: Head, *, has_body: bool) -> Body:
    """The body that follows ``head``; the request decides too whether there is one."""
    if not has_body or head.status in (204, 304):
        return Sized(0)
    if head.chunked:
        return Chunked()
    return UntilEnd() if head.length is None else Sized(head.length)


class Sized:
    """A body whose size was stated."""

    def __init__(self, size: int) -> None:
        self._left = size

    @property
    def ended(self) -> bool:
        """Whether all of it has come."""
        return self._left == 0

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """The content in ``data``, and what follows the body."""
        if len(data) <= self._left:
            self._left -= len(data)
            return data, b""
        content, surplus = data[: self._left], data[self._left :]
        self._left = 0
        return content, surplus

    def finish(self) -> None:
        """Raise Lost when something is missing."""
        if self._left:
            raise Lost(f"{self._left} bytes are missing")


class UntilEnd:
    """A body that ends when the connection does."""

    def __init__(self) -> None:
        self.ended = False
        """Whether the connection has ended."""

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """All of ``data``."""
        return data, b""

    def finish(self) -> None:
        """The end of the connection is the end of the body."""
        self.ended = True


class _Part(enum.Enum):
    SIZE = enum.auto()
    CONTENT = enum.auto()
    BREAK = enum.auto()
    TRAILER = enum.auto()
    END = enum.auto()


class Chunked:
    """A body in chunks that state their sizes; what trailers say is passed over."""

    def __init__(self) -> None:
        self._part = _Part.SIZE
        self._left = 0
        self._line = b""
        self._trailer = 0

    @property
    def ended(self) -> bool:
        """Whether the last chunk has come, and the trailers."""
        return self._part is _Part.END

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """The content in ``data``, and what follows the body. Raises Malformed."""
        data, self._line = self._line + data, b""
        pieces: list[bytes] = []
        position = 0
        while position < len(data) and self._part is not _Part.END:
            if self._part is _Part.CONTENT:
                piece = data[position : position + self._left]
                pieces.append(piece)
                position += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._part = _Part.BREAK
                continue
            end = data.find(b"\n", position) + 1
            line = data[position : end or None]
            if len(line) > _MAX_LINE:
                raise Malformed("a chunk without a size")
            if not end:
                self._line = line
                break
            self._take_line(line)
            position = end
        surplus = b"" if self._line else data[position:]
        return b"".join(pieces), surplus

    def finish(self) -> None:
        """Raise Lost when the last chunk has not come."""
        if not self.ended:
            raise Lost("the last chunk is missing")

    def _take_line(self, line: bytes) -> None:
        is_empty = line in (b"\r\n", b"\n")
        if self._part is _Part.SIZE:
            found = _SIZE.fullmatch(line)
            if found is None:
                raise Malformed("a chunk without a size")
            self._left = int(found[1], 16)
            self._part = _Part.CONTENT if self._left else _Part.TRAILER
        elif self._part is _Part.BREAK:
            if not is_empty:
                raise Malformed("a chunk that is longer than it says")
            self._part = _Part.SIZE
        elif is_empty:
            self._part = _Part.END
        else:
            self._trailer += len(line)
            if self._trailer > _MAX_TRAILER:
                raise Malformed("trailers without end")
