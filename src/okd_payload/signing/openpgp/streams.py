# SPDX-License-Identifier: Apache-2.0
"""Bytes that are read bit by bit: what a packet contains is known only while it is read.

How far a reader has read ahead decides where the next packet is looked for when the data is
odd, so ``ReadAhead`` reads just as far as the library of the clusters does.
"""

from __future__ import annotations

from typing import Protocol

from okd_payload.signing.openpgp.faults import NoMorePackets, Truncated

_BUFFER = 4096


class Stream(Protocol):
    """A source of bytes."""

    def read(self, most: int) -> bytes:
        """From one up to ``most`` bytes; nothing at the end. Raises OpenPgpError."""


class MemoryStream:
    """Bytes that are all there."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    def read(self, most: int) -> bytes:
        """The next bytes."""
        piece = self._content[self._place : self._place + most]
        self._place += len(piece)
        return piece

    def give_back(self, count: int) -> None:
        """Let the last ``count`` bytes be read again."""
        self._place -= count


class Span:
    """The next ``length`` bytes of a stream."""

    def __init__(self, source: Stream, length: int) -> None:
        self._source = source
        self._left = length

    def read(self, most: int) -> bytes:
        """The next bytes. Raises Truncated when the source has too few."""
        if self._left == 0:
            return b""
        piece = self._source.read(min(most, self._left))
        if not piece:
            raise Truncated
        self._left -= len(piece)
        return piece


class PartialBody:
    """A body in chunks, each behind its length; the last chunk has an ordinary length."""

    def __init__(self, source: Stream, length: int) -> None:
        self._source = source
        self._left = length
        self._goes_on = True

    def read(self, most: int) -> bytes:
        """The next bytes. Raises Truncated when the source has too few."""
        while self._left == 0:
            if not self._goes_on:
                return b""
            self._left, self._goes_on = read_length(self._source)
        piece = self._source.read(min(most, self._left))
        if not piece:
            raise Truncated
        self._left -= len(piece)
        return piece


class ReadAhead:
    """A stream whose first byte can be looked at; what it read ahead is lost to the source."""

    def __init__(self, source: Stream) -> None:
        self._source = source
        self._buffer = b""

    def peek(self) -> int:
        """The first byte. Raises NoMorePackets when there is none."""
        self._fill()
        if not self._buffer:
            raise NoMorePackets
        return self._buffer[0]

    def read(self, most: int) -> bytes:
        """The next bytes."""
        if not self._buffer and most >= _BUFFER:
            return self._source.read(most)
        self._fill()
        piece, self._buffer = self._buffer[:most], self._buffer[most:]
        return piece

    def _fill(self) -> None:
        if not self._buffer:
            self._buffer = self._source.read(_BUFFER)


def read_exactly(source: Stream, count: int) -> bytes:
    """The next ``count`` bytes. Raises Truncated when there are fewer."""
    pieces = []
    while count:
        piece = source.read(count)
        if not piece:
            raise Truncated
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def read_all(source: Stream) -> bytes:
    """Everything up to the end."""
    return b"".join(iter(lambda: source.read(_BUFFER * 16), b""))


def read_length(source: Stream) -> tuple[int, bool]:
    """A length of the new format, and whether more chunks follow this one."""
    first = read_exactly(source, 1)[0]
    if first < 192:
        return first, False
    if first < 224:
        return ((first - 192) << 8) + read_exactly(source, 1)[0] + 192, False
    if first < 255:
        return 1 << (first & 0x1F), True
    return int.from_bytes(read_exactly(source, 4)), False
