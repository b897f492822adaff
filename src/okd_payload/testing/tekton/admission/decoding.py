# SPDX-License-Identifier: Apache-2.0
"""Reads documents into the structs of the models as the API and the webhook do together.

Unknown fields have two fates. Where the schema of the custom resource describes an object, the API
drops them in silence. Below a field that the schema does not describe (marked ``Raw`` in the
models: embedded specifications, volumes, values) they reach the webhook, which refuses them.
Wrong JSON types are refused everywhere, with the words of Go's decoder; there, names of fields
fit in any case. Fields are visited in alphabetical order, as the API hands them on, so that the
first error is the one that the webhook tells.

What is empty and need not be written is left out, as Go does with ``omitempty``.
"""

from __future__ import annotations

import functools
import types
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from okd_payload.testing.tekton.admission.core_model import Entity, Raw
from okd_payload.testing.tekton.admission.refusals import Undecodable
from okd_payload.testing.tekton.admission.values import (
    canonical_quantity,
    duration_text,
    nanoseconds,
)

EntityType = TypeVar("EntityType", bound=Entity)

_JSON_TYPES = {dict: "object", list: "array", str: "string", bool: "bool", int: "number"}
_GO_NAMES = {"Reference": "Ref", "PodTemplate": "Template"}
_ABSENT: tuple[object, ...] = (None, "", (), {}, 0, False)


class Unwritable(Exception):
    """The object was read, and Go cannot write it again."""


class _Type(msgspec.Struct, frozen=True):
    """The type of a field, resolved once."""

    form: str
    """``struct``, ``list``, ``map``, ``text``, ``number``, ``flag``, ``value``, ..."""
    element: _Type | None = None
    entity: type[Entity] | None = None
    pointer: bool = False
    """Whether Go tells absent from empty."""
    raw: bool = False


class _Field(msgspec.Struct, frozen=True):
    name: str
    attribute: str
    type: _Type
    always: bool
    """Whether it is written even when empty."""


class _Place(msgspec.Struct, frozen=True):
    """Where the decoder is, for messages."""

    struct: str
    path: str
    strict: bool


def decode(document: Any, entity: type[EntityType], *, root: str = "spec") -> EntityType:
    """The document as ``entity``. Raises Undecodable and Unwritable.

    ``root`` is the field that the document came from.
    """
    place = _Place(_go_name(entity), root, strict=False)
    value = _read(_Type("struct", entity=entity), {} if document is None else document, place)
    assert isinstance(value, entity)
    return value


def encode(entity: Entity) -> dict[str, Any]:
    """The entity as a document, as the webhook writes it."""
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(entity))
    return document


def _read(type_: _Type, value: Any, place: _Place) -> Any:
    if type_.raw:
        place = msgspec.structs.replace(place, strict=True)
    match type_.form:
        case "struct":
            return _read_struct(type_, _expect(value, dict, type_, place), place)
        case "list":
            element = _element_of(type_)
            return tuple(_read(element, it, place) for it in _expect(value, list, type_, place))
        case "map":
            element, mapping = _element_of(type_), _expect(value, dict, type_, place)
            return {key: _read(element, mapping[key], place) for key in sorted(mapping)}
        case _:
            return _read_scalar(type_, value, place)


def _read_scalar(type_: _Type, value: Any, place: _Place) -> Any:
    match type_.form:
        case "value":
            return _read_value(value)
        case "duration":
            return duration_text(nanoseconds(_expect(value, str, type_, place)))
        case "quantity":
            return canonical_quantity(_number_text(value))
        case "unread":
            return value
        case form:
            expected = {"number": int, "flag": bool}.get(form, str)
            return _expect(value, expected, type_, place)


def _read_struct(type_: _Type, document: dict[str, Any], place: _Place) -> Entity:
    assert type_.entity is not None
    fields = _fields(type_.entity)
    values: dict[str, Any] = {}
    for name in sorted(document):
        field = fields.get(name)
        if field is None and place.strict:
            field = next((it for key, it in fields.items() if key.lower() == name.lower()), None)
            if field is None:
                raise Undecodable(f'json: unknown field "{name}"')
        if field is None or (document[name] is None and field.type.form != "value"):
            continue
        if document[name] is None and field.type.pointer:
            continue
        inside = _Place(_go_name(type_.entity), f"{place.path}.{field.name}", place.strict)
        value = _read(field.type, document[name], inside)
        if field.always or field.type.pointer or value not in _ABSENT:
            values[field.attribute] = value
    for field in fields.values():
        if field.always and field.attribute not in values:
            values[field.attribute] = _empty(field.type)
    return type_.entity(**values)


def _read_value(value: Any) -> str | tuple[str, ...] | dict[str, str]:
    """The value of a parameter: anything that is no text, texts or texts by key becomes text."""
    if value is None:
        raise Unwritable(
            "json: error calling MarshalJSON for type v1.ParamValue: impossible "
            'ParamValues.Type: ""'
        )
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(it, str) for it in value):
        return tuple(value)
    if isinstance(value, dict) and all(isinstance(it, str) for it in value.values()):
        return dict(value)
    return msgspec.json.encode(value, order="sorted").decode()


def _empty(type_: _Type) -> Any:
    match type_.form:
        case "struct":
            return _read_struct(type_, {}, _Place("", "", strict=False))
        case "list":
            return ()
        case "value":
            return _read_value(None)
        case "number":
            return 0
        case "unread":
            return None
        case _:
            return ""


def _expect(value: Any, expected: type, type_: _Type, place: _Place) -> Any:
    if expected is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if expected is not int and isinstance(value, expected):
        return value
    found = _JSON_TYPES.get(type(value), "number")
    if isinstance(value, float) and expected is int:
        found = f"number {value}"
    field = f"{place.struct}.{place.path}"
    raise Undecodable(
        f"json: cannot unmarshal {found} into Go struct field {field} of type {_go_type(type_)}"
    )


def _number_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _go_type(type_: _Type) -> str:
    match type_.form:
        case "struct":
            assert type_.entity is not None
            return f"v1.{_go_name(type_.entity)}"
        case "list":
            return f"[]{_go_type(_element_of(type_))}"
        case "map":
            return f"map[string]{_go_type(_element_of(type_))}"
        case form:
            return {"number": "int", "flag": "bool"}.get(form, "string")


def _element_of(type_: _Type) -> _Type:
    assert type_.element is not None  # lists and maps have one
    return type_.element


def _go_name(entity: type[Entity]) -> str:
    return _GO_NAMES.get(entity.__name__, entity.__name__)


@functools.cache
def _fields(entity: type[Entity]) -> dict[str, _Field]:
    """The fields of a struct by their names in documents."""
    hints = get_type_hints(entity, include_extras=True)
    return {
        field.encode_name: _Field(
            field.encode_name, field.name, _resolve(hints[field.name]), field.required
        )
        for field in msgspec.structs.fields(entity)
    }


def _resolve(hint: Any, *, raw: bool = False, pointer: bool = False) -> _Type:
    metadata: tuple[Any, ...] = getattr(hint, "__metadata__", ())
    if Raw in metadata:
        raw = True
    for form in ("value", "duration", "quantity", "unread"):
        if form in metadata:
            return _Type(form, raw=raw, pointer=pointer)
    if metadata:
        hint = hint.__origin__
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        inner = next(it for it in arguments if it is not type(None))
        return _resolve(inner, raw=raw, pointer=True)
    if origin is tuple:
        return _Type("list", element=_resolve(arguments[0]), raw=raw, pointer=pointer)
    if origin is dict:
        return _Type("map", element=_resolve(arguments[1]), raw=raw, pointer=pointer)
    if isinstance(hint, type) and issubclass(hint, Entity):
        return _Type("struct", entity=hint, raw=raw, pointer=pointer)
    form = {int: "number", bool: "flag"}.get(hint, "text")
    return _Type(form, raw=raw, pointer=pointer)
