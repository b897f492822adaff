# SPDX-License-Identifier: Apache-2.0
"""The 512 bytes before every entry, and the PAX records that say what does not fit them.

Reads POSIX, PAX, GNU and V7 headers; anything malformed is ContentError. What the fields of
consecutive headers mean together is for ``tar_reader``.
"""

from __future__ import annotations

import functools
import re
import struct
import zlib
from collections.abc import Iterable

import msgspec

from okd_payload.errors import ContentError

BLOCK_BYTES = 512
ZERO_BLOCK = bytes(BLOCK_BYTES)
XATTR = "SCHILY.xattr."

LAYOUT = struct.Struct("100s8s8s8s12s12s8sc100s8s32s32s8s8s155s12s")
USTAR = b"ustar\x0000"
CHECKSUM = slice(148, 156)

_GNU = b"ustar  \x00"
_OCTAL = re.compile(rb"[ \0]*([0-7]*)(?:[ \0].*)?", re.DOTALL)


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """A header block as it says, before extended headers change anything."""

    name: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    flag: bytes
    link: bytes
    uname: bytes = b""
    gname: bytes = b""
    device: tuple[int, int] = (0, 0)


def decode_header(block: bytes) -> Header:
    """What the header ``block`` says. Raises ContentError."""
    fields = LAYOUT.unpack(block)
    name, mode, uid, gid, size, mtime, checksum, flag, link, magic, *rest = fields
    uname, gname, major, minor, prefix, _ = rest
    _verify_checksum(block, _decode_number(checksum))
    name = _text(name)
    if magic not in (USTAR, _GNU):
        uname = gname = major = minor = b""
    elif magic == USTAR and prefix[0]:
        name = _text(prefix) + b"/" + name
    return Header(
        name=name,
        mode=_decode_number(mode),
        uid=_decode_number(uid),
        gid=_decode_number(gid),
        size=_decode_number(size),
        mtime=_decode_number(mtime),
        flag=flag,
        link=_text(link),
        uname=_text(uname),
        gname=_text(gname),
        device=(_decode_number(major), _decode_number(minor)),
    )


def decode_records(data: bytes) -> dict[str, bytes]:
    """The records of a PAX header, later ones winning. Raises ContentError."""
    records = {}
    start = 0
    while start < len(data):
        space = data.find(b" ", start, start + 20)
        length = data[start:space]
        end = start + int(length) if space > start and length.isdigit() else 0
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        if not space < end <= len(data) or data[end - 1 : end] != b"\n" or not (key and equals):
            raise ContentError("a layer is damaged: a PAX record is malformed")
        records[key.decode(errors="surrogateescape")] = value
        start = end
    return records


def padding_of(size: int) -> int:
    """Bytes that fill the last block of ``size`` bytes of content."""
    return -size % BLOCK_BYTES


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


@functools.lru_cache(maxsize=1024)
def _decode_number(field: bytes) -> int:
    """Octal text, or GNU's base 256 where the first bit is set; most fields occur again."""
    if field[:1] >= b"\xc0":
        return int.from_bytes(field, "big", signed=True)
    if field[:1] >= b"\x80":
        return int.from_bytes(bytes([field[0] & 0x3F]) + field[1:], "big")
    matched = _OCTAL.fullmatch(field)
    if matched is None:
        raise ContentError("a layer is damaged: a header has a malformed number")
    return int(matched[1] or b"0", 8)


def _verify_checksum(block: bytes, expected: int) -> None:
    """Raise ContentError unless the bytes add up, taken as unsigned or, by old tools, signed."""
    rest = block[: CHECKSUM.start] + b" " * 8 + block[CHECKSUM.stop :]
    if _sum_bytes(rest) != expected and sum(_signed(rest)) != expected:
        raise ContentError(
            "a layer is damaged: a header does not match its checksum",
            hint="the content is not a tar archive, or was changed on its way",
        )


def _sum_bytes(block: bytes) -> int:
    """What the bytes add up to. Adler-32 adds them up modulo 65521, which 256 bytes never reach."""
    first, second = zlib.adler32(block[:256]), zlib.adler32(block[256:])
    return (first & 0xFFFF) + (second & 0xFFFF) - 2


def _signed(data: bytes) -> Iterable[int]:
    return memoryview(data).cast("b")
