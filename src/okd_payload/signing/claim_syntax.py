# SPDX-License-Identifier: Apache-2.0
"""The first JSON value of some bytes, with nothing lost: keys given twice, digits as written.

Go looks at no byte behind the first value, and stops at the first byte that cannot stand where
it stands; the error names that byte as Go would.
"""

from __future__ import annotations

import re
from typing import NoReturn

import msgspec

from okd_payload.documents.go_quote import quote_character
from okd_payload.errors import ContentError

_MAX_DEPTH = 10_000
_BLANKS = re.compile(rb"[ \t\r\n]*")
_PLAIN_TEXT = re.compile(rb'[^"\\\x00-\x1f]*')
_DIGITS = re.compile(rb"[0-9]*")
_SURROGATES = re.compile("[\ud800-\udfff]")
_LITERALS = {b"t": (b"true", True), b"f": (b"false", False), b"n": (b"null", None)}
_ESCAPES = {
    ord('"'): '"',
    ord("\\"): "\\",
    ord("/"): "/",
    ord("b"): "\b",
    ord("f"): "\f",
    ord("n"): "\n",
    ord("r"): "\r",
    ord("t"): "\t",
}


class JsonFault(ContentError):
    """Bytes that are not JSON, in Go's words."""


class JsonNumber(msgspec.Struct, frozen=True):
    """A number as it is written."""

    text: str


class JsonList(msgspec.Struct, frozen=True):
    """A list, whose items nobody asks for."""


class JsonObject(msgspec.Struct, frozen=True):
    """An object with its members in order, those given twice as well."""

    members: list[tuple[str, JsonValue]]


JsonValue = JsonObject | JsonList | JsonNumber | str | bool | None


def parse_first(content: bytes) -> JsonValue:
    """The first value of ``content``. Raises JsonFault."""
    return _Scanner(content).scan()


class _Scanner:
    """Goes through the bytes once; nesting is kept in a list, not in the stack."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0
        self._open: list[JsonObject | JsonList] = []
        self._keys: list[str] = []
        """The key of each open object whose value is being read."""

    def scan(self) -> JsonValue:
        value, is_complete = self._begin_value()
        while True:
            while is_complete:
                if not self._open:
                    return value
                value, is_complete = self._end_value(value)
            value, is_complete = self._begin_value()

    def _begin_value(self) -> tuple[JsonValue, bool]:
        """A value, and whether it is complete: a container may have been opened instead."""
        byte = self._next_token()
        if byte in b"{[":
            return self._begin_container(byte)
        if byte not in b'"-0123456789tfn':
            self._fail("looking for beginning of value")
        self._place += 1
        if byte == b'"':
            return self._scan_text(), True
        if byte in _LITERALS:
            return self._scan_literal(*_LITERALS[byte]), True
        return self._scan_number(byte), True

    def _begin_container(self, byte: bytes) -> tuple[JsonValue, bool]:
        if len(self._open) >= _MAX_DEPTH:
            self._fail("exceeded max depth")
        self._place += 1
        container = JsonObject([]) if byte == b"{" else JsonList()
        closing = b"}" if byte == b"{" else b"]"
        if self._next_token() == closing:
            self._place += 1
            return container, True
        self._open.append(container)
        if byte == b"{":
            self._scan_key()
        return None, False

    def _scan_key(self) -> None:
        if self._next_token() != b'"':
            self._fail("looking for beginning of object key string")
        self._place += 1
        self._keys.append(self._scan_text())
        if self._next_token() != b":":
            self._fail("after object key")
        self._place += 1

    def _end_value(self, value: JsonValue) -> tuple[JsonValue, bool]:
        """What follows a value inside a container: the container when it ends there."""
        container = self._open[-1]
        byte = self._next_token()
        if isinstance(container, JsonObject):
            if byte not in b",}":
                self._fail("after object key:value pair")
            container.members.append((self._keys.pop(), value))
        elif byte not in b",]":
            self._fail("after array element")
        self._place += 1
        if byte != b",":
            return self._open.pop(), True
        if isinstance(container, JsonObject):
            self._scan_key()
        return None, False

    def _next_token(self) -> bytes:
        """The next byte that is no blank, not yet taken."""
        found = _BLANKS.match(self._content, self._place)
        self._place = found.end() if found else self._place
        return self._peek()

    def _peek(self) -> bytes:
        byte = self._content[self._place : self._place + 1]
        if not byte:
            raise JsonFault("unexpected EOF" if self._content.strip(b" \t\r\n") else "EOF")
        return byte

    def _scan_literal(self, word: bytes, value: bool | None) -> bool | None:  # noqa: FBT001 - the value of true is True
        for expected in word[1:]:
            if self._peek()[0] != expected:
                self._fail(f"in literal {word.decode()} (expecting '{chr(expected)}')")
            self._place += 1
        return value

    def _scan_number(self, first: bytes) -> JsonNumber:
        start = self._place - 1
        if first == b"-":
            first = self._peek()
            if not first.isdigit():
                self._fail("in numeric literal")
            self._place += 1
        if first != b"0":
            self._skip_digits()
        if self._follows(b"."):
            self._need_digits("after decimal point in numeric literal")
        if self._follows(b"eE"):
            if self._peek() in b"+-":
                self._place += 1
            self._need_digits("in exponent of numeric literal")
        return JsonNumber(self._content[start : self._place].decode())

    def _follows(self, bytes_: bytes) -> bool:
        byte = self._content[self._place : self._place + 1]
        found = bool(byte) and byte in bytes_
        self._place += found
        return found

    def _need_digits(self, where: str) -> None:
        if not self._peek().isdigit():
            self._fail(where)
        self._skip_digits()

    def _skip_digits(self) -> None:
        found = _DIGITS.match(self._content, self._place)
        self._place = found.end() if found else self._place

    def _scan_text(self) -> str:
        """The text after a quote, up to the next one."""
        parts = []
        while True:
            found = _PLAIN_TEXT.match(self._content, self._place)
            if found:
                parts.append(found[0].decode(errors="replace"))
                self._place = found.end()
            byte = self._peek()
            if byte == b'"':
                self._place += 1
                return _join_surrogates("".join(parts))
            if byte != b"\\":
                self._fail("in string literal")
            self._place += 1
            parts.append(self._scan_escape())

    def _scan_escape(self) -> str:
        byte = self._peek()[0]
        if byte in _ESCAPES:
            self._place += 1
            return _ESCAPES[byte]
        if byte != ord("u"):
            self._fail("in string escape code")
        self._place += 1
        digits = b""
        while len(digits) < 4:
            digit = self._peek()
            if digit not in b"0123456789abcdefABCDEF":
                self._fail("in \\u hexadecimal character escape")
            digits += digit
            self._place += 1
        return chr(int(digits, 16))

    def _fail(self, where: str) -> NoReturn:
        character = quote_character(chr(self._peek()[0]))
        raise JsonFault(f"invalid character '{character}' {where}")


def _join_surrogates(text: str) -> str:
    """``text`` with pairs of surrogates as one character, and single ones replaced."""
    if not _SURROGATES.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
