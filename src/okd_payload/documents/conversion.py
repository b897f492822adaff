# SPDX-License-Identifier: Apache-2.0
"""Plain values as typed ones; an error says where, what, and what would have been right.

msgspec checks; this module finds what its messages leave out: the line, the key of a mapping,
the names that would have been known, and the description that the type gives of the field.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from okd_payload.documents.reading import Document, FieldPath, invalid_field
from okd_payload.errors import nearest_names

T = TypeVar("T")

_PLACE = re.compile(r" - at `(?P<key>key` in `)?\$(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.+)`")
_ANY_KEY = "..."
"""What msgspec writes in a path for the key of a mapping, whichever it is."""


class _Fault(msgspec.Struct, frozen=True):
    """What msgspec found, and where; ``of_key`` when the last step itself is wrong."""

    text: str
    field: FieldPath
    of_key: bool = False


def convert(document: Document, kind: type[T]) -> T:
    """``document`` as a ``kind``. Raises InvalidDocument that names line and field.

    The hint is the description that the type gives of the field, or the nearest field that
    exists.
    """
    try:
        return msgspec.convert(document.value, kind)
    except msgspec.ValidationError as error:
        fault = _locate(document.value, kind, error)
        text, field = fault.text, fault.field
        unknown = _UNKNOWN_FIELD.match(text)
        if unknown:
            text, field = "no such field", (*field, unknown[1])
        elif "matching regex" in text:
            wrong = field[-1] if fault.of_key else _value_at(document.value, field)
            text = f"{wrong!r} is not accepted here"
        raise invalid_field(document, field, text, hint=_advise(fault, kind)) from error


def unknown_fields(document: Document, kind: type) -> list[FieldPath]:
    """The fields of ``document`` that ``kind`` does not have, for kinds that tolerate them."""
    return list(_unknown_below(document.value, _type_info(kind), ()))


@functools.cache
def _type_info(kind: type) -> inspect.Type:
    return inspect.type_info(kind)


def _locate(value: Any, kind: type, error: msgspec.ValidationError) -> _Fault:
    """What ``error`` says, the keys that msgspec leaves out of the path found again."""
    fault = _read_fault(error)
    while _ANY_KEY in fault.field:
        fault = _find_key(value, kind, fault.field[: fault.field.index(_ANY_KEY)])
    return fault


def _read_fault(error: msgspec.ValidationError) -> _Fault:
    text = str(error)
    place = _PLACE.search(text)
    if place is None:
        return _Fault(text, ())
    steps = _STEP.findall(place["path"])
    field = tuple(name or (int(key) if key.isdigit() else key) for name, key in steps)
    if place["key"]:
        field = (*field, _ANY_KEY)
    return _Fault(text[: place.start()], field, of_key=bool(place["key"]))


def _find_key(value: Any, kind: type, above: FieldPath) -> _Fault:
    """The fault again, of the first key of the mapping at ``above`` that causes one alone."""
    mapping = _value_at(value, above)
    for key in mapping:
        try:
            msgspec.convert(_with_value(value, above, {key: mapping[key]}), kind)
        except msgspec.ValidationError as error:
            fault = _read_fault(error)
            if all(step in (_ANY_KEY, own) for own, step in zip(above, fault.field, strict=False)):
                field = (*above, str(key), *fault.field[len(above) + 1 :])
                return msgspec.structs.replace(fault, field=field)
    return _Fault("not valid", above)


def _value_at(value: Any, field: FieldPath) -> Any:
    for step in field:
        value = value[step]
    return value


def _with_value(value: Any, field: FieldPath, replacement: Any) -> Any:
    """A copy of ``value`` that has ``replacement`` at ``field``."""
    if not field:
        return replacement
    copy = value.copy()
    copy[field[0]] = _with_value(value[field[0]], field[1:], replacement)
    return copy


def _advise(fault: _Fault, kind: type) -> str:
    """What to do about ``fault``."""
    if fault.text.startswith("Expected `str") and fault.text.endswith(("int`", "float`", "bool`")):
        return "put it in quotes, so that it stays the text it looks like"
    found = _types_at(_type_info(kind), fault.field[:-1] if fault.of_key else fault.field)
    if fault.of_key:
        found = [
            key
            for each in found
            if isinstance(each, inspect.DictType)
            for key in _types_at(each.key_type, ())
        ]
    unknown = _UNKNOWN_FIELD.match(fault.text)
    if unknown:
        known = [item.encode_name for each in found for item in _fields_of(each)]
        near = nearest_names(unknown[1], known)
        return f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
    return next((text for each in found if (text := _describe(each))), "")


def _describe(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.EnumType):
        return "one of: " + ", ".join(str(member.value) for member in kind.cls)
    if isinstance(kind, inspect.Metadata) and kind.extra_json_schema:
        return str(kind.extra_json_schema.get("description", ""))
    return ""


def _fields_of(kind: inspect.Type) -> tuple[inspect.Field, ...]:
    return kind.fields if isinstance(kind, inspect.StructType) else ()


def _types_at(kind: inspect.Type, field: FieldPath) -> list[inspect.Type]:
    """Every type that may stand at ``field`` below ``kind``, the described ones first."""
    here = [] if field else [kind]
    if isinstance(kind, inspect.Metadata):
        return here + _types_at(kind.type, field)
    if isinstance(kind, inspect.UnionType):
        return here + [found for option in kind.types for found in _types_at(option, field)]
    below = _type_below(kind, field[0]) if field else None
    return _types_at(below, field[1:]) if below is not None else here


def _type_below(kind: inspect.Type, step: str | int) -> inspect.Type | None:
    for item in _fields_of(kind):
        if item.encode_name == step:
            return item.type
    if isinstance(kind, inspect.DictType):
        return kind.value_type
    if isinstance(step, int) and isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return kind.item_type
    return None


def _unknown_below(value: Any, kind: inspect.Type, field: FieldPath) -> Iterator[FieldPath]:
    if not isinstance(value, dict | list):
        return
    kinds = _types_at(kind, ())
    closed = any(isinstance(each, inspect.StructType) for each in kinds)
    for step, item in value.items() if isinstance(value, dict) else enumerate(value):
        below = next((found for each in kinds if (found := _type_below(each, step))), None)
        if below is not None:
            yield from _unknown_below(item, below, (*field, step))
        elif closed:
            yield (*field, step)
