# SPDX-License-Identifier: Apache-2.0
"""The grammar that ``go.mod`` and ``go.work`` share: directives of words, in lines or blocks.

Format: "go.mod files" in the Go Modules Reference (https://go.dev/ref/mod). Whether a verb is
known, and what its words mean, is for the readers of the two files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from okd_payload.errors import InvalidDocument

_WORD = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`\n]*`|//.*|=>|[()]|(?:(?!//)[^\s"`(),])+|,|.')
_ESCAPE = re.compile(r"\\(.)")
_BLANK = " \t\r"
FORMAT_HINT = "the format is that of https://go.dev/ref/mod; `go mod tidy` writes it"


class Directive(msgspec.Struct, frozen=True):
    """One statement: its verb, its words, what its comment says, and where it stands."""

    verb: str
    words: tuple[str, ...]
    comment: str
    line: int


def read_directives(content: bytes, *, path: str) -> Iterator[Directive]:
    """The directives of a file, those in blocks one by one. Raises InvalidDocument."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise InvalidDocument("it is not UTF-8", path=path, hint=FORMAT_HINT) from error
    block, opened = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        words, comment = _split(line, path=path, number=number)
        if not words:
            continue
        if block and words == [")"]:
            block = ""
        elif block:
            yield Directive(block, tuple(words), comment, number)
        elif words[1:] == ["("]:
            block, opened = words[0], number
        elif "(" in words or ")" in words:
            raise InvalidDocument(
                "a parenthesis that nothing opens", path=path, line=number, hint=FORMAT_HINT
            )
        else:
            yield Directive(words[0], tuple(words[1:]), comment, number)
    if block:
        raise InvalidDocument(
            f"the block of {block} has no end", path=path, line=opened, hint=FORMAT_HINT
        )


def _split(line: str, *, path: str, number: int) -> tuple[list[str], str]:
    """The words of a line, and the text of the comment behind them."""
    words: list[str] = []
    for matched in _WORD.finditer(line):
        word = matched[0]
        if word in _BLANK:
            continue
        if word.startswith("//"):
            return words, word[2:].strip()
        if word in ('"', "`"):
            raise InvalidDocument("a string without end", path=path, line=number, hint=FORMAT_HINT)
        if len(word) > 1 and word[0] in '"`':
            word = _ESCAPE.sub(r"\1", word[1:-1]) if word[0] == '"' else word[1:-1]
        words.append(word)
    return words, ""
