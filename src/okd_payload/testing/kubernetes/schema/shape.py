# SPDX-License-Identifier: Apache-2.0
"""The fields of a value: which are unknown, and how it looks without them and with defaults.

Values of the wrong type are let alone here; what is wrong with them is said elsewhere.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from okd_payload.testing.kubernetes.schema.node import NOTHING, Node, below

_EMBEDDED = frozenset({"apiVersion", "kind", "metadata"})


def unknown_fields(
    node: Node, value: Any, path: str = "", *, before: Any = NOTHING
) -> Iterator[str]:
    """The paths of the fields below ``value`` that ``node`` does not know."""
    if value == before:
        return
    if isinstance(value, dict):
        for name, each in value.items():
            child = _child(node, name)
            where = f"{path}.{name}" if path else name
            if child is not None:
                yield from unknown_fields(child, each, where, before=below(before, name))
            elif not _keeps(node, name):
                yield where
    elif isinstance(value, list) and node.items is not None:
        for number, each in enumerate(value):
            where = f"{path}[{number}]"
            yield from unknown_fields(node.items, each, where, before=below(before, number))


def prune(node: Node, value: Any, *, before: Any = NOTHING) -> Any:
    """``value`` without the fields that ``node`` does not know."""
    if value == before:
        return before
    if isinstance(value, dict):
        kept = {}
        for name, each in value.items():
            child = _child(node, name)
            if child is not None:
                kept[name] = prune(child, each, before=below(before, name))
            elif _keeps(node, name):
                kept[name] = each
        return kept
    if isinstance(value, list) and node.items is not None:
        items = node.items
        return [
            prune(items, each, before=below(before, number)) for number, each in enumerate(value)
        ]
    return value


def fill_defaults(node: Node, value: Any, *, before: Any = NOTHING) -> Any:
    """``value`` with the defaults of ``node`` where fields are absent, or null and must not be."""
    if value == before:
        return before
    if isinstance(value, dict):
        filled = dict(value)
        for name, child in node.properties.items():
            if child.has_defaults and _lacks(filled, name, child):
                filled[name] = copy.deepcopy(child.default)
        for name, each in filled.items():
            known = _child(node, name)
            if known is not None:
                filled[name] = fill_defaults(known, each, before=below(before, name))
        return filled
    if isinstance(value, list) and node.items is not None:
        items = node.items
        return [
            fill_defaults(items, each, before=below(before, number))
            for number, each in enumerate(value)
        ]
    return value


def omit_empty(node: Node, value: Any) -> Any:
    """``value`` without nulls, empty lists and empty maps, but for what must be given."""
    if isinstance(value, dict):
        kept = {}
        for name, each in value.items():
            child = _child(node, name)
            if each is None or (not each and child is not None and _is_empty(node, name, child)):
                continue
            kept[name] = each if child is None else omit_empty(child, each)
        return kept
    if isinstance(value, list) and node.items is not None:
        return [omit_empty(node.items, each) for each in value]
    return value


def _is_empty(node: Node, name: str, child: Node) -> bool:
    """Whether an empty value of ``child`` is left out: lists and maps are, structs are not."""
    container = child.type == "array" or child.additional is not None
    return container and name not in node.required


def _lacks(value: dict[str, Any], name: str, child: Node) -> bool:
    return name not in value or (value[name] is None and not child.nullable)


def _child(node: Node, name: str) -> Node | None:
    child = node.properties.get(name)
    return node.additional if child is None else child


def _keeps(node: Node, name: str) -> bool:
    """Whether a field that the schema does not name stays."""
    return (
        node.preserve
        or (node.embedded and name in _EMBEDDED)
        or (not node.type and not node.properties and node.additional is None)
    )
