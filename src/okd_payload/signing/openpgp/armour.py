# SPDX-License-Identifier: Apache-2.0
"""ASCII armour: the first block of a text, decoded while it is read.

Only the first block counts. A line may begin with text that is no part of the block, lines of
the body may not: neither blanks nor more than 96 characters. The check sum is compared when it
is there, and the last line may be missing.
"""

from __future__ import annotations

import binascii
import re

import msgspec

from okd_payload.signing.openpgp.faults import Malformed, OpenPgpError, Truncated, Unfit
from okd_payload.signing.openpgp.streams import Stream

_START, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
_LINE_BUFFER = 100
"""Longer lines come in pieces: they are nothing in front of a block, and wrong inside."""
_LONGEST_LINE = 96
_DECODER_BUFFER = 1024
_SUM_START, _SUM_POLYNOMIAL = 0xB704CE, 0x1864CFB
_ALPHABET = re.compile(rb"[A-Za-z0-9+/]")
_BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def _sum_of_byte(byte: int) -> int:
    total = byte << 16
    for _ in range(8):
        total <<= 1
        if total & 0x1000000:
            total ^= _SUM_POLYNOMIAL
    return total


_SUM_TABLE = [_sum_of_byte(byte) for byte in range(256)]


class Block(msgspec.Struct, frozen=True):
    """The first block of a text: what it says it is, and its decoded content."""

    kind: str
    body: Stream


def find_block(text: bytes) -> Block:
    """The first block of ``text``. Raises Unfit when there is none."""
    lines = _Lines(text)
    while True:
        kind = _find_start(lines)
        if _skip_headers(lines):
            return Block(kind, _Body(lines))


def _find_start(lines: _Lines) -> str:
    ignored = False
    while True:
        line, ignores_next = lines.next()
        if not ignored and not ignores_next:
            line = _trim(line)
            if len(line) > len(_START) + len(_DASHES) and line.startswith(_START):
                return line[len(_START) : -len(_DASHES)].decode(errors="replace")
        ignored = ignores_next


def _skip_headers(lines: _Lines) -> bool:
    """Go to the body; False when this is no block after all."""
    continued = False
    while True:
        line, continues = lines.next()
        if not continued:
            line = _trim(line)
            if not line:
                return True
            if b": " not in line:
                return False
        continued = continues


def _trim(line: bytes) -> bytes:
    """``line`` without what Unicode calls space at its ends."""
    text = line.decode(errors="surrogateescape").strip(_BLANKS)
    return text.encode(errors="surrogateescape")


class _NoBlock(Unfit):
    def __init__(self) -> None:
        super().__init__("no armored data found")


class _Lines:
    """A text line by line, long ones in pieces."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._place = 0

    def next(self) -> tuple[bytes, bool]:
        """A line without its end, and whether it goes on. Raises Unfit at the end."""
        if self._place >= len(self._text):
            raise _NoBlock
        end = self._text.find(b"\n", self._place, self._place + _LINE_BUFFER)
        if end >= 0:
            line, self._place = self._text[self._place : end], end + 1
            return line.removesuffix(b"\r"), False
        line = self._text[self._place : self._place + _LINE_BUFFER]
        if len(line) == _LINE_BUFFER:
            line = line.removesuffix(b"\r")
            self._place += len(line)
            return line, True
        self._place += len(line)
        return line, False

    def next_or_none(self) -> tuple[bytes, bool] | None:
        """Like ``next``, and None at the end."""
        return self.next() if self._place < len(self._text) else None


class _Body:
    """The content of a block; checks the sum at the end."""

    def __init__(self, lines: _Lines) -> None:
        self._text = _BodyText(lines)
        self._characters = b""
        self._output = b""
        self._sum = _SUM_START
        self._fault: OpenPgpError | None = None

    def read(self, most: int) -> bytes:
        """The next bytes. Raises OpenPgpError at damage, again and again."""
        if not self._output:
            if self._fault is not None:
                raise self._fault
            self._output = self._decode(most)
        piece, self._output = self._output[:most], self._output[most:]
        self._sum = _add_to_sum(self._sum, piece)
        if not piece and self._text.sum not in (None, self._sum):
            raise Malformed("armor invalid")
        return piece

    def _decode(self, most: int) -> bytes:
        """What the next characters mean, as many as one read would take."""
        while len(self._characters) < 4:
            wanted = min(max(most // 3 * 4, 4), _DECODER_BUFFER) - len(self._characters)
            try:
                more = self._text.read(wanted)
                if not more and self._characters:
                    raise Truncated
            except OpenPgpError as fault:
                self._fault = fault
                raise
            if not more:
                return b""
            self._characters += more.translate(None, b"\r\n")
        usable = len(self._characters) // 4 * 4
        quads, self._characters = self._characters[:usable], self._characters[usable:]
        output, self._fault = _decode_quads(quads)
        if self._fault is not None and not output:
            raise self._fault
        return output


class _BodyText:
    """The characters of a body, up to the sum or the last line."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines
        self._line = b""
        self._ended = False
        self.sum: int | None = None
        """The check sum, once it was read."""

    def read(self, most: int) -> bytes:
        """The next characters of one line; nothing at the end. Raises OpenPgpError."""
        while not self._line and not self._ended:
            self._next_line()
        piece, self._line = self._line[:most], self._line[most:]
        return piece

    def _next_line(self) -> None:
        found = self._lines.next_or_none()
        if found is None or found[0].startswith(_END):
            self._ended = True
            if found is not None and found[1]:
                raise Malformed("armor invalid")
            return
        line, goes_on = found
        if goes_on or len(line) > _LONGEST_LINE:
            raise Malformed("armor invalid")
        if len(line) == 5 and line[:1] == b"=":
            self._read_sum(line[1:])
        else:
            self._line = line

    def _read_sum(self, characters: bytes) -> None:
        decoded, fault = _decode_quads(characters)
        if fault is not None:
            raise fault
        if len(decoded) != 3:
            return
        self.sum = int.from_bytes(decoded)
        last = self._lines.next_or_none()
        if last is None or not last[0].startswith(_END):
            raise Malformed("armor invalid")
        self._ended = True


def _decode_quads(characters: bytes) -> tuple[bytes, OpenPgpError | None]:
    """What whole groups of four mean, up to the first that means nothing."""
    output = bytearray()
    for start in range(0, len(characters), 4):
        quad = characters[start : start + 4]
        padding = len(quad) - len(quad.rstrip(b"=")) if quad[:2].isascii() else 0
        place = _first_wrong(quad, min(padding, 2))
        if place is None and padding and start + 4 < len(characters):
            place = 4
        if place is not None:
            text = f"illegal base64 data at input byte {start + place}"
            return bytes(output), OpenPgpError(text)
        output += binascii.a2b_base64(quad)
    return bytes(output), None


def _first_wrong(quad: bytes, padding: int) -> int | None:
    for place, byte in enumerate(quad[: 4 - padding]):
        if not _ALPHABET.match(bytes([byte])):
            return place
    return None


def _add_to_sum(total: int, content: bytes) -> int:
    for byte in content:
        total = (total << 8 & 0xFFFFFF) ^ _SUM_TABLE[total >> 16 ^ byte]
    return total
