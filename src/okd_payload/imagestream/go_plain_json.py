# SPDX-License-Identifier: Apache-2.0
"""JSON that Go's YAML rules leave as it is, read without a YAML parser.

Go programs read JSON as YAML, of which it is nearly a part. Nearly all JSON that the field's
programs wrote lies in the part where both agree: printable ASCII, ordinary escapes, whole
numbers, short keys. There this gives the value that ``go_yaml`` gives, fifty times faster;
anywhere else it gives nothing, and the caller reads by all the rules.
"""

from __future__ import annotations

import json
import re
from typing import Any

from okd_payload.documents.bounds import MAX_DEPTH

_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\n"
_ESCAPE = re.compile(rb'\\(?:["\\nrt]|u00[2-7][0-9a-fA-F])')
_COLON_ON_NEXT_LINE = re.compile(rb'" *\n[ \n]*:')
_MOST_BYTES = 4_000_000
"""So many that even one value for every two of them stays within the bounds on nodes."""
_LONGEST_KEY = 150
"""YAML takes a key of 1024 characters, and an escape has up to six."""
_LONGEST_NUMBER = 18
"""Digits that certainly fit Go's integers."""


def parse_plain_json(content: bytes) -> dict[str, Any] | None:
    """The object in ``content``, keys sorted; None when YAML might understand it otherwise."""
    if not content.startswith(b"{") or len(content) > _MOST_BYTES or _is_doubtful(content):
        return None
    try:
        value = json.loads(
            content,
            object_pairs_hook=_sorted_object,
            parse_int=_whole_number,
            parse_float=_refuse,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError):
        return None
    return value if _fits(value, MAX_DEPTH) else None


def _is_doubtful(content: bytes) -> bool:
    if content.translate(None, _PRINTABLE) or _COLON_ON_NEXT_LINE.search(content):
        return True
    return b"\\" in content and b"\\" in _ESCAPE.sub(b"", content)


def _sorted_object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if any(len(key) > _LONGEST_KEY for key, _ in members):
        raise ValueError("a long key")
    return dict(sorted(dict(members).items()))


def _whole_number(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("a long number")
    return int(text)


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is more than a whole number")


def _fits(value: Any, depth: int) -> bool:
    """Whether ``value`` is nested at most ``depth`` deep."""
    if not isinstance(value, dict | list):
        return depth >= 0
    members = value.values() if isinstance(value, dict) else value
    return depth >= 0 and all(_fits(member, depth - 1) for member in members)
