# SPDX-License-Identifier: Apache-2.0
"""The functions that every template has. A FunctionError says what Go says after their name.

Those of ``text/template`` (https://pkg.go.dev/text/template#hdr-Functions): a cluster fills in the
templates of its operator with them, and repeats what they say where one fails. ``call`` always
fails, because no value that manifests are filled in with is a function.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote_plus

import msgspec

from okd_payload.documents.go_quote import quote
from okd_payload.release.go_template.values import ABSENT, Value, is_true, show, type_of

_VERB = re.compile(
    r"%(?P<flags>[-+# 0]*)(?P<width>\d{0,3})(?:\.(?P<precision>\d{0,3}))?(?P<verb>.)?"
)
_HTML = str.maketrans(
    {"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
)
_SCRIPT = str.maketrans(
    {
        **{chr(code): f"\\u{code:04X}" for code in (*range(32), *map(ord, "<>&="))},
        **{mark: f"\\{mark}" for mark in "\\'\""},
    }
)


class FunctionError(Exception):
    """What a function says instead of giving a value."""


class Function(msgspec.Struct, frozen=True):
    """A function, and how many arguments it takes (any number from the least on, for None)."""

    call: Callable[..., Value]
    least: int
    most: int | None = None


def _index(item: Value, *keys: Value) -> Value:
    for key in keys:
        if isinstance(item, Mapping):
            item = item.get(_require_text(key), "")
        elif isinstance(item, str):
            raw = item.encode(errors="surrogateescape")
            place = _require_place(key, len(raw) - 1)
            item = raw[place]
        elif item is ABSENT:
            raise FunctionError("index of untyped nil")
        else:
            raise FunctionError(f"can't index item of type {type_of(item)}")
    return item


def _slice(item: Value, *bounds: Value) -> Value:
    if item is ABSENT:
        raise FunctionError("slice of untyped nil")
    if not isinstance(item, str):
        raise FunctionError(f"can't slice item of type {type_of(item)}")
    if len(bounds) > 2:
        raise FunctionError("cannot 3-index slice a string")
    raw = item.encode(errors="surrogateescape")
    begin, end = (
        ([_require_place(bound, len(raw)) for bound in bounds] + [0, len(raw)])[:2]
        if (len(bounds) != 1)
        else (_require_place(bounds[0], len(raw)), len(raw))
    )
    if begin > end:
        raise FunctionError(f"invalid slice index: {begin} > {end}")
    return raw[begin:end].decode(errors="surrogateescape")


def _length(item: Value) -> Value:
    if isinstance(item, str):
        return len(item.encode(errors="surrogateescape"))
    if isinstance(item, Mapping):
        return len(item)
    raise FunctionError(f"len of type {type_of(item)}")


def _equal(first: Value, *others: Value) -> Value:
    if not others:
        raise FunctionError("missing argument for comparison")
    for other in others:
        if isinstance(first, Mapping) or not isinstance(first, str | bool | int | float):
            if first is ABSENT or other is ABSENT:
                if first is other:
                    return True
                continue
            raise FunctionError(f"non-comparable type {show(first)}: {type_of(first)}")
        if other is ABSENT:
            continue
        if type_of(first) != type_of(other):
            raise FunctionError("incompatible types for comparison")
        if first == other:
            return True
    return False


def _less(first: Value, second: Value) -> bool:
    if any(
        isinstance(item, bool) or not isinstance(item, str | int | float)
        for item in (first, second)
    ):
        raise FunctionError("invalid type for comparison")
    if type_of(first) != type_of(second):
        raise FunctionError("incompatible types for comparison")
    left: Any = first
    return bool(left < second)


def _require_text(key: Value) -> str:
    if key is ABSENT:
        raise FunctionError("value is nil; should be of type string")
    if not isinstance(key, str):
        raise FunctionError(f"value has type {type_of(key)}; should be string")
    return key


def _require_place(key: Value, most: int) -> int:
    if key is ABSENT:
        raise FunctionError("cannot index slice/array with nil")
    if isinstance(key, bool) or not isinstance(key, int):
        raise FunctionError(f"cannot index slice/array with type {type_of(key)}")
    if not 0 <= key <= most:
        raise FunctionError(f"index out of range: {key}")
    return key


def _print(*items: Value) -> str:
    text = ""
    for number, item in enumerate(items):
        apart = number and not isinstance(item, str) and not isinstance(items[number - 1], str)
        text += (" " if apart else "") + show(item)
    return text


def _print_line(*items: Value) -> str:
    return " ".join(map(show, items)) + "\n"


def _format(layout: Value, *items: Value) -> str:
    if not isinstance(layout, str):
        raise FunctionError(f"wrong type for value; expected string; got {type_of(layout)}")
    left = list(items)

    def replace(found: re.Match[str]) -> str:
        verb = found["verb"]
        if verb is None:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        if not left:
            return f"%!{verb}(MISSING)"
        text = _format_one(verb, left.pop(0), found["precision"])
        width = int(found["width"] or 0)
        if "0" in found["flags"] and verb == "d":
            return text.zfill(width)
        return text.ljust(width) if "-" in found["flags"] else text.rjust(width)

    text = _VERB.sub(replace, layout)
    if not left:
        return text
    return f"{text}%!(EXTRA {', '.join(f'{type_of(item)}={show(item)}' for item in left)})"


def _format_one(verb: str, item: Value, precision: str | None) -> str:
    whole = isinstance(item, int) and not isinstance(item, bool)
    if verb == "v" or (verb == "t" and isinstance(item, bool)) or (verb == "d" and whole):
        return show(item)
    if isinstance(item, str) and verb in "sqx":
        text = item if precision is None else item[: int(precision or 0)]
        return {"s": text, "q": quote(text), "x": text.encode().hex()}[verb]
    if isinstance(item, float) and verb == "f":
        return f"{item:.{int(precision or 6)}f}"
    if isinstance(item, Mapping) and verb == "s":
        return show(item)
    if whole and verb in "xXob":
        return format(item, verb)
    return f"%!{verb}({type_of(item)}={show(item)})" if item is not ABSENT else f"%!{verb}(<nil>)"


def _call(item: Value, *arguments: Value) -> Value:
    del arguments
    raise FunctionError(f"non-function {show(item)} of type {type_of(item)}")


FUNCTIONS: Final[Mapping[str, Function]] = {
    "and": Function(lambda *items: _first(items, truth=False), 1),
    "or": Function(lambda *items: _first(items, truth=True), 1),
    "not": Function(lambda item: not is_true(item), 1, 1),
    "index": Function(_index, 1),
    "slice": Function(_slice, 1),
    "len": Function(_length, 1, 1),
    "eq": Function(_equal, 1),
    "ne": Function(lambda first, second: not _equal(first, second), 2, 2),
    "lt": Function(_less, 2, 2),
    "le": Function(lambda first, second: _less(first, second) or bool(_equal(first, second)), 2, 2),
    "gt": Function(lambda first, second: _less(second, first), 2, 2),
    "ge": Function(lambda first, second: not _less(first, second), 2, 2),
    "print": Function(_print, 0),
    "printf": Function(_format, 1),
    "println": Function(_print_line, 0),
    "html": Function(lambda *items: _print(*items).translate(_HTML), 0),
    "js": Function(lambda *items: _print(*items).translate(_SCRIPT), 0),
    "urlquery": Function(lambda *items: quote_plus(_print(*items), errors="replace"), 0),
    "call": Function(_call, 1),
}


def _first(items: tuple[Value, ...], *, truth: bool) -> Value:
    """The first item that decides an ``and`` or an ``or``, else the last."""
    return next((item for item in items if is_true(item) is truth), items[-1])
