# SPDX-License-Identifier: Apache-2.0
"""Zip archives written as a stream, reproducibly.

Python's ``zipfile`` cannot be told how hard to compress a member that it streams before 3.13,
and its deflate encoder is whatever zlib the interpreter was built with. This one writes deflated
regular files of less than 4 GiB (APPNOTE.TXT of PKWARE, no zip64): checksum and sizes follow
each member, times are written twice, as zip knows them and in seconds since the epoch.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from okd_payload.errors import TooLarge
from okd_payload.oci.layers.compression import Bytes, DeflateWriter
from okd_payload.oci.layers.entry import NANOSECONDS

_LOCAL = struct.Struct("<IHHHHHIIIHH")
_DESCRIPTOR = struct.Struct("<IIII")
_CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
_END = struct.Struct("<IHHHHIIH")
_LOCAL_MAGIC, _DESCRIPTOR_MAGIC, _CENTRAL_MAGIC, _END_MAGIC = (
    *(0x04034B50, 0x08074B50),
    *(0x02014B50, 0x06054B50),
)
_NEEDS_VERSION, _MADE_ON_UNIX = 20, 3 << 8 | 20
_SIZES_FOLLOW = 8
_DEFLATED = 8
_EXTENDED_TIME = struct.Struct("<HHBI")
_EXTENDED_TIME_ID, _HAS_MTIME = 0x5455, 1
_MAX_BYTES = 2**32 - 1
_FIRST_YEAR, _LAST_YEAR = 1980, 2107


class _Member(msgspec.Struct, frozen=True):
    name: bytes
    offset: int
    crc: int
    compressed: int
    size: int


class ZipWriter:
    """Writes one archive; all members have the same time and mode."""

    def __init__(self, target: Callable[[bytes], object], *, mtime_ns: int, mode: int) -> None:
        self._target = target
        self._mode = mode
        seconds = max(0, min(mtime_ns // NANOSECONDS, _MAX_BYTES))
        self._clock, self._day = _dos_time(seconds)
        self._extra = _EXTENDED_TIME.pack(
            _EXTENDED_TIME_ID, _EXTENDED_TIME.size - 4, _HAS_MTIME, seconds
        )
        self._place = 0
        self._members: list[_Member] = []
        self._name = b""
        self._offset = self._start = 0
        self._deflate: DeflateWriter | None = None

    def begin(self, name: str) -> None:
        """Begin the next member; ``write`` gives its content."""
        self._end_member()
        self._name, self._offset = name.encode(), self._place
        self._put(
            _LOCAL.pack(
                *(_LOCAL_MAGIC, _NEEDS_VERSION, _SIZES_FOLLOW, _DEFLATED),
                *(self._clock, self._day, 0, 0, 0, len(self._name), len(self._extra)),
            )
            + self._name
            + self._extra
        )
        self._start = self._place
        self._deflate = DeflateWriter(self._put)

    def write(self, content: Bytes) -> None:
        """Take the next bytes of the member that was begun last."""
        if self._deflate is not None:
            self._deflate.write(content)

    def finish(self) -> None:
        """Complete the archive. Raises TooLarge."""
        self._end_member()
        start = self._place
        for member in self._members:
            self._put(
                _CENTRAL.pack(
                    *(_CENTRAL_MAGIC, _MADE_ON_UNIX, _NEEDS_VERSION, _SIZES_FOLLOW, _DEFLATED),
                    *(self._clock, self._day, member.crc, member.compressed, member.size),
                    *(len(member.name), len(self._extra), 0, 0, 0),
                    *((stat.S_IFREG | self._mode) << 16, member.offset),
                )
                + member.name
                + self._extra
            )
        count, size = len(self._members), self._place - start
        self._put(_END.pack(_END_MAGIC, 0, 0, count, count, size, start, 0))

    def _end_member(self) -> None:
        if self._deflate is None:
            return
        self._deflate.finish()
        crc, size = self._deflate.crc, self._deflate.size
        compressed = self._place - self._start
        if max(size, self._place) > _MAX_BYTES:
            raise TooLarge(f"{self._name.decode()} is too large for a zip archive")
        self._put(_DESCRIPTOR.pack(_DESCRIPTOR_MAGIC, crc, compressed, size))
        self._members.append(_Member(self._name, self._offset, crc, compressed, size))
        self._deflate = None

    def _put(self, data: bytes) -> None:
        self._place += len(data)
        self._target(data)


def _dos_time(seconds: int) -> tuple[int, int]:
    """The time and the day as zip has them: from 1980 on, every other second, without zone."""
    moment = datetime.fromtimestamp(seconds, UTC)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return 0, 1 << 5 | 1
    clock = moment.hour << 11 | moment.minute << 5 | moment.second // 2
    return clock, (moment.year - _FIRST_YEAR) << 9 | moment.month << 5 | moment.day
