# SPDX-License-Identifier: Apache-2.0
"""Signing a program for macOS anew, ad hoc, after bytes in it were changed.

Macs with Apple's processors run nothing whose code signature does not fit, and Go's linker
gives every program a signature without a key: hashes of its pages, made here again in the same
form (``cs_blobs.h`` of XNU: a SuperBlob with one CodeDirectory). The new signature has the size
of the old one and takes its place, so nothing else of the file changes and the work can be done
while the program streams by. Whatever is not such a program (another format, no signature, or
one with a key, whose size is another) passes unchanged, and ``problem`` says why.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Final

import msgspec

IDENTIFIER: Final = b"a.out"
"""What Go's linker calls every program."""
PAGE_BYTES: Final = 4096

_MAGIC_64, _EXECUTABLE = 0xFEEDFACF, 2
_HEADER = struct.Struct("<IiiIIIII")
_COMMAND = struct.Struct("<II")
_SEGMENT_64, _CODE_SIGNATURE = 0x19, 0x1D
_SEGMENT = struct.Struct("<16sQQQQ")
_SIGNATURE = struct.Struct("<II")
_MAX_COMMAND_BYTES = 1024 * 1024

_SUPER_BLOB, _CODE_DIRECTORY = 0xFADE0CC0, 0xFADE0C02
_SUPER_HEADER = struct.Struct(">IIIII")
_DIRECTORY = struct.Struct(">IIIIIIIIIBBBBIIIIQQQQ")
_VERSION = 0x20400
_AD_HOC_BY_LINKER = 0x20002
_SHA256, _HASH_BYTES, _PAGE_SHIFT = 2, 32, 12
_MAIN_BINARY = 1


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Where the parts of a program lie that its signature speaks of."""

    code_limit: int
    """How much is signed: everything before the signature."""
    signature_size: int
    text_offset: int
    text_size: int
    is_main: bool

    @property
    def is_from_linker(self) -> bool:
        """Whether the signature has the size of one that Go's linker made."""
        return self.signature_size == signature_size(self.code_limit)


def signature_size(code_limit: int) -> int:
    """The size of an ad hoc signature of so many bytes."""
    pages = -(-code_limit // PAGE_BYTES)
    fixed = _SUPER_HEADER.size + _DIRECTORY.size + len(IDENTIFIER) + 1
    return fixed + pages * _HASH_BYTES


def needed_bytes(start: bytes | bytearray) -> int:
    """How many bytes from the start ``read_layout`` needs; 0 when this is no such program."""
    if len(start) < _HEADER.size:
        return _HEADER.size
    magic, *_, size, _flags, _ = _HEADER.unpack_from(start)
    if magic != _MAGIC_64 or size > _MAX_COMMAND_BYTES:
        return 0
    return _HEADER.size + int(size)


def read_layout(start: bytes | bytearray) -> Layout | None:
    """The layout that the load commands at the start of a program tell, None without signature."""
    _, _, _, kind, count, size, _, _ = _HEADER.unpack_from(start)
    place, end = _HEADER.size, _HEADER.size + size
    text = signature = None
    for _ in range(count):
        if place + _COMMAND.size > end:
            return None
        command, length = _COMMAND.unpack_from(start, place)
        body = place + _COMMAND.size
        if length < _COMMAND.size or place + length > end:
            return None
        if command == _SEGMENT_64 and length >= _COMMAND.size + _SEGMENT.size:
            name, _, _, offset, extent = _SEGMENT.unpack_from(start, body)
            if name.rstrip(b"\0") == b"__TEXT":
                text = offset, extent
        elif command == _CODE_SIGNATURE and length >= _COMMAND.size + _SIGNATURE.size:
            signature = _SIGNATURE.unpack_from(start, body)
        place += length
    if text is None or signature is None or signature[0] < end:
        return None
    return Layout(
        code_limit=signature[0],
        signature_size=signature[1],
        text_offset=text[0],
        text_size=text[1],
        is_main=kind == _EXECUTABLE,
    )


def encode_signature(layout: Layout, hashes: bytes) -> bytes:
    """The signature of a program with this layout, whose pages have these hashes."""
    identifier = IDENTIFIER + b"\0"
    hash_offset = _DIRECTORY.size + len(identifier)
    directory = _DIRECTORY.pack(
        _CODE_DIRECTORY,
        hash_offset + len(hashes),
        _VERSION,
        _AD_HOC_BY_LINKER,
        hash_offset,
        _DIRECTORY.size,
        0,
        len(hashes) // _HASH_BYTES,
        layout.code_limit,
        _HASH_BYTES,
        _SHA256,
        0,
        _PAGE_SHIFT,
        0,
        0,
        0,
        0,
        0,
        layout.text_offset,
        layout.text_size,
        _MAIN_BINARY if layout.is_main else 0,
    )
    content = directory + identifier + hashes
    size = _SUPER_HEADER.size + len(content)
    return _SUPER_HEADER.pack(_SUPER_BLOB, size, 1, 0, _SUPER_HEADER.size) + content


class PageHashes:
    """The hashes of the pages of what is fed, the last of which may be short."""

    def __init__(self) -> None:
        self._page = bytearray()
        self._hashes = bytearray()

    def feed(self, data: bytes | memoryview) -> None:
        """Take the next bytes."""
        self._page += data
        whole = len(self._page) - len(self._page) % PAGE_BYTES
        with memoryview(self._page) as view:
            for start in range(0, whole, PAGE_BYTES):
                self._hashes += hashlib.sha256(view[start : start + PAGE_BYTES]).digest()
        del self._page[:whole]

    def finish(self) -> bytes:
        """All hashes, one after another."""
        if self._page:
            self._hashes += hashlib.sha256(self._page).digest()
            self._page.clear()
        return bytes(self._hashes)


class AdHocSigner:
    """Takes a program in chunks of any size and gives it with a signature that fits it."""

    def __init__(self) -> None:
        self.problem = "it ended before its load commands"
        """Why the program passes unchanged; empty when it is signed."""
        self._start = bytearray()
        self._is_decided = False
        self._layout: Layout | None = None
        self._hashes = PageHashes()
        self._place = 0
        self._signature = b""

    def feed(self, chunk: bytes | memoryview) -> bytes:
        """As much of the result as is certain by now."""
        if self._is_decided:
            return self._convert(bytes(chunk))
        self._start += chunk
        needed = needed_bytes(self._start)
        if needed > len(self._start):
            return b""
        self._decide(read_layout(self._start) if needed else None, is_mach_o=needed > 0)
        start, self._start = bytes(self._start), bytearray()
        return self._convert(start)

    def finish(self) -> bytes:
        """The rest of the result."""
        rest, self._start = bytes(self._start), bytearray()
        return rest

    def _decide(self, layout: Layout | None, *, is_mach_o: bool) -> None:
        self._is_decided = True
        if not is_mach_o:
            self.problem = "it is no 64-bit Mach-O program"
        elif layout is None:
            self.problem = "it has no code signature that could be replaced"
        elif not layout.is_from_linker:
            self.problem = "its signature was not made by Go's linker"
        else:
            self._layout, self.problem = layout, ""

    def _convert(self, data: bytes) -> bytes:
        if self._layout is None:
            return data
        start = self._place
        self._place += len(data)
        split = max(0, min(len(data), self._layout.code_limit - start))
        code, rest = data[:split], data[split:]
        if code:
            self._hashes.feed(code)
        if not rest:
            return code
        if not self._signature:
            self._signature = encode_signature(self._layout, self._hashes.finish())
        done = start + split - self._layout.code_limit
        signature = self._signature[done : done + len(rest)]
        return code + signature + rest[len(signature) :]
