# SPDX-License-Identifier: Apache-2.0
"""JSON that Go's YAML rules leave as it is, read without a YAML parser.

Go programs read JSON as YAML, of which it is nearly a part. Nearly all JSON that the field's
programs wrote lies in the part where both agree: printable ASCII, ordinary escapes, whole
numbers, short keys. There this gives the value that ``go_yaml`` gives, fifty times faster;
anywhere else it gives nothing, and the caller reads by all the rules.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from okd_payload.documents.bounds import MAX_DEPTH

_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\n"
_ESCAPE = re.compile(rb'\\(?:["\\nrt]|u00[2-7][0-9a-fA-F])')
_COLON_ON_NEXT_LINE = re.compile(rb'" *\n[ \n]*:')
_MOST_BYTES = 4_000_000
"""So many that even one value for every two of them stays within the bounds on nodes."""
_LONGEST_KEY = 150
"""YAML takes a key of 1024 characters, and an escape has up to six."""
_LARGEST = 10**18
"""Whole numbers below this certainly fit Go's integers."""


def parse_plain_json(content: bytes) -> dict[str, Any] | None:
    """The object in ``content``, keys sorted; None when YAML might understand it otherwise."""
    if not content.startswith(b"{") or len(content) > _MOST_BYTES or _is_doubtful(content):
        return None
    try:
        found: dict[str, Any] = _sort(msgspec.json.decode(content), MAX_DEPTH)
    except (ValueError, RecursionError):
        return None
    return found


def _is_doubtful(content: bytes) -> bool:
    if content.translate(None, _PRINTABLE) or _COLON_ON_NEXT_LINE.search(content):
        return True
    return b"\\" in content and b"\\" in _ESCAPE.sub(b"", content)


def _sort(value: Any, depth: int) -> Any:
    """``value`` with the keys of all objects sorted. Raises ValueError for what may be doubtful."""
    kind = type(value)
    if kind is dict or kind is list:
        if depth == 0 and value:
            raise ValueError("nested too deeply")
        if kind is list:
            return [_sort(item, depth - 1) for item in value]
        if max(map(len, value), default=0) > _LONGEST_KEY:
            raise ValueError("a long key")
        return {key: _sort(value[key], depth - 1) for key in sorted(value)}
    if kind is float or (kind is int and not -_LARGEST < value < _LARGEST):
        raise ValueError("more than a whole number of Go's")
    return value
