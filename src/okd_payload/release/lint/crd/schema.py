# SPDX-License-Identifier: Apache-2.0
"""Structural schemas: what the API server asks of ``openAPIV3Schema`` beyond being a schema.

Every value has a type, outside of the parts that only restrict (``allOf``, ``anyOf``, ``oneOf``,
``not``); those parts define nothing of their own. Only then can the API server drop what a
schema does not know, fill in defaults, and merge lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from okd_payload.release.lint import codes
from okd_payload.release.lint.crd.definition import Finding
from okd_payload.release.lint.crd.lists import check_extensions
from okd_payload.release.lint.crd.walk import children_of
from okd_payload.release.lint.fields import map_at, maps_at, text_at

Schema = Mapping[str, Any]

PRESERVE = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"
EMBEDDED = "x-kubernetes-embedded-resource"

_TYPES = frozenset({"array", "boolean", "integer", "number", "object", "string"})
_EXTENSIONS = frozenset(
    {
        EMBEDDED,
        INT_OR_STRING,
        PRESERVE,
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-map-type",
        "x-kubernetes-validations",
    }
)
_FORBIDDEN = frozenset(
    {"$ref", "additionalItems", "definitions", "dependencies", "id", "patternProperties"}
)
"""Words of JSON Schema that the API server knows and refuses."""
_RESTRICTIONS = frozenset(
    {
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "pattern",
        "required",
        "uniqueItems",
    }
)
_JUNCTORS = ("allOf", "anyOf", "oneOf")
_KNOWN = (
    _EXTENSIONS
    | _FORBIDDEN
    | _RESTRICTIONS
    | {*_JUNCTORS, "not"}
    | {
        "$schema",
        "additionalProperties",
        "default",
        "description",
        "example",
        "externalDocs",
        "items",
        "nullable",
        "properties",
        "title",
        "type",
    }
)
_ONLY_STRUCTURAL = _EXTENSIONS - {"x-kubernetes-validations"} | {
    "additionalProperties",
    "default",
    "description",
    "nullable",
    "title",
    "type",
}
"""What may not stand in a part that only restricts."""
_KINDS: Mapping[str, type] = {
    **dict.fromkeys((*_JUNCTORS, "enum", "required"), list),
    **dict.fromkeys(("description", "format", "pattern", "title", "type"), str),
    **dict.fromkeys((EMBEDDED, INT_OR_STRING, PRESERVE), bool),
    "not": dict,
    "nullable": bool,
    "properties": dict,
}
"""What the API server decodes the values of words as; it refuses others at once."""
_SAME_TYPES = ({"type": "integer"}, {"type": "string"})
"""The two types that a number or a name may be written as having."""


def check_schema(schema: Schema) -> Iterator[Finding]:
    """Everything that keeps the root ``schema`` from being structural."""
    if schema.get("type") != "object":
        yield _wrong("", "the root must have type: object")
    yield from _check_metadata(schema, "")
    yield from _check_node(schema, "")


def _check_node(schema: Schema, path: str) -> Iterator[Finding]:
    yield from _check_words(schema, path)
    yield from _check_type(schema, path)
    yield from _check_containers(schema, path)
    yield from check_extensions(schema, path)
    for junctor, part in _parts_of(schema):
        yield from _check_part(part, schema, f"{path}.{junctor}")
    if schema.get(EMBEDDED) is True:
        yield from _check_embedded(schema, path)
    for name, child in children_of(schema):
        yield from _check_node(child, f"{path}{name}")


def _check_words(schema: Schema, path: str) -> Iterator[Finding]:
    for word in schema:
        if word not in _KNOWN:
            yield (
                codes.UNKNOWN_SCHEMA_KEYWORD,
                f"has the unknown word {word} at {path or 'the root'}, which clusters drop",
            )
        elif word in _FORBIDDEN:
            yield _wrong(path, f"{word} is not allowed")
        elif schema[word] is not None and not isinstance(schema[word], _KINDS.get(word, object)):
            yield _wrong(path, f"{word} has a value of the wrong kind")
    if schema.get("uniqueItems") is True:
        yield _wrong(path, "uniqueItems must not be true: it takes too long to check")
    if schema.get(PRESERVE) is False:
        yield _wrong(path, f"{PRESERVE} must be true or absent")


def _check_type(schema: Schema, path: str) -> Iterator[Finding]:
    kind = text_at(schema, "type")
    if schema.get(INT_OR_STRING) is True:
        if kind:
            yield _wrong(path, f"type must be absent beside {INT_OR_STRING}")
    elif not kind:
        if schema.get(PRESERVE) is not True:
            yield _wrong(path, "type is missing")
    elif kind not in _TYPES:
        yield _wrong(path, f"the type {kind!r} is none")


def _check_containers(schema: Schema, path: str) -> Iterator[Finding]:
    kind = schema.get("type")
    properties, more = schema.get("properties"), schema.get("additionalProperties")
    if properties and (more is True or isinstance(more, dict)):
        yield _wrong(path, "properties and additionalProperties exclude each other")
    if more is False:
        yield _wrong(path, "additionalProperties must not be false")
    items = schema.get("items")
    if kind == "array" and items is None:
        yield _wrong(path, "items is missing")
    if isinstance(items, list):
        yield _wrong(path, "items must be one schema, not a list of them")


def _check_part(part: Schema, whole: Schema, path: str) -> Iterator[Finding]:
    """A part that only restricts what ``whole`` defines."""
    for word in sorted(_ONLY_STRUCTURAL.intersection(part)):
        if word == "type" and whole.get(INT_OR_STRING) is True and part in _SAME_TYPES:
            continue
        yield _wrong(path, f"{word} is not allowed in a part that only restricts")
    yield from _check_words(part, path)
    for name, child in children_of(part):
        defined = _child_at(whole, name)
        if defined is None:
            yield _wrong(f"{path}{name}", "it restricts what the schema does not define")
        else:
            yield from _check_part(child, defined, f"{path}{name}")
    for junctor, deeper in _parts_of(part):
        yield from _check_part(deeper, whole, f"{path}.{junctor}")


def _check_embedded(schema: Schema, path: str) -> Iterator[Finding]:
    if schema.get("type") != "object":
        yield _wrong(path, f"type must be object beside {EMBEDDED}")
    if not schema.get("properties") and schema.get(PRESERVE) is not True:
        yield _wrong(path, f"properties or {PRESERVE} must stand beside {EMBEDDED}")
    yield from _check_metadata(schema, path)


def _check_metadata(schema: Schema, path: str) -> Iterator[Finding]:
    """The API server defines the metadata of an object; a schema may only restrict its name."""
    metadata = map_at(schema, "properties", "metadata")
    if not metadata:
        return
    if metadata.get("type") != "object":
        yield _wrong(f"{path}.metadata", "type must be object")
    others = set(map_at(metadata, "properties")) - {"name", "generateName"}
    if others:
        told = ", ".join(sorted(others))
        yield _wrong(
            f"{path}.metadata", f"only name and generateName may be restricted, not {told}"
        )


def _child_at(schema: Schema, name: str) -> Schema | None:
    """What ``schema`` defines at ``name``, one of the names of ``children_of``."""
    if name == "[]":
        child = schema.get("items")
    else:
        others = schema.get("additionalProperties")
        child = map_at(schema, "properties").get(name.removeprefix("."), others)
    if isinstance(child, dict):
        return child
    return {} if schema.get(PRESERVE) is True else None


def _parts_of(schema: Schema) -> Iterator[tuple[str, Schema]]:
    for junctor in _JUNCTORS:
        if junctor in schema:
            for number, part in enumerate(maps_at(schema, junctor)):
                yield f"{junctor}[{number}]", part
    opposite = schema.get("not")
    if isinstance(opposite, dict):
        yield "not", opposite


def _wrong(path: str, message: str) -> Finding:
    return (
        codes.INVALID_CRD_SCHEMA,
        f"has a schema that is not structural at {path or 'the root'}: {message}",
    )
