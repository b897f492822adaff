# SPDX-License-Identifier: Apache-2.0
"""Patches: merge patches (RFC 7386), JSON patches (RFC 6902), and Kubernetes' own.

A strategic merge patch knows from the schema which lists are merged by which key; custom
resources do not take it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.fields import child_of, item_keys, root_node
from okd_payload.testing.kubernetes.requests import PatchType
from okd_payload.testing.kubernetes.schema import ListType, Node, Schema
from okd_payload.testing.kubernetes.statuses import Details, Refusal, bad_request

_DIRECTIVE = "$patch"


def patched(
    document: JsonObject, kind: PatchType, content: object, schema: Schema | None
) -> JsonObject:
    """``document`` after the patch. Refuses patches that do not fit."""
    if kind is PatchType.JSON:
        if not isinstance(content, list):
            raise bad_request("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
        changed = apply_json_patch(document, content)
    elif not isinstance(content, dict):
        raise bad_request("json: cannot unmarshal into Go value of type map[string]interface {}")
    elif kind is PatchType.STRATEGIC:
        changed = _merge_strategically(root_node(schema), document, content)
    else:
        changed = merge(document, content)
    if not isinstance(changed, dict):
        raise _rejected()
    return changed


def merge(target: Any, change: Any) -> Any:
    """``target`` after a merge patch (RFC 7386)."""
    if not isinstance(change, dict):
        return change
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in change.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def apply_json_patch(document: Any, operations: list[Any]) -> Any:
    """RFC 6902. Refuses where an operation does not fit, without saying which one."""
    document = copy.deepcopy(document)
    for operation in operations:
        try:
            document = _operate(document, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise _rejected() from error
    return document


def _operate(document: Any, operation: Any) -> Any:
    verb, path = operation["op"], _pointer(operation["path"])
    if verb == "test":
        if _get(document, path) != operation["value"]:
            raise ValueError("test")
        return document
    if verb == "remove":
        return _remove(document, path)
    if verb in ("move", "copy"):
        source = _pointer(operation["from"])
        value = copy.deepcopy(_get(document, source))
        if verb == "move":
            document = _remove(document, source)
        return _add(document, path, value)
    if verb == "replace":
        _get(document, path)
        return _put(document, path, operation["value"])
    if verb == "add":
        return _add(document, path, operation["value"])
    raise ValueError(verb)


def _pointer(text: str) -> list[str]:
    if not text:
        return []
    if not text.startswith("/"):
        raise ValueError(text)
    return [step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/")]


def _get(document: Any, path: list[str]) -> Any:
    for step in path:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def _add(document: Any, path: list[str], value: Any) -> Any:
    def insert(parent: Any, step: str) -> None:
        if isinstance(parent, list):
            at = len(parent) if step == "-" else int(step)
            if not 0 <= at <= len(parent):
                raise IndexError(step)
            parent.insert(at, value)
        else:
            parent[step] = value

    return value if not path else _at_parent(document, path, insert)


def _put(document: Any, path: list[str], value: Any) -> Any:
    def put(parent: Any, step: str) -> None:
        parent[int(step) if isinstance(parent, list) else step] = value

    return value if not path else _at_parent(document, path, put)


def _remove(document: Any, path: list[str]) -> Any:
    def remove(parent: Any, step: str) -> None:
        del parent[int(step) if isinstance(parent, list) else step]

    return _at_parent(document, path, remove)


def _at_parent(document: Any, path: list[str], change: Callable[[Any, str], None]) -> Any:
    change(_get(document, path[:-1]), path[-1])
    return document


def _merge_strategically(node: Node, target: Any, change: Any) -> Any:
    if isinstance(change, list):
        return _merge_lists(node, target if isinstance(target, list) else [], change)
    if not isinstance(change, dict):
        return change
    if change.get(_DIRECTIVE) == "replace":
        return {name: value for name, value in change.items() if name != _DIRECTIVE}
    if change.get(_DIRECTIVE) == "delete":
        return {}
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in change.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge_strategically(child_of(node, name), merged.get(name), value)
    return merged


def _merge_lists(node: Node, target: list[Any], change: list[Any]) -> list[Any]:
    replaced = [each for each in change if each != {_DIRECTIVE: "replace"}]
    if len(replaced) < len(change) or node.list_type is ListType.ATOMIC:
        return replaced
    if node.list_type is ListType.SET:
        return list(dict.fromkeys([*target, *change]))
    items = node.items or Node(preserve=True)
    merged = list(target)
    for each in change:
        keys = item_keys(node, each)
        at = next((n for n, old in enumerate(merged) if item_keys(node, old) == keys), None)
        if isinstance(each, dict) and each.get(_DIRECTIVE) == "delete":
            if at is not None:
                del merged[at]
        elif at is None:
            merged.append(each)
        else:
            merged[at] = _merge_strategically(items, merged[at], each)
    return merged


def _rejected() -> Refusal:
    return Refusal(
        422,
        "Invalid",
        "the server rejected our request due to an error in our request",
        details=Details(),
    )
