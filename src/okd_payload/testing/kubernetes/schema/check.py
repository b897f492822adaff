# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a value, in the words of the API server's structural validation.

Judged are types, required fields, enumerations, patterns, formats, bounds of numbers, texts,
lists and maps, and what ``allOf``, ``anyOf``, ``oneOf`` and ``not`` combine. Rules in CEL
(``x-kubernetes-validations``) are not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from okd_payload.testing.kubernetes.schema.formats import has_format
from okd_payload.testing.kubernetes.schema.node import (
    NOTHING,
    Bounds,
    ListType,
    Node,
    below,
    go_pattern,
)
from okd_payload.testing.kubernetes.statuses import (
    Cause,
    duplicate,
    go_value,
    invalid_value,
    required,
    unsupported,
)

_TYPES: Mapping[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
_SHOWN_TYPES = {"object": "object", "array": "array"}


def check_value(node: Node, value: Any, path: str, *, before: Any = NOTHING) -> Iterator[Cause]:
    """Everything that keeps ``value`` from standing at ``path``, where ``before`` may stand."""
    if value == before:
        return
    if value is None and (node.nullable or not node.type):
        return
    wrong = _wrong_type(node, value, path)
    if wrong is not None:
        yield wrong
        return
    if isinstance(value, dict):
        yield from _check_object(node, value, path, before)
    elif isinstance(value, list):
        yield from _check_list(node, value, path, before)
    if node.bounds is not None:
        yield from _check_bounds(node.bounds, value, path)
    yield from _check_combinations(node, value, path)


def _check_object(node: Node, value: dict[str, Any], path: str, before: Any) -> Iterator[Cause]:
    for name in node.required:
        if name not in value:
            yield required(_join(path, name))
    for name, each in value.items():
        child = node.properties.get(name, node.additional)
        if child is not None:
            where = _join(path, name) if name in node.properties else f"{path}.{name}"
            yield from check_value(child, each, where, before=below(before, name))


def _check_list(node: Node, value: list[Any], path: str, before: Any) -> Iterator[Cause]:
    if node.items is not None:
        for number, each in enumerate(value):
            was = below(before, number)
            yield from check_value(node.items, each, f"{path}[{number}]", before=was)
    if node.list_type is ListType.ATOMIC:
        return
    seen: set[bytes] = set()
    for number, each in enumerate(value):
        shown: Any = each
        if node.list_type is ListType.MAP:
            keys = node.list_keys
            shown = {key: each[key] for key in keys if isinstance(each, dict) and key in each}
        mark = msgspec.json.encode(shown, order="sorted")
        if mark in seen:
            yield duplicate(f"{path}[{number}]", shown)
        seen.add(mark)


def _check_bounds(bounds: Bounds, value: Any, path: str) -> Iterator[Cause]:
    if bounds.enum and value not in bounds.enum:
        yield unsupported(path, value, [_shown(each) for each in bounds.enum])
    if isinstance(value, str):
        yield from _check_text(bounds, value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _check_number(bounds, value, path)
    elif isinstance(value, list):
        yield from _check_size(
            len(value), bounds.least_items, bounds.most_items, path=path, what="items"
        )
        if bounds.unique_items and len({msgspec.json.encode(each) for each in value}) < len(value):
            yield invalid_value(path, value, f"{path} in body shouldn't contain duplicates")
    elif isinstance(value, dict):
        yield from _check_size(
            len(value),
            bounds.least_properties,
            bounds.most_properties,
            path=path,
            what="properties",
        )


def _check_text(bounds: Bounds, value: str, path: str) -> Iterator[Cause]:
    if bounds.most_length is not None and len(value) > bounds.most_length:
        yield Cause(
            reason="FieldValueTooLong",
            message=f"Too long: may not be more than {bounds.most_length} bytes",
            field=path,
        )
    if bounds.least_length is not None and len(value) < bounds.least_length:
        least = bounds.least_length
        yield invalid_value(path, value, f"{path} in body should be at least {least} chars long")
    if bounds.pattern and not go_pattern(bounds.pattern).search(value):
        yield invalid_value(path, value, f"{path} in body should match '{bounds.pattern}'")
    if bounds.format and not has_format(value, bounds.format):
        why = f'{path} in body must be of type {bounds.format}: "{value}"'
        yield _type_invalid(path, value, why)


def _check_number(bounds: Bounds, value: float, path: str) -> Iterator[Cause]:
    least, most = bounds.minimum, bounds.maximum
    if least is not None and (value <= least if bounds.exclusive_minimum else value < least):
        word = "greater than" if bounds.exclusive_minimum else "greater than or equal to"
        yield invalid_value(path, value, f"{path} in body should be {word} {_number(least)}")
    if most is not None and (value >= most if bounds.exclusive_maximum else value > most):
        word = "less than" if bounds.exclusive_maximum else "less than or equal to"
        yield invalid_value(path, value, f"{path} in body should be {word} {_number(most)}")
    if bounds.multiple_of and value % bounds.multiple_of:
        what = _number(bounds.multiple_of)
        yield invalid_value(path, value, f"{path} in body should be a multiple of {what}")


def _check_size(
    size: int, least: int | None, most: int | None, *, path: str, what: str
) -> Iterator[Cause]:
    if least is not None and size < least:
        yield invalid_value(path, size, f"{path} in body should have at least {least} {what}")
    if most is not None and size > most:
        yield Cause(
            reason="FieldValueTooMany",
            message=f"Too many: {size}: must have at most {most} items",
            field=path,
        )


def _check_combinations(node: Node, value: Any, path: str) -> Iterator[Cause]:
    for part in node.all_of:
        yield from check_value(part, value, path)
    if node.any_of and not any(_fits(part, value, path) for part in node.any_of):
        yield _combination(path, value, "must validate at least one schema (anyOf)")
    if node.one_of and sum(_fits(part, value, path) for part in node.one_of) != 1:
        yield _combination(path, value, "must validate one and only one schema (oneOf)")
    if node.none_of is not None and _fits(node.none_of, value, path):
        yield _combination(path, value, "must not validate the schema (not)")


def _fits(node: Node, value: Any, path: str) -> bool:
    return next(check_value(node, value, path), None) is None


def _combination(path: str, value: Any, why: str) -> Cause:
    where = path or "<nil>"
    return Cause(
        reason="FieldValueInvalid",
        message=f"Invalid value: {_shown_value(value)}: {f'{path} in body ' if path else ''}{why}",
        field=where,
    )


def _wrong_type(node: Node, value: Any, path: str) -> Cause | None:
    if node.int_or_string:
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            return None
        return _mismatch(path, value, "integer,string")
    if not node.type or _is(value, node.type):
        return None
    return _mismatch(path, value, node.type)


def _mismatch(path: str, value: Any, wanted: str) -> Cause:
    found = type_of(value)
    shown = go_value(value) if found not in _SHOWN_TYPES else f'"{found}"'
    if value is None:
        shown = '"null"'
    where = path or "<nil>"
    return _type_invalid(
        where, value, f'{where} in body must be of type {wanted}: "{found}"', shown=shown
    )


def _type_invalid(path: str, value: Any, why: str, *, shown: str = "") -> Cause:
    shown = shown or go_value(value)
    return Cause(
        reason="FieldValueTypeInvalid", message=f"Invalid value: {shown}: {why}", field=path
    )


def type_of(value: Any) -> str:
    """The type of a value, as schemas call it."""
    return _TYPES.get(type(value), "null")


def _is(value: Any, wanted: str) -> bool:
    found = type_of(value)
    if found == wanted:
        return True
    if wanted == "number":
        return found == "integer"
    return wanted == "integer" and found == "number" and float(value).is_integer()


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _shown_value(value: Any) -> str:
    kind = type_of(value)
    return f'"{kind}"' if kind in _SHOWN_TYPES else go_value(value)


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
