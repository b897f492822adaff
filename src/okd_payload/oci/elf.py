# SPDX-License-Identifier: Apache-2.0
"""What the file of a program says of itself: for which machine it is, and what it needs to start.

Read from the header, the program headers and the dynamic section, as the kernel and the loader
read them; sections, which a stripped program may lack, are not looked at. Files are foreign, so
every count has a bound, and what cannot be followed is taken for absent.
"""

from __future__ import annotations

import struct
from typing import IO

import msgspec

HEADER_BYTES = 64
_MAGIC = b"\x7fELF"
_ARCHITECTURES = {
    (1, 3): "386",
    (1, 40): "arm",
    (2, 21): "ppc64",
    (2, 22): "s390x",
    (2, 62): "amd64",
    (2, 183): "arm64",
    (2, 243): "riscv64",
    (2, 258): "loong64",
}
"""By the class (1 is 32 bits, 2 is 64) and the machine of the header, as images name them."""
_LITTLE = {"ppc64": "ppc64le"}
"""Architectures whose other byte order is another one."""
KNOWN_ARCHITECTURES = frozenset({*_ARCHITECTURES.values(), *_LITTLE.values()})

_LOAD, _DYNAMIC, _INTERPRETER = 1, 2, 3
_NEEDED, _STRINGS = 1, 5
_MAX_HEADERS, _MAX_DYNAMIC, _MAX_TEXT = 256, 64 * 1024, 4096


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A program or a library."""

    architecture: str
    """As images name it; empty for one that nobody knows."""
    interpreter: str = ""
    """The loader that it is started by; empty for libraries and for what needs none."""
    needed: tuple[str, ...] = ()
    """Names of the libraries that are loaded with it."""


class _Segment(msgspec.Struct, frozen=True):
    kind: int
    offset: int
    address: int
    size: int


def architecture_of(header: bytes) -> str:
    """The architecture of the program that begins with ``header``; empty when it is none."""
    if len(header) < 20 or not header.startswith(_MAGIC):
        return ""
    word_size, order = header[4], header[5]
    is_little = order == 1
    machine = int.from_bytes(header[18:20], "little" if is_little else "big")
    architecture = _ARCHITECTURES.get((word_size, machine), "")
    return _LITTLE.get(architecture, architecture) if is_little else architecture


def read_program(file: IO[bytes]) -> Program | None:
    """The program in ``file``; None for whatever is none, and for one that is cut short."""
    header = file.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES or not header.startswith(_MAGIC):
        return None
    is_wide, order = header[4] == 2, "<" if header[5] == 1 else ">"
    segments = list(_segments(file, header, is_wide=is_wide, order=order))
    interpreter = next((each for each in segments if each.kind == _INTERPRETER), None)
    return Program(
        architecture=architecture_of(header),
        interpreter=_text(file, interpreter.offset) if interpreter else "",
        needed=tuple(_libraries(file, segments, is_wide=is_wide, order=order)),
    )


def _segments(file: IO[bytes], header: bytes, *, is_wide: bool, order: str) -> list[_Segment]:
    place, shape, counts = (32, "IIQQQQQQ", 54) if is_wide else (28, "IIIIIIII", 42)
    (start,) = struct.unpack_from(f"{order}{'Q' if is_wide else 'I'}", header, place)
    size, count = struct.unpack_from(f"{order}HH", header, counts)
    length = struct.calcsize(order + shape)
    if size < length or not 0 < count <= _MAX_HEADERS:
        return []
    content = _at(file, start, size * count)
    found = []
    for number in range(len(content) // size):
        fields = struct.unpack_from(order + shape, content, number * size)
        if is_wide:
            kind, _, offset, address, _, length = fields[:6]
        else:
            kind, offset, address, _, length = fields[:5]
        found.append(_Segment(kind, offset, address, length))
    return found


def _libraries(
    file: IO[bytes], segments: list[_Segment], *, is_wide: bool, order: str
) -> list[str]:
    dynamic = next((each for each in segments if each.kind == _DYNAMIC), None)
    if dynamic is None:
        return []
    shape = f"{order}{'qQ' if is_wide else 'iI'}"
    content = _at(file, dynamic.offset, min(dynamic.size, _MAX_DYNAMIC))
    length = struct.calcsize(shape)
    whole = content[: len(content) // length * length]
    entries = [(tag, value) for tag, value in struct.iter_unpack(shape, whole)]
    strings = next((value for tag, value in entries if tag == _STRINGS), None)
    loaded = [
        each
        for each in segments
        if each.kind == _LOAD
        and strings is not None
        and each.address <= strings < each.address + each.size
    ]
    if strings is None or not loaded:
        return []
    base = strings - loaded[0].address + loaded[0].offset
    names = [_text(file, base + value) for tag, value in entries if tag == _NEEDED]
    return [name for name in names if name]


def _at(file: IO[bytes], offset: int, size: int) -> bytes:
    if not 0 <= offset < 1 << 62:
        return b""
    file.seek(offset)
    return file.read(size)


def _text(file: IO[bytes], offset: int) -> str:
    """The text that begins at ``offset`` and ends with a zero; empty when it has no end."""
    text, end, _ = _at(file, offset, _MAX_TEXT).partition(b"\0")
    return text.decode(errors="replace") if end else ""
