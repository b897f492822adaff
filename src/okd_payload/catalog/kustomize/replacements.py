# SPDX-License-Identifier: Apache-2.0
r"""Replacements: a value taken from one object and written into others.

Field paths are names with '.' between them; ``\\\\.`` or ``[a.b]`` for a name with a dot,
``[name=x]`` for the item of a list that has it, a number for an item by its place, ``*`` for
all items. Which objects are meant is said with plain texts, not with expressions.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from okd_payload.catalog.kustomize import codes
from okd_payload.catalog.kustomize.fields import (
    ReplacementFields,
    ReplacementSource,
    ReplacementTarget,
    Target,
    ValueOptions,
)
from okd_payload.catalog.kustomize.files import Files
from okd_payload.catalog.kustomize.findings import Findings
from okd_payload.catalog.kustomize.identity import Identity
from okd_payload.catalog.kustomize.kustomization import Kustomization
from okd_payload.catalog.kustomize.resource import Resource
from okd_payload.catalog.kustomize.selectors import InvalidTarget, satisfies
from okd_payload.documents import Document, convert, parse_documents
from okd_payload.errors import InvalidDocument

_ALL = "*"
_ITEM = re.compile(r"\[(?P<key>[^=\]]+)=(?P<value>.*)\]")
_QUOTED = re.compile(r"\[(?P<name>[^\]]*)\]")
_STEP = re.compile(r"(?:\[[^\]]*\]|\\.|[^.\\])+")


class ReplacementFailed(ValueError):
    """A replacement that cannot be done; the text says why."""


class _Replacement(msgspec.Struct, frozen=True):
    """One replacement, and where it stands."""

    fields: ReplacementFields
    file: str
    line: int


def apply_replacements(
    resources: list[Resource], kustomization: Kustomization, files: Files, findings: Findings
) -> list[Resource]:
    """``resources`` after all replacements of ``kustomization``."""
    for replacement in _read(kustomization, files, findings):
        try:
            resources = _apply(resources, replacement.fields)
        except (ReplacementFailed, InvalidTarget) as error:
            findings.add(
                codes.FAILED_REPLACEMENT, str(error), file=replacement.file, line=replacement.line
            )
    return resources


def _read(kustomization: Kustomization, files: Files, findings: Findings) -> list[_Replacement]:
    found = []
    for number, fields in enumerate(kustomization.fields.replacements):
        line = kustomization.line_of("replacements", number)
        if not fields.path:
            found.append(_Replacement(fields, kustomization.path, line))
            continue
        try:
            place = kustomization.field("replacements", number)
            for document in files.documents_beside(kustomization.document, fields.path, place):
                found += _replacements_of(document)
        except InvalidDocument as error:
            findings.add_error(codes.INVALID_KUSTOMIZATION, error)
    return found


def _replacements_of(document: Document) -> list[_Replacement]:
    if isinstance(document.value, list):
        all_fields = convert(document, tuple[ReplacementFields, ...])
        return [
            _Replacement(fields, document.path, document.line_of((number,)))
            for number, fields in enumerate(all_fields)
        ]
    return [_Replacement(convert(document, ReplacementFields), document.path, document.line_of(()))]


def _apply(resources: list[Resource], replacement: ReplacementFields) -> list[Resource]:
    if replacement.source is None or not replacement.targets:
        raise ReplacementFailed("a source and at least one target are needed")
    value = _value_of(resources, replacement.source)
    for target in replacement.targets:
        resources = [_written(resource, target, value) for resource in resources]
    return resources


def _value_of(resources: list[Resource], source: ReplacementSource) -> Any:
    wanted = Target(
        group=source.group,
        version=source.version,
        kind=source.kind,
        name=source.name,
        namespace=source.namespace,
    )
    found = [resource for resource in resources if _is_meant(resource, wanted)]
    if len(found) != 1:
        raise ReplacementFailed(f"{len(found) or 'no'} objects are the source, instead of one")
    values = _values_at(found[0].value, _steps(source.field_path))
    if not values:
        raise ReplacementFailed(f"{found[0].identity} has no {source.field_path}")
    return _part(values[0], source.options)


def _part(value: Any, options: ValueOptions) -> Any:
    if not options.delimiter:
        return value
    if isinstance(value, dict | list):
        raise ReplacementFailed("only a text can be cut at a delimiter")
    parts = _text(value).split(options.delimiter)
    if not 0 <= options.index < len(parts):
        raise ReplacementFailed(f"index {options.index} is outside {_text(value)!r}")
    return parts[options.index]


def _written(resource: Resource, target: ReplacementTarget, value: Any) -> Resource:
    if target.select is None:
        raise ReplacementFailed("a target has to say with select which objects it means")
    if not _is_selected(resource, target):
        return resource
    changed = resource.value
    for path in target.field_paths:
        try:
            changed = _put(changed, _steps(path), value, target.options)
        except ReplacementFailed as error:
            raise ReplacementFailed(f"{path} of {resource.identity}: {error}") from error
    return resource if changed is resource.value else resource.renamed(changed)


def _is_selected(resource: Resource, target: ReplacementTarget) -> bool:
    assert target.select is not None  # noqa: S101 - the caller has checked it
    return _is_meant(resource, target.select) and not any(
        _is_meant(resource, each) for each in target.reject if each != Target()
    )


def _is_meant(resource: Resource, wanted: Target) -> bool:
    return any(_fits(each, wanted) for each in resource.identities) and satisfies(resource, wanted)


def _fits(identity: Identity, wanted: Target) -> bool:
    return (
        wanted.group in ("", identity.group)
        and wanted.version in ("", identity.version)
        and wanted.kind in ("", identity.kind)
        and wanted.name in ("", identity.name)
        and wanted.namespace in ("", identity.effective_namespace)
    )


def _steps(path: str) -> list[str]:
    """The steps of a field path, with dots in names as they are."""
    steps = []
    for step in _STEP.findall(path):
        quoted = None if _ITEM.fullmatch(step) else _QUOTED.fullmatch(step)
        steps.append(quoted["name"] if quoted else re.sub(r"\\(.)", r"\1", step))
    return steps


def _values_at(value: Any, steps: list[str]) -> list[Any]:
    if not steps:
        return [] if value is None else [value]
    step, *rest = steps
    if isinstance(value, list):
        return [
            found for number in _places(value, step) for found in _values_at(value[number], rest)
        ]
    if isinstance(value, dict) and step in value:
        return _values_at(value[step], rest)
    return []


def _places(items: list[Any], step: str) -> list[int]:
    """Which of ``items`` a step means."""
    if step == _ALL:
        return list(range(len(items)))
    if step.isdigit():
        return [int(step)] if int(step) < len(items) else []
    item = _ITEM.fullmatch(step)
    if item is None:
        return []
    return [
        number
        for number, each in enumerate(items)
        if isinstance(each, dict) and _text(each.get(item["key"])) == item["value"]
    ]


def _put(value: Any, steps: list[str], item: Any, options: ValueOptions) -> Any:
    """A copy of ``value`` with ``item`` written at ``steps``."""
    if not steps:
        return _replaced(value, item, options)
    step, *rest = steps
    named = _ITEM.fullmatch(step)
    if value is None and options.create:
        value = [] if named else {}
    if isinstance(value, list):
        if step == _ALL:
            return _put_where_possible(value, rest, item, options)
        places = _places(value, step)
        if places:
            return [
                _put(each, rest, item, options) if number in places else each
                for number, each in enumerate(value)
            ]
        if named and options.create:
            return [*value, _put({named["key"]: named["value"]}, rest, item, options)]
        raise ReplacementFailed(f"the list has no {step}")
    if not isinstance(value, dict) or (step not in value and not options.create):
        raise ReplacementFailed(f"there is no {step}")
    return {**value, step: _put(value.get(step), rest, item, options)}


def _put_where_possible(
    items: list[Any], rest: list[str], item: Any, options: ValueOptions
) -> list[Any]:
    """A copy of ``items`` with ``item`` written into each that has the field."""
    changed = []
    failures = []
    for each in items:
        try:
            changed.append(_put(each, rest, item, options))
        except ReplacementFailed as error:
            failures.append(error)
            changed.append(each)
    if len(failures) == len(items):
        raise failures[0] if failures else ReplacementFailed("the list is empty")
    return changed


def _replaced(value: Any, item: Any, options: ValueOptions) -> Any:
    """What becomes of ``value`` when ``item`` is written over it, or into a part of it."""
    is_tree = isinstance(item, dict | list)
    if options.delimiter:
        if isinstance(value, dict | list) or is_tree:
            raise ReplacementFailed("no text that could be cut at a delimiter")
        item = _with_part(_text(value), _text(item), options)
    if value is not None and is_tree is not isinstance(value, dict | list):
        raise ReplacementFailed("a text and a tree cannot take each other's place")
    if is_tree or value is None:
        return item
    return _as_type_of(value, _text(item))


def _as_type_of(value: Any, text: str) -> Any:
    """``text`` as a scalar of the type that ``value`` has: a target keeps its type."""
    if isinstance(value, str):
        return text
    try:
        documents = parse_documents(text.encode(), path="")
    except InvalidDocument:
        documents = []
    read = documents[0].value if len(documents) == 1 else None
    if type(read) is not type(value):
        raise ReplacementFailed(f"{text!r} cannot take the place of {_text(value)}")
    return read


def _with_part(text: str, part: str, options: ValueOptions) -> str:
    """``text`` with one of its parts replaced, or one more at an end."""
    parts = text.split(options.delimiter)
    if options.index < 0:
        parts.insert(0, part)
    elif options.index >= len(parts):
        parts.append(part)
    else:
        parts[options.index] = part
    return options.delimiter.join(parts)


def _text(value: Any) -> str:
    """A scalar as YAML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
