# SPDX-License-Identifier: Apache-2.0
"""The dialect of JSONPath that columns and scales of custom resources are written in.

It is that of kubectl: fields with dots, ``[]`` with numbers, slices, quoted names, filters and
unions, ``..`` and ``*``. Only the form is told here; whether there is such a field is not asked.
"""

from __future__ import annotations

import re

_FIELD = re.compile(r"(?:\\.|[^\s.\[\]{}()'\"|,\\])+")
_SLICE = re.compile(r"\s*-?\d*(?:\s*:\s*-?\d*){0,2}\s*")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_OPERATORS = ("==", "!=", "<=", ">=", "<", ">")


def find_problem(path: str) -> str:
    """What is wrong with ``path``; empty when nothing is."""
    if not path:
        return "it is empty"
    if not path.startswith("."):
        return "it does not begin with a dot"
    return _check(path, allow_root=False)


def _check(path: str, *, allow_root: bool) -> str:
    place = 0
    if allow_root and path.startswith(("@", "$")):
        place = 1
    while place < len(path):
        if path[place] == "[":
            end = _find_end(path, place)
            if end < 0:
                return "a bracket is not closed"
            problem = _check_brackets(path[place + 1 : end])
            if problem:
                return problem
            place = end + 1
        elif path[place] == ".":
            place += 2 if path.startswith("..", place) else 1
            field = _FIELD.match(path, place)
            place = field.end() if field else place
            if not field and not path.startswith("[", place) and len(path) > 1:
                return "a dot has no field behind it"
        else:
            return f"{path[place]!r} stands where a dot or a bracket belongs"
    return ""


def _find_end(path: str, start: int) -> int:
    """Where the bracket at ``start`` is closed, -1 when it is not."""
    depth, place = 0, start
    while place < len(path):
        quoted = _QUOTED.match(path, place)
        if quoted:
            place = quoted.end()
            continue
        depth += {"[": 1, "]": -1}.get(path[place], 0)
        if depth == 0:
            return place
        place += 1
    return -1


def _check_brackets(text: str) -> str:
    text = text.strip()
    if text.startswith("?("):
        return _check_filter(text)
    parts = [part.strip() for part in text.split(",")] if not _QUOTED.search(text) else [text]
    for part in parts:
        if part == "*" or _QUOTED.fullmatch(part) or (part and _SLICE.fullmatch(part)):
            continue
        if len(parts) == 1 and all(
            _QUOTED.fullmatch(piece.strip()) for piece in re.split(r",(?=\s*['\"])", part)
        ):
            continue
        return f"[{text}] is no index, name or filter"
    return ""


def _check_filter(text: str) -> str:
    if not text.endswith(")"):
        return "a filter is not closed"
    inner = text[2:-1]
    for operator in _OPERATORS:
        left, found, right = inner.partition(operator)
        if found:
            return _check_operand(left) or _check_operand(right)
    return _check_operand(inner)


def _check_operand(text: str) -> str:
    text = text.strip()
    if not text:
        return "a filter lacks something to compare"
    if text.startswith(("@", "$", ".")):
        return _check(text, allow_root=True)
    if _QUOTED.fullmatch(text) or re.fullmatch(r"-?\d+(?:\.\d+)?|true|false", text):
        return ""
    return f"a filter compares {text!r}, which is no text, number or path"
