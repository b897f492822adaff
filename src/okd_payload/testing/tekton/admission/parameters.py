# SPDX-License-Identifier: Apache-2.0
"""Rules for parameters: how they are declared, given, and used by steps.

A Task may use what it declares and nothing else. A specification inside a run may also use what
the run gives, which is why runs are checked with the declarations and the given values together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

import msgspec

from okd_payload.testing.tekton.admission.defaults import type_of
from okd_payload.testing.tekton.admission.model import Param, ParamSpec, PropertySpec, Step
from okd_payload.testing.tekton.admission.refusals import (
    FieldError,
    both,
    invalid_value,
    missing,
    needs_flag,
    within,
)
from okd_payload.testing.tekton.admission.variables import (
    check_known,
    check_lists_alone,
    check_no_lists,
    check_no_objects,
    step_fields,
)

_TYPES = ("string", "array", "object")
_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9.-]*")
_OBJECT_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9-]*")

_Check: TypeAlias = Callable[[str, str, Collection[str]], Iterator[FieldError]]


def check_types(params: Iterable[ParamSpec]) -> Iterator[FieldError]:
    """Each has a type that exists, and a default and properties of that type."""
    for param in params:
        if param.type not in _TYPES:
            yield invalid_value(param.type, f"{param.name}.type")
        elif param.default is not None and type_of(param.default) != param.type:
            yield FieldError(
                f'"{param.type}" type does not match default value\'s type: '
                f'"{type_of(param.default)}"',
                (f"{param.name}.type", f"{param.name}.default.type"),
            )
        elif keys := _keys_of_other_types(param.properties):
            yield FieldError(
                f"The value type specified for these keys [{' '.join(keys)}] is invalid",
                (f"{param.name}.properties",),
            )


def check_enums(params: Iterable[ParamSpec]) -> Iterator[FieldError]:
    """Lists of allowed values are a feature that is off."""
    for param in params:
        if not param.enum:
            continue
        yield needs_flag("`enable-param-enum`", "use Enum", f"[{param.name}]")
        if param.type != "string":
            yield FieldError("enum can only be set with string type param", (f"[{param.name}]",))
        for value in duplicates(param.enum):
            text = f"parameter enum value {value} appears more than once"
            yield FieldError(text, (f"[{param.name}]",))
        if isinstance(param.default, str) and param.default and param.default not in param.enum:
            text = f"param default value {param.default} not in the enum list"
            yield FieldError(text, (f"[{param.name}]",))


def check_declared_once(params: Iterable[ParamSpec]) -> Iterator[FieldError]:
    """No parameter is declared twice."""
    for name in duplicates(it.name for it in params):
        yield FieldError("parameter appears more than once", (f"params[{name}]",))


def check_given_once(params: Iterable[Param]) -> Iterator[FieldError]:
    """No parameter of a run is given twice; upper and lower case are the same here."""
    seen: set[str] = set()
    for param in params:
        if param.name.lower() in seen:
            yield both(f"[{param.name}].name")
        seen.add(param.name.lower())


def check_unique(params: Iterable[Param]) -> Iterator[FieldError]:
    """No parameter of a task of a pipeline is given twice."""
    seen: set[str] = set()
    for index, param in enumerate(params):
        if param.name in seen:
            yield FieldError(
                f'parameter names must be unique, the parameter "{param.name}" is also defined at',
                (f"[{index}].name",),
            )
        seen.add(param.name)


def check_declarations(
    steps: Iterable[Step], params: tuple[ParamSpec, ...]
) -> Iterator[FieldError]:
    """Names are unique and well formed, and lists stand only where lists may."""
    yield from check_declared_once(params)
    yield from _check_names(params)
    lists = {it.name for it in params if it.type == "array"}
    yield from in_steps(steps, check_no_lists, "params", lists, listed=False)
    yield from in_steps(steps, check_lists_alone, "params", lists, listed=True)


def check_usage(steps: tuple[Step, ...], params: tuple[ParamSpec, ...]) -> Iterator[FieldError]:
    """Steps use nothing undeclared, and objects by their keys only."""
    yield from in_steps(steps, check_known, "params", {it.name for it in params})
    objects = [it for it in params if it.type == "object"]
    for param in objects:
        keys = set(param.properties or ())
        yield from in_steps(steps, check_known, f"params.{param.name}", keys)
    yield from in_steps(steps, check_no_objects, "params", {it.name for it in objects})
    for param in objects:
        if param.properties is None:
            yield missing(f"{param.name}.properties")


def in_steps(
    steps: Iterable[Step],
    check: _Check,
    prefix: str,
    known: Collection[str],
    *,
    listed: bool | None = None,
) -> Iterator[FieldError]:
    """Apply a check to all texts of all steps, or only to those in lists, or not in lists."""
    for index, step in enumerate(steps):
        for field in step_fields(step):
            if listed is None or field.listed is listed:
                yield from within(f"steps[{index}].{field.path}", check(field.text, prefix, known))


def declared_by(params: Iterable[Param]) -> dict[str, ParamSpec]:
    """What values that are given tell about parameters, as if they were declared."""
    declared = {}
    for param in params:
        properties = None
        if isinstance(param.value, dict):
            properties = {key: PropertySpec(type="string") for key in param.value}
        declared[param.name] = ParamSpec(
            name=param.name,
            type=type_of(param.value),
            default=param.value,
            properties=properties,
        )
    return declared


def combine(
    known: Mapping[str, ParamSpec], declared: Iterable[ParamSpec]
) -> tuple[dict[str, ParamSpec], list[FieldError]]:
    """What is known of parameters after these declarations, and what does not fit together."""
    combined, errors = dict(known), []
    for param in declared:
        given = combined.get(param.name)
        if given is None:
            combined[param.name] = param
        elif given.type == "object" or isinstance(param.default, dict):
            if param.properties is None:
                errors.append(missing(f"{param.name}.properties"))
            elif given.type == "object":
                combined[param.name] = msgspec.structs.replace(given, properties=param.properties)
    return combined, errors


def duplicates(names: Iterable[str]) -> list[str]:
    """Names that come more than once, in order."""
    seen: set[str] = set()
    twice: set[str] = set()
    for name in names:
        (twice if name in seen else seen).add(name)
    return sorted(twice)


def _check_names(params: Iterable[ParamSpec]) -> Iterator[FieldError]:
    params = tuple(params)
    plain = sorted({it.name for it in params if it.type != "object"})
    if wrong := [it for it in plain if not _NAME.fullmatch(it)]:
        yield FieldError(
            "The format of following array and string variable names is invalid: "
            f"[{' '.join(wrong)}]",
            ("params",),
            "String/Array Names: \nMust only contain alphanumeric characters, hyphens (-), "
            "underscores (_), and dots (.)\nMust begin with a letter or an underscore (_)",
        )
    objects = {}
    for param in params:
        keys = [it for it in param.properties or () if not _OBJECT_NAME.fullmatch(it)]
        if param.type == "object" and (keys or not _OBJECT_NAME.fullmatch(param.name)):
            objects[param.name] = keys
    if objects:
        text = " ".join(f"{name}:[{' '.join(keys)}]" for name, keys in sorted(objects.items()))
        yield FieldError(
            f"Object param name and key name format is invalid: map[{text}]",
            ("params",),
            "Object Names: \nMust only contain alphanumeric characters, hyphens (-), "
            "underscores (_) \nMust begin with a letter or an underscore (_)",
        )


def _keys_of_other_types(properties: Mapping[str, PropertySpec] | None) -> list[str]:
    return [key for key, it in (properties or {}).items() if it.type != "string"]
