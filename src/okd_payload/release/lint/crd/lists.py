# SPDX-License-Identifier: Apache-2.0
"""How lists and maps of custom resources are merged: ``x-kubernetes-list-type`` and its kin.

Rules: those of ``apiextensions.k8s.io/v1`` for structural schemas, which server-side apply goes
by. Only one schema is looked at; ``schema`` walks over all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from okd_payload.release.lint import codes
from okd_payload.release.lint.crd.definition import Finding
from okd_payload.release.lint.fields import list_at, map_at, text_at

Schema = Mapping[str, Any]

_LIST_TYPE = "x-kubernetes-list-type"
_LIST_KEYS = "x-kubernetes-list-map-keys"
_MAP_TYPE = "x-kubernetes-map-type"
_RULES = "x-kubernetes-validations"
_SCALARS = frozenset({"boolean", "integer", "number", "string"})


def check_extensions(schema: Schema, path: str) -> Iterator[Finding]:
    """What is wrong with the extensions of one schema that say how values are merged."""
    yield from _check_list_type(schema, path)
    map_type = schema.get(_MAP_TYPE)
    if map_type is not None:
        if map_type not in ("atomic", "granular"):
            yield _wrong(path, f"{_MAP_TYPE} is atomic or granular, not {map_type!r}")
        if schema.get("type") != "object":
            yield _wrong(path, f"{_MAP_TYPE} belongs to objects")
    rules = schema.get(_RULES)
    if rules is not None:
        found = rules if isinstance(rules, list) else [None]
        if not all(isinstance(rule, dict) and rule.get("rule") for rule in found):
            yield _wrong(path, f"{_RULES} is a list of mappings that each have a rule")


def _check_list_type(schema: Schema, path: str) -> Iterator[Finding]:
    list_type, keys = schema.get(_LIST_TYPE), schema.get(_LIST_KEYS)
    if list_type is None:
        if keys is not None:
            yield _wrong(path, f"{_LIST_KEYS} goes with {_LIST_TYPE}: map")
        return
    if list_type not in ("atomic", "map", "set"):
        yield _wrong(path, f"{_LIST_TYPE} is atomic, map or set, not {list_type!r}")
    if schema.get("type") != "array":
        yield _wrong(path, f"{_LIST_TYPE} belongs to arrays")
    items = map_at(schema, "items")
    if list_type == "set":
        yield from _check_set(items, path)
    if list_type == "map":
        yield from _check_map(items, keys, path)
    elif keys is not None:
        yield _wrong(path, f"{_LIST_KEYS} goes with {_LIST_TYPE}: map")


def _check_set(items: Schema, path: str) -> Iterator[Finding]:
    """The members of a set are compared as wholes."""
    if items.get("nullable") is True:
        yield _wrong(path, "the items of a set must not be nullable")
    atomic = {"object": (_MAP_TYPE,), "array": (_LIST_TYPE,)}.get(str(items.get("type")), ())
    for word in atomic:
        default = "granular" if word == _MAP_TYPE else "atomic"
        if items.get(word, default) != "atomic":
            yield _wrong(path, f"the items of a set must have {word}: atomic")


def _check_map(items: Schema, keys: object, path: str) -> Iterator[Finding]:
    if items.get("type") != "object":
        yield _wrong(path, f"the items of a list with {_LIST_TYPE}: map must be objects")
    if not isinstance(keys, list) or not keys:
        yield _wrong(path, f"{_LIST_KEYS} is missing beside {_LIST_TYPE}: map")
        return
    if len(set(map(str, keys))) < len(keys):
        yield _wrong(path, f"{_LIST_KEYS} has a key twice")
    properties, required = map_at(items, "properties"), list_at(items, "required")
    for key in map(str, keys):
        found = properties.get(key)
        if not isinstance(found, dict):
            yield _wrong(path, f"the key {key} is no property of the items")
        elif text_at(found, "type") not in _SCALARS and not found.get("x-kubernetes-int-or-string"):
            yield _wrong(path, f"the key {key} is neither text, number nor boolean")
        elif key not in required and "default" not in found:
            yield _wrong(path, f"the key {key} must be required or have a default")


def _wrong(path: str, message: str) -> Finding:
    where = path or "the root"
    return codes.INVALID_CRD_SCHEMA, f"has a schema that cannot be merged at {where}: {message}"
