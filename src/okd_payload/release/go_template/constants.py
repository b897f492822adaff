# SPDX-License-Identifier: Apache-2.0
"""Texts and numbers as Go writes them in its sources. Every mistake is a ValueError.

Rules: "Lexical elements" of the Go specification (https://go.dev/ref/spec), as ``text/template``
uses them. Complex numbers are refused: no manifest has a use for one.
"""

from __future__ import annotations

import re

from okd_payload.documents.go_quote import quote

_ESCAPES = dict(zip("abfnrtv\\'\"", "\a\b\f\n\r\t\v\\'\"", strict=True))
_ESCAPE = re.compile(
    r"\\(?:x(?P<byte>[0-9a-fA-F]{2})|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})"
    r"|(?P<octal>[0-7]{3})|(?P<plain>.))",
    re.DOTALL,
)
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_LEAST, _LARGEST = -(2**63), 2**63 - 1


def unquote(text: str) -> str:
    """The text that a literal in double or back quotes stands for."""
    if text.startswith("`"):
        return text[1:-1].replace("\r", "")
    return _unescape(text[1:-1], other="'")


def parse_number(text: str) -> int | float:
    """The number that a literal stands for, a character for its code point."""
    if text.startswith("'"):
        character = _unescape(text[1:-1], other='"')
        if len(character) != 1:
            raise ValueError(f"malformed character constant: {text}")
        return ord(character)
    if text.endswith("i"):
        raise ValueError(f"illegal number syntax: {quote(text)}")
    try:
        whole = int(text, 0) if not re.fullmatch("[+-]?0[0-7_]+", text) else int(text, 8)
    except ValueError:
        return _parse_float(text)
    if not _LEAST <= whole <= _LARGEST:
        raise ValueError(f"integer overflow: {quote(text)}")
    return whole


def _parse_float(text: str) -> float:
    if _FLOAT.fullmatch(text.replace("_", "")):
        return float(text)
    try:
        return float.fromhex(text)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"illegal number syntax: {quote(text)}") from error


def _unescape(text: str, *, other: str) -> str:
    """``text`` without its escapes; the ``other`` quote cannot be escaped."""

    def replace(found: re.Match[str]) -> str:
        digits = found["byte"] or found["short"] or found["long"]
        if digits:
            return chr(int(digits, 16))
        if found["octal"]:
            return chr(int(found["octal"], 8))
        if found["plain"] == other or found["plain"] not in _ESCAPES:
            raise ValueError("invalid syntax")
        return _ESCAPES[found["plain"]]

    try:
        return _ESCAPE.sub(replace, text)
    except (ValueError, OverflowError) as error:
        raise ValueError("invalid syntax") from error
