# SPDX-License-Identifier: Apache-2.0
"""Logical lines of a Dockerfile: directives read, continuations joined, heredocs taken out.

Follows BuildKit, whose rules buildah's parser shares: a line that ends in the escape character
goes on, comment and empty lines in between do not count; a comment never goes on; heredocs
belong to RUN, COPY and ADD in shell form only. Every character of a logical line can be found
again in the text, because rewriting changes only what it must.
"""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Iterator

import msgspec

from okd_payload.catalog.dockerfile.model import Heredoc, Place
from okd_payload.catalog.dockerfile.words import split_flags, split_name, split_words, unquote

_DIRECTIVE = re.compile(r"\s*#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*")
_DIRECTIVES = frozenset({"syntax", "escape", "check"})
_ESCAPES = frozenset({"\\", "`"})
_HEREDOC = re.compile(r"[0-9]*<<(-?)([^<]+)")
_WITH_HEREDOCS = frozenset({"add", "copy", "run"})
_BYTE_ORDER_MARK = "\ufeff"


class LogicalLine(msgspec.Struct, frozen=True, kw_only=True):
    """One instruction as a single line of text."""

    text: str
    line: int
    """The number of the first physical line."""
    pieces: tuple[tuple[int, int], ...]
    """Where each piece of ``text`` begins: in ``text``, and in the Dockerfile."""
    end: int
    """Where the last physical line ends, heredocs not counted."""
    heredocs: tuple[Heredoc, ...] = ()
    dangling_escape: int | None = None
    """Where the Dockerfile ends although this line would go on."""

    def locate(self, index: int) -> int:
        """Where the character at ``index`` of ``text`` stands in the Dockerfile."""
        number = bisect.bisect_right(self.pieces, index, key=lambda piece: piece[0]) - 1
        start, offset = self.pieces[number]
        return offset + index - start


class PhysicalLine(msgspec.Struct, frozen=True):
    """A line of the text without its end, and where it begins."""

    text: str
    offset: int

    @property
    def end(self) -> int:
        """Where the line ends."""
        return self.offset + len(self.text)


def read_escape(text: str, path: str) -> str:
    """The escape character that the directives of ``text`` choose. Raises InvalidDocument.

    Directives stand before everything else; the first line that is none ends them.
    """
    escape = ""
    for number, line in enumerate(_physical_lines(text), 1):
        match = _DIRECTIVE.fullmatch(line.text)
        name = match[1].lower() if match else ""
        if match is None or name not in _DIRECTIVES:
            break
        if name != "escape":
            continue
        if escape or match[2] not in _ESCAPES:
            raise Place(path, number).error(
                "the escape directive is given twice" if escape else f"{match[2]!r} cannot escape",
                hint="one directive, # escape=\\ or # escape=`, before everything else",
            )
        escape = match[2]
    return escape or "\\"


def read_lines(text: str, escape: str, path: str) -> Iterator[LogicalLine]:
    """The logical lines of ``text``, empty ones and comments left out. Raises InvalidDocument."""
    physical = _physical_lines(text)
    quoted = re.escape(escape)
    goes_on = re.compile(rf"(?:^|(?<=[^{quoted}])){quoted}[ \t]*$")
    number = 0
    while number < len(physical):
        number, line = _join(physical, number, goes_on)
        if not line.text.strip():
            continue
        number, heredocs = _take_heredocs(physical, number, line, Place(path, line.line))
        yield msgspec.structs.replace(line, heredocs=heredocs)


def _physical_lines(text: str) -> list[PhysicalLine]:
    offset = len(_BYTE_ORDER_MARK) if text.startswith(_BYTE_ORDER_MARK) else 0
    lines = []
    for line in text[offset:].split("\n"):
        lines.append(PhysicalLine(line.rstrip("\r"), offset))
        offset += len(line) + 1
    return lines


def _join(
    physical: list[PhysicalLine], number: int, goes_on: re.Pattern[str]
) -> tuple[int, LogicalLine]:
    """The logical line that begins at ``number``, and the number of the line after it."""
    first = number
    pieces: list[tuple[int, int]] = []
    joined = ""
    dangling: int | None = None
    while number < len(physical):
        line = physical[number]
        number += 1
        content = line.text if pieces else line.text.lstrip()
        if line.text.lstrip().startswith("#"):
            if not pieces:
                break
            continue
        if pieces and not content.strip():
            continue
        match = goes_on.search(content)
        pieces.append((len(joined), line.end - len(content)))
        joined += content[: match.start()] if match else content
        dangling = pieces[-1][1] + match.start() if match else None
        if match is None:
            break
    return number, LogicalLine(
        text=joined,
        line=first + 1,
        pieces=tuple(pieces) or ((0, physical[first].offset),),
        end=physical[number - 1].end,
        dangling_escape=dangling,
    )


def _take_heredocs(
    physical: list[PhysicalLine], number: int, line: LogicalLine, place: Place
) -> tuple[int, tuple[Heredoc, ...]]:
    """The heredocs that ``line`` announces, which begin at ``number``, and the line after."""
    found = []
    for strips_tabs, word in _announced(line.text):
        name = unquote(word)
        content = ""
        while number < len(physical):
            text = physical[number].text
            number += 1
            if (text.lstrip("\t") if strips_tabs else text) == name:
                break
            content += text + "\n"
        else:
            raise place.error(
                f"the heredoc <<{word} does not end",
                hint=f"a line that is exactly {name} ends it",
            )
        found.append(Heredoc(name=name, content=content))
    return number, tuple(found)


def _announced(line: str) -> Iterator[tuple[bool, str]]:
    """Of each heredoc in ``line``: whether tabs are stripped, and its name as written."""
    if "<<" not in line:
        return
    name, rest = split_name(line)
    if name.lower() == "onbuild":
        name, rest = split_name(rest)
    if name.lower() not in _WITH_HEREDOCS or _is_json(split_flags(rest, "\\")[1]):
        return
    for word in split_words(rest, "\\"):
        match = _HEREDOC.fullmatch(word)
        if match:
            yield match[1] == "-", match[2]


def _is_json(text: str) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return isinstance(value, list)
