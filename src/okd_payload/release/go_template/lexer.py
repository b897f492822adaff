# SPDX-License-Identifier: Apache-2.0
"""Cutting a template into tokens, with Go's words for what is no token.

A token is found where Go finds it; the first mistake is a token of its own, after which nothing
comes. Trim markers eat the blanks around an action here, so that the parser never sees them.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator

import msgspec

from okd_payload.documents.go_quote import quote, quote_character

_LEFT, _RIGHT, _TRIM = "{{", "}}", 2
_BLANKS = " \t\r\n"
_SHOWN = 10
_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?"
    r"|0[oO][0-7_]*(?:\.[0-7_]*)?"
    r"|0[bB][01_]*(?:\.[01_]*)?"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?"
)
_TERMINATORS = ".,|:)("


class Kind(enum.Enum):
    """What a token is; keywords by their own word."""

    ERROR = enum.auto()
    END_OF_TEXT = enum.auto()
    TEXT = enum.auto()
    LEFT = enum.auto()
    RIGHT = enum.auto()
    SPACE = enum.auto()
    ASSIGN = enum.auto()
    DECLARE = enum.auto()
    PIPE = enum.auto()
    STRING = enum.auto()
    RAW_STRING = enum.auto()
    CHARACTER = enum.auto()
    CHAR = enum.auto()
    NUMBER = enum.auto()
    COMPLEX = enum.auto()
    FIELD = enum.auto()
    VARIABLE = enum.auto()
    IDENTIFIER = enum.auto()
    BOOLEAN = enum.auto()
    LEFT_PAREN = enum.auto()
    RIGHT_PAREN = enum.auto()
    DOT = enum.auto()
    NIL = enum.auto()
    BLOCK = enum.auto()
    BREAK = enum.auto()
    CONTINUE = enum.auto()
    DEFINE = enum.auto()
    ELSE = enum.auto()
    END = enum.auto()
    IF = enum.auto()
    RANGE = enum.auto()
    TEMPLATE = enum.auto()
    WITH = enum.auto()


_KEYWORDS = {kind.name.lower(): kind for kind in Kind if kind.value >= Kind.NIL.value}
_SIGNS = {"=": Kind.ASSIGN, "|": Kind.PIPE, "(": Kind.LEFT_PAREN, ")": Kind.RIGHT_PAREN}


class Token(msgspec.Struct, frozen=True):
    """A piece of a template, where it begins, and on which line."""

    kind: Kind
    position: int
    text: str
    line: int

    def __str__(self) -> str:
        if self.kind is Kind.END_OF_TEXT:
            return "EOF"
        if self.kind is Kind.ERROR:
            return self.text
        if self.kind.value >= Kind.DOT.value:
            return f"<{self.text}>"
        if len(self.text) > _SHOWN:
            return f"{quote(self.text[:_SHOWN])}..."
        return quote(self.text)


class _Mistake(Exception):
    """What Go's lexer says; never leaves this module."""


class Lexer:
    """Reads one template from front to back."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = self._start = 0
        self._line = 1
        self._open_parens = 0
        self._readers: dict[str, Callable[[], Token]] = {
            **dict.fromkeys(_BLANKS, self._read_space),
            **dict.fromkeys(_SIGNS, self._read_sign),
            **dict.fromkeys("\"'`", self._read_quoted),
            **dict.fromkeys("+-0123456789", self._read_number),
            ":": self._read_declaration,
            "$": self._read_variable,
            ".": self._read_dot,
        }

    def read(self) -> Iterator[Token]:
        """All tokens, the last one the end of the text or a mistake."""
        try:
            while (left := self._text.find(_LEFT, self._place)) >= 0:
                yield from self._read_text(left)
                yield from self._read_action()
            self._place = len(self._text)
            if self._place > self._start:
                yield self._take(Kind.TEXT)
            yield self._take(Kind.END_OF_TEXT)
        except _Mistake as mistake:
            yield Token(Kind.ERROR, self._start, str(mistake), self._line)

    def _read_text(self, left: int) -> Iterator[Token]:
        end = left
        if self._has_left_trim(left + len(_LEFT)):
            end = self._start + len(self._text[self._start : left].rstrip(_BLANKS))
        if end > self._start:
            self._place = end
            yield self._take(Kind.TEXT)
        self._place = left
        self._skip()

    def _read_action(self) -> Iterator[Token]:
        after = self._place + len(_LEFT)
        body = after + _TRIM if self._has_left_trim(after) else after
        if self._text.startswith("/*", body):
            self._place = body
            self._skip_comment()
            return
        self._place = after
        yield self._take(Kind.LEFT)
        self._place = body
        self._skip()
        self._open_parens = 0
        while not (width := self._width_of_right()):
            yield self._read_token()
        if self._open_parens:
            raise _Mistake("unclosed left paren")
        yield from self._close_action(width)

    def _close_action(self, width: int) -> Iterator[Token]:
        trims = width > len(_RIGHT)
        if trims:
            self._place += _TRIM
            self._skip()
        self._place += len(_RIGHT)
        yield self._take(Kind.RIGHT)
        if trims:
            self._skip_blanks()

    def _skip_comment(self) -> None:
        end = self._text.find("*/", self._place + 2)
        if end < 0:
            raise _Mistake("unclosed comment")
        self._place = end + 2
        width = self._width_of_right()
        if not width:
            raise _Mistake("comment ends before closing delimiter")
        self._place += width
        self._skip()
        if width > len(_RIGHT):
            self._skip_blanks()

    def _skip_blanks(self) -> None:
        while self._is_blank(self._place):
            self._place += 1
        self._skip()

    def _read_token(self) -> Token:
        character = self._next()
        if not character:
            raise _Mistake("unclosed action")
        reader = self._readers.get(character)
        if reader:
            return reader()
        if _is_word(character):
            return self._read_word()
        if character.isascii() and character.isprintable():
            return self._take(Kind.CHAR)
        raise _Mistake(f"unrecognized character in action: {_show(character)}")

    def _read_declaration(self) -> Token:
        if self._next() != "=":
            raise _Mistake("expected :=")
        return self._take(Kind.DECLARE)

    def _read_variable(self) -> Token:
        return self._read_name(Kind.VARIABLE)

    def _read_dot(self) -> Token:
        """A field, the dot itself, or the beginning of a number."""
        follower = self._peek()
        if follower and not "0" <= follower <= "9":
            return self._read_name(Kind.FIELD)
        return self._read_number()

    def _read_space(self) -> Token:
        """Blanks up to the next token; the last one may belong to a trim marker."""
        while self._peek() and self._peek() in _BLANKS:
            if self._width_of_right():
                break
            self._place += 1
        return self._take(Kind.SPACE)

    def _read_sign(self) -> Token:
        character = self._text[self._start]
        self._open_parens += {"(": 1, ")": -1}.get(character, 0)
        if self._open_parens < 0:
            raise _Mistake("unexpected right paren")
        return self._take(_SIGNS[character])

    def _read_quoted(self) -> Token:
        mark = self._text[self._start]
        kind, name = {
            '"': (Kind.STRING, "quoted string"),
            "'": (Kind.CHARACTER, "character constant"),
            "`": (Kind.RAW_STRING, "raw quoted string"),
        }[mark]
        while (character := self._next()) != mark:
            if character == "\\" and mark != "`":
                character = self._next()
            if not character or (character == "\n" and mark != "`"):
                raise _Mistake(f"unterminated {name}")
        return self._take(kind)

    def _read_name(self, kind: Kind) -> Token:
        """A field or a variable; the dot or the dollar alone is one of its own."""
        if self._is_at_terminator():
            return self._take(Kind.DOT if kind is Kind.FIELD else Kind.VARIABLE)
        self._skip_word()
        return self._take(kind)

    def _read_word(self) -> Token:
        self._skip_word()
        word = self._text[self._start : self._place]
        if word in ("true", "false"):
            return self._take(Kind.BOOLEAN)
        return self._take(_KEYWORDS.get(word, Kind.IDENTIFIER))

    def _skip_word(self) -> None:
        while _is_word(self._peek()):
            self._place += 1
        if not self._is_at_terminator():
            raise _Mistake(f"bad character {_show(self._peek())}")

    def _read_number(self) -> Token:
        self._place = self._start
        self._scan_number()
        if self._peek() not in ("+", "-"):
            return self._take(Kind.NUMBER)
        self._scan_number()
        if self._text[self._place - 1] != "i":
            self._refuse_number()
        return self._take(Kind.COMPLEX)

    def _scan_number(self) -> None:
        found = _NUMBER.match(self._text, self._place)
        self._place = found.end() if found else self._place
        if _is_word(self._peek()):
            self._place += 1
            self._refuse_number()

    def _refuse_number(self) -> None:
        raise _Mistake(f"bad number syntax: {quote(self._text[self._start : self._place])}")

    def _is_at_terminator(self) -> bool:
        character = self._peek()
        return (
            not character
            or character in _BLANKS
            or character in _TERMINATORS
            or self._text.startswith(_RIGHT, self._place)
        )

    def _has_left_trim(self, place: int) -> bool:
        return self._text[place : place + 1] == "-" and self._is_blank(place + 1)

    def _is_blank(self, place: int) -> bool:
        character = self._text[place : place + 1]
        return bool(character) and character in _BLANKS

    def _width_of_right(self) -> int:
        """How long the closing delimiter is that stands here, 0 when there is none."""
        if self._is_blank(self._place) and self._text.startswith("-" + _RIGHT, self._place + 1):
            return _TRIM + len(_RIGHT)
        return len(_RIGHT) if self._text.startswith(_RIGHT, self._place) else 0

    def _peek(self) -> str:
        return self._text[self._place : self._place + 1]

    def _next(self) -> str:
        character = self._peek()
        self._place += len(character)
        return character

    def _take(self, kind: Kind) -> Token:
        token = Token(kind, self._start, self._text[self._start : self._place], self._line)
        self._skip()
        return token

    def _skip(self) -> None:
        self._line += self._text.count("\n", self._start, self._place)
        self._start = self._place


def _is_word(character: str) -> bool:
    return character == "_" or character.isalpha() or character.isdecimal()


def _show(character: str) -> str:
    """A character as Go's ``%#U`` shows it."""
    if not character:
        return "U+FFFFFFFFFFFFFFFF"
    shown = f" '{quote_character(character)}'" if character.isprintable() else ""
    return f"U+{ord(character):04X}{shown}"
