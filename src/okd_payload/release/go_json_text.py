# SPDX-License-Identifier: Apache-2.0
"""JSON of anybody, taken as Go's decoder takes it, which is neither stricter nor more lenient.

Bytes that are no UTF-8 and halves of characters become the replacement character; of equal keys
the last counts, also for its place among keys that differ in case only. NaN and its kin, which
Python would read, are refused, like everything that is no JSON. Every mistake is a ValueError.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

_BLANKS = " \t\r\n"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SHOWN = 30


def parse_json(content: bytes) -> Any:
    """The one value in ``content``. Raises ValueError."""
    text = content.decode(errors="replace")
    value, end = read_json(text, skip_blanks(text, 0))
    end = skip_blanks(text, end)
    if end < len(text):
        raise ValueError(f"invalid text after top-level value: {text[end : end + _SHOWN]!r}")
    return value


def read_json(text: str, place: int) -> tuple[Any, int]:
    """The value that begins at ``place``, and where it ends. Raises ValueError."""
    try:
        value, end = _DECODER.raw_decode(text, place)
        has_halves = _SURROGATE.search(text, place, end) is not None
        return (_replace_halves(value) if has_halves else value), end
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def skip_blanks(text: str, place: int) -> int:
    """Where the next character is that is no blank to JSON."""
    while place < len(text) and text[place] in _BLANKS:
        place += 1
    return place


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _read_float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:_SHOWN]} is out of range")
    return number


def _keep_last(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in members:
        found.pop(key, None)
        found[key] = value
    return found


def _replace_halves(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_replace_halves(item) for item in value]
    if isinstance(value, dict):
        return {_replace_halves(key): _replace_halves(item) for key, item in value.items()}
    return value


_DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_read_float, object_pairs_hook=_keep_last
)
