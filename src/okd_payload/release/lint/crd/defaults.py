# SPDX-License-Identifier: Apache-2.0
"""Whether default values are values that the schema itself would take.

Only rules that leave no doubt are applied: types, enumerations, bounds, what is required, and
fields that the schema does not know. Patterns are of another dialect, and expressions in CEL
need the whole object, so neither is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from okd_payload.release.lint import codes
from okd_payload.release.lint.crd.definition import Finding
from okd_payload.release.lint.crd.walk import children_of
from okd_payload.release.lint.fields import list_at, map_at

Schema = Mapping[str, Any]

_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_LENGTHS = (
    ("minItems", list, False),
    ("maxItems", list, True),
    ("minLength", str, False),
    ("maxLength", str, True),
    ("minProperties", dict, False),
    ("maxProperties", dict, True),
)


def check_defaults(schema: Schema, path: str = "") -> Iterator[Finding]:
    """Every default in ``schema`` that is not valid by the schema that has it."""
    if "default" in schema:
        for problem in _judge(schema["default"], schema, ""):
            yield (
                codes.INVALID_CRD_DEFAULT,
                f"has a default at {path or 'the root'} that its schema refuses: {problem}",
            )
    for name, child in children_of(schema):
        yield from check_defaults(child, f"{path}{name}")


def _judge(value: Any, schema: Schema, path: str) -> Iterator[str]:
    where = path or "the value"
    if value is None:
        if schema.get("nullable") is not True:
            yield f"{where} is null, and not nullable"
        return
    if schema.get("x-kubernetes-int-or-string") is True:
        if isinstance(value, bool) or not isinstance(value, int | str):
            yield f"{where} is neither an integer nor text"
        return
    kind = schema.get("type")
    if kind and not _is_of_type(value, str(kind)):
        yield f"{where} is not of type {kind}"
        return
    enum = schema.get("enum")
    if isinstance(enum, list) and value not in enum:
        yield f"{where} is {value!r}, which is not in its enum"
    yield from _judge_bounds(value, schema, where)
    if isinstance(value, dict):
        yield from _judge_object(value, schema, path)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for number, item in enumerate(value):
            yield from _judge(item, schema["items"], f"{path}[{number}]")


def _judge_object(value: Mapping[str, Any], schema: Schema, path: str) -> Iterator[str]:
    properties = map_at(schema, "properties")
    more = schema.get("additionalProperties")
    for name in map(str, list_at(schema, "required")):
        child = properties.get(name)
        if name not in value and not (isinstance(child, dict) and "default" in child):
            yield f"{path}.{name} is required"
    for name, item in value.items():
        child = properties.get(name, more)
        if isinstance(child, dict):
            yield from _judge(item, child, f"{path}.{name}")
        elif child is not True and schema.get(_PRESERVE) is not True:
            yield f"{path}.{name} is a field that the schema does not know"


def _judge_bounds(value: Any, schema: Schema, where: str) -> Iterator[str]:
    for word, kind, is_most in _LENGTHS:
        bound = schema.get(word)
        if not isinstance(value, kind) or not isinstance(bound, int):
            continue
        if len(value) > bound if is_most else len(value) < bound:
            yield f"{where} has length {len(value)}, and {word} is {bound}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    low, high = schema.get("minimum"), schema.get("maximum")
    if isinstance(low, int | float) and (
        value < low or (value == low and schema.get("exclusiveMinimum") is True)
    ):
        yield f"{where} is {value}, and minimum is {low}"
    if isinstance(high, int | float) and (
        value > high or (value == high and schema.get("exclusiveMaximum") is True)
    ):
        yield f"{where} is {value}, and maximum is {high}"


def _is_of_type(value: Any, kind: str) -> bool:
    if kind in {"integer", "number"}:
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        number = isinstance(value, int | float)
        return not isinstance(value, bool) and (whole if kind == "integer" else number)
    wanted = {"string": str, "boolean": bool, "array": list, "object": dict}.get(kind)
    return wanted is None or isinstance(value, wanted)
