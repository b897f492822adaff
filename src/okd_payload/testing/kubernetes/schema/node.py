# SPDX-License-Identifier: Apache-2.0
"""One place in a schema, compiled: what may stand there, and what stands below it."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from okd_payload.testing.kubernetes.documents import JsonObject

PRESERVE = "x-kubernetes-preserve-unknown-fields"


class ListType(enum.Enum):
    """How the items of a list belong together when several write it."""

    ATOMIC = "atomic"
    SET = "set"
    MAP = "map"


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What restricts a value beyond its type."""

    enum: tuple[Any, ...] = ()
    pattern: str = ""
    format: str = ""
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    multiple_of: float | None = None
    least_length: int | None = None
    most_length: int | None = None
    least_items: int | None = None
    most_items: int | None = None
    unique_items: bool = False
    least_properties: int | None = None
    most_properties: int | None = None


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """What may stand at one place."""

    type: str = ""
    """Empty where anything may stand, or where ``int_or_string`` says which two."""
    nullable: bool = False
    int_or_string: bool = False
    preserve: bool = False
    """Whether fields that are not named here are kept."""
    embedded: bool = False
    """Whether a whole object stands here, with a kind and metadata of its own."""
    properties: Mapping[str, Node] = {}
    additional: Node | None = None
    """What stands at every key of a map."""
    items: Node | None = None
    required: tuple[str, ...] = ()
    default: Any = msgspec.UNSET
    bounds: Bounds | None = None
    list_type: ListType = ListType.ATOMIC
    list_keys: tuple[str, ...] = ()
    atomic: bool = False
    """Whether an object here is written as a whole."""
    all_of: tuple[Node, ...] = ()
    any_of: tuple[Node, ...] = ()
    one_of: tuple[Node, ...] = ()
    none_of: Node | None = None
    rules: int = 0
    """How many ``x-kubernetes-validations`` stand here; they are not judged."""

    @property
    def has_defaults(self) -> bool:
        """Whether this node has a default of its own."""
        return self.default is not msgspec.UNSET


ANYTHING = Node(preserve=True)
"""A place of which nothing is known."""


NOTHING: Any = object()
"""Equal to no value."""


def below(value: Any, step: str | int) -> Any:
    """What stands below ``value``; ``NOTHING`` where nothing does."""
    if isinstance(value, dict):
        return value.get(step, NOTHING)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return NOTHING


def compile_schema(schema: JsonObject) -> Node:
    """The node for a schema of a custom resource, which has no references."""
    return Node(
        type=schema.get("type", ""),
        nullable=schema.get("nullable") is True,
        int_or_string=schema.get("x-kubernetes-int-or-string") is True,
        preserve=schema.get(PRESERVE) is True or schema.get("additionalProperties") is True,
        embedded=schema.get("x-kubernetes-embedded-resource") is True,
        properties={
            name: compile_schema(each) for name, each in (schema.get("properties") or {}).items()
        },
        additional=_one(schema.get("additionalProperties")),
        items=_one(schema.get("items")),
        required=tuple(schema.get("required") or ()),
        default=schema.get("default", msgspec.UNSET),
        bounds=compile_bounds(schema),
        list_type=ListType(schema.get("x-kubernetes-list-type", "atomic")),
        list_keys=tuple(schema.get("x-kubernetes-list-map-keys") or ()),
        atomic=schema.get("x-kubernetes-map-type") == "atomic",
        all_of=_several(schema.get("allOf")),
        any_of=_several(schema.get("anyOf")),
        one_of=_several(schema.get("oneOf")),
        none_of=_one(schema.get("not")),
        rules=len(schema.get("x-kubernetes-validations") or ()),
    )


_BOUND_NAMES = {
    "pattern": "pattern",
    "format": "format",
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
    "multipleOf": "multiple_of",
    "minLength": "least_length",
    "maxLength": "most_length",
    "minItems": "least_items",
    "maxItems": "most_items",
    "uniqueItems": "unique_items",
    "minProperties": "least_properties",
    "maxProperties": "most_properties",
}


def compile_bounds(schema: JsonObject) -> Bounds | None:
    """What restricts a value, if anything does."""
    found = {ours: schema[theirs] for theirs, ours in _BOUND_NAMES.items() if theirs in schema}
    if "enum" in schema:
        found["enum"] = tuple(schema["enum"])
    return Bounds(**found) if found else None


def go_pattern(pattern: str) -> re.Pattern[str]:
    """A regular expression of a schema, which is Go's, as one of Python's."""
    return re.compile(pattern.replace("\\z", "\\Z"))


def _one(schema: Any) -> Node | None:
    return compile_schema(schema) if isinstance(schema, dict) else None


def _several(schemas: Any) -> tuple[Node, ...]:
    return tuple(compile_schema(each) for each in schemas or ())
