# SPDX-License-Identifier: Apache-2.0
"""Words, quotes and variables of Dockerfile instructions, by BuildKit's rules.

Quoting is that of a shell, with the Dockerfile's escape character. Of the parameter
expansions, those that buildah understands are known: ``${X:-word}``, ``${X:+word}``,
``${X:?word}`` and the same without the colon.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from okd_payload.catalog.dockerfile.model import Flag, Place

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_SPACE = re.compile(r"\s+")


class Expanded(msgspec.Struct, frozen=True):
    """A word with quotes removed and variables replaced."""

    text: str
    missing: tuple[str, ...] = ()
    """Variables without a value, which left nothing behind."""


def split_words(text: str, escape: str) -> list[str]:
    """The words of ``text``, quotes kept; a quote that does not close reaches to the end."""
    words = []
    start: int | None = None
    for index, character, quoted in _scan(text, escape):
        if character.isspace() and not quoted:
            if start is not None:
                words.append(text[start:index])
            start = None
        elif start is None:
            start = index
    if start is not None:
        words.append(text[start:])
    return words


def split_name(text: str) -> tuple[str, str]:
    """The first word of ``text``, and what follows it."""
    name, *rest = _SPACE.split(text.strip(), maxsplit=1)
    return name, rest[0] if rest else ""


def split_flags(text: str, escape: str) -> tuple[tuple[Flag, ...], str]:
    """The flags at the beginning of ``text``, and what follows them."""
    flags = []
    rest = text.lstrip()
    while rest.startswith("--"):
        word = split_words(rest, escape)[0]
        rest = rest[len(word) :].lstrip()
        if word == "--":
            break
        name, _, value = word[2:].partition("=")
        flags.append(Flag(name, unquote(value, escape)))
    return tuple(flags), rest


def split_pairs(text: str, escape: str, place: Place) -> list[tuple[str, str]]:
    """The names and values of ENV or LABEL, as written. Raises InvalidDocument.

    Both forms are known: ``name=value ...``, and the old one, ``name the whole value``.
    """
    words = split_words(text, escape)
    if not words:
        raise place.error("a name and a value are missing")
    if "=" not in words[0]:
        name, *value = _SPACE.split(text.strip(), maxsplit=1)
        if not value:
            raise place.error(f"{name} has no value", hint=f"write {name}=VALUE")
        return [(name, value[0])]
    pairs = []
    for word in words:
        name, equals, written = word.partition("=")
        if not equals:
            raise place.error(f"{word!r} has no '='", hint="put quotes around values with spaces")
        pairs.append((name, written))
    return pairs


def unquote(text: str, escape: str = "\\") -> str:
    """``text`` without quotes and escapes; variables stay as they are."""
    kept = []
    quote = ""
    characters = iter(text)
    for character in characters:
        if character == escape and quote != "'":
            following = next(characters, "")
            kept.append(
                following if not quote or following in ('"', escape) else escape + following
            )
        elif character in ("'", '"') and quote in ("", character):
            quote = "" if quote else character
        else:
            kept.append(character)
    return "".join(kept)


def expand(word: str, values: Mapping[str, str], *, escape: str, place: Place) -> Expanded:
    """``word`` with quotes removed and variables replaced. Raises InvalidDocument."""
    reader = _Reader(word, values, escape, place)
    text = reader.read("")
    return Expanded(text, tuple(reader.missing))


def _scan(text: str, escape: str) -> Iterator[tuple[int, str, bool]]:
    """Each character with its index, and whether a quote or an escape protects it."""
    quote = ""
    escaped = False
    for index, character in enumerate(text):
        yield index, character, bool(quote) or escaped
        if escaped:
            escaped = False
        elif character == escape and quote != "'":
            escaped = True
        elif character in ("'", '"') and quote in ("", character):
            quote = "" if quote else character


class _Reader:
    """Reads one word from left to right."""

    def __init__(self, word: str, values: Mapping[str, str], escape: str, place: Place) -> None:
        self._word = word
        self._values = values
        self._escape = escape
        self._place = place
        self._position = 0
        self.missing: list[str] = []

    def read(self, stop: str) -> str:
        """The text up to the character ``stop``, which is taken too; empty means the end."""
        parts: list[str] = []
        while self._position < len(self._word):
            character = self._take()
            if character == stop:
                return "".join(parts)
            if character == "'":
                parts.append(self._read_literal())
            elif character == '"':
                parts.append(self._read_quoted())
            elif character == "$":
                parts.append(self._read_variable())
            elif character == self._escape:
                parts.append(self._take())
            else:
                parts.append(character)
        if stop:
            raise self._place.error(f"{self._word!r}: {stop} is missing")
        return "".join(parts)

    def _take(self) -> str:
        character = self._word[self._position : self._position + 1]
        self._position += 1
        return character

    def _peek(self) -> str:
        return self._word[self._position : self._position + 1]

    def _read_literal(self) -> str:
        end = self._word.find("'", self._position)
        if end < 0:
            raise self._place.error(f"{self._word!r}: a single quote does not close")
        text = self._word[self._position : end]
        self._position = end + 1
        return text

    def _read_quoted(self) -> str:
        parts = []
        while (character := self._take()) != '"':
            if not character:
                raise self._place.error(f"{self._word!r}: a double quote does not close")
            if character == "$":
                parts.append(self._read_variable())
            elif character == self._escape and self._peek() in ('"', "$", self._escape):
                parts.append(self._take())
            else:
                parts.append(character)
        return "".join(parts)

    def _read_variable(self) -> str:
        braced = self._peek() == "{"
        if braced:
            self._take()
        match = _NAME.match(self._word, self._position)
        if match is None:
            if braced:
                raise self._place.error(f"{self._word!r}: a variable has no name")
            return "$"
        self._position = match.end()
        return self._read_modifier(match[0]) if braced else self._value_of(match[0])

    def _read_modifier(self, name: str) -> str:
        operator = self._take()
        empty_counts = operator != ":"
        if not empty_counts:
            operator = self._take()
        if operator == "}" and empty_counts:
            return self._value_of(name)
        if operator not in ("-", "+", "?"):
            raise self._place.error(
                f"{self._word!r}: this kind of substitution is not supported",
                hint="supported are ${X}, ${X:-default}, ${X:+replacement} and ${X:?message}",
            )
        missing = list(self.missing)
        word = self.read("}")
        value = self._values.get(name)
        is_set = value is not None and (empty_counts or value != "")
        if operator == "?" and not is_set:
            raise self._place.error(f"{name}: {word or 'has no value'}")
        if (operator == "+") is not is_set:
            self.missing = missing
        if operator == "+":
            return word if is_set else ""
        return value if value is not None and is_set else word

    def _value_of(self, name: str) -> str:
        value = self._values.get(name)
        if value is None:
            self.missing.append(name)
        return value or ""
