# SPDX-License-Identifier: Apache-2.0
"""Who owns which field: the sets behind ``metadata.managedFields``.

A set holds the paths of leaves: scalars, empty maps, and lists that are written as a whole. What
an item of another list is called by stands in the path as the API server writes it:
``k:{"name":"c"}`` by its keys, ``v:"x"`` by its value. ``.`` is the place itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from okd_payload.testing.kubernetes.documents import JsonObject, list_at, metadata_of
from okd_payload.testing.kubernetes.schema import ListType, Node, Schema

Path = tuple[str, ...]
FieldSet = frozenset[Path]

SELF = "."
_NOBODYS = {
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "resourceVersion",
    "selfLink",
    "managedFields",
}
"""Metadata that nobody owns."""

_METADATA = Node(
    type="object",
    properties={
        "labels": Node(type="object", additional=Node(type="string")),
        "annotations": Node(type="object", additional=Node(type="string")),
        "finalizers": Node(type="array", items=Node(type="string"), list_type=ListType.SET),
        "ownerReferences": Node(
            type="array",
            items=Node(type="object", preserve=True, atomic=True),
            list_type=ListType.MAP,
            list_keys=("uid",),
        ),
    },
)
"""How the metadata of every object is merged."""


class Manager(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of ``managedFields``."""

    name: str
    applies: bool
    """Whether the fields were applied, or written in another way."""
    api_version: str
    subresource: str = ""
    time: str = ""
    fields: FieldSet

    @property
    def identity(self) -> tuple[str, bool, str, str]:
        """Entries that are equal in this are one."""
        return (self.name, self.applies, self.api_version, self.subresource)


def root_node(schema: Schema | None) -> Node:
    """The node of whole objects, metadata included, for merging and owning."""
    known = schema.root if schema else Node(type="object", preserve=True)
    return Node(
        type="object",
        preserve=True,
        properties={**known.properties, "metadata": _METADATA},
    )


def leaves(node: Node, value: Any) -> FieldSet:
    """The paths that whoever applies ``value`` owns."""
    return frozenset(_walk(node, value, (), places=False))


def owned_part(document: JsonObject) -> JsonObject:
    """What of an object can be owned."""
    metadata = {
        name: value for name, value in metadata_of(document).items() if name not in _NOBODYS
    }
    rest = {
        name: value
        for name, value in document.items()
        if name not in ("apiVersion", "kind", "metadata")
    }
    return {**rest, "metadata": metadata} if metadata else rest


def created_by(
    document: JsonObject, schema: Schema | None, manager: str, stamp: str
) -> list[JsonObject]:
    """The entries of an object that ``manager`` has just made, not by applying it."""
    part = owned_part(document)
    fields = frozenset(_walk(root_node(schema), part, (), places=True))
    if not fields:
        return []
    owner = Manager(
        name=manager or "unknown",
        applies=False,
        api_version=str(document.get("apiVersion")),
        time=stamp,
        fields=fields,
    )
    return [write_manager(owner)]


def changed_by(
    before: JsonObject,
    after: JsonObject,
    schema: Schema | None,
    *,
    manager: str,
    stamp: str,
    subresource: str = "",
) -> list[JsonObject]:
    """The entries after ``manager`` changed an object, not by applying something."""
    old, new = owned_part(before), owned_part(after)
    changes = list(_differences(root_node(schema), old, new, ()))
    if not changes:
        return list_at(before, "metadata", "managedFields")
    written = frozenset(path for path, is_there in changes if is_there)
    removed = frozenset(path for path, is_there in changes if not is_there) - written
    api_version = str(after.get("apiVersion"))
    mine = Manager(
        name=manager or "unknown",
        applies=False,
        api_version=api_version,
        subresource=subresource,
        time=stamp,
        fields=written,
    )
    kept = []
    for each in read_managers(before):
        if each.identity == mine.identity:
            mine = msgspec.structs.replace(mine, fields=(each.fields - removed) | written)
        else:
            rest = each.fields - removed - written
            kept.append(each if rest == each.fields else msgspec.structs.replace(each, fields=rest))
    return write_managers([*kept, mine])


def read_managers(document: JsonObject) -> list[Manager]:
    """The entries of an object."""
    return [
        Manager(
            name=str(entry.get("manager", "")),
            applies=entry.get("operation") == "Apply",
            api_version=str(entry.get("apiVersion", "")),
            subresource=str(entry.get("subresource", "")),
            time=str(entry.get("time", "")),
            fields=frozenset(_read_set(entry.get("fieldsV1") or {}, ())),
        )
        for entry in list_at(document, "metadata", "managedFields")
    ]


def write_managers(managers: Iterable[Manager]) -> list[JsonObject]:
    """The entries as they stand in metadata; who owns nothing is left out."""
    owning = [manager for manager in managers if manager.fields]
    owning.sort(key=lambda each: (not each.applies, each.time, each.name))
    return [write_manager(each) for each in owning]


def write_manager(manager: Manager) -> JsonObject:
    """One entry."""
    entry = {
        "manager": manager.name,
        "operation": "Apply" if manager.applies else "Update",
        "apiVersion": manager.api_version,
        "time": manager.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": _write_set(manager.fields),
    }
    if manager.subresource:
        entry["subresource"] = manager.subresource
    return entry


def item_step(node: Node, item: Any) -> str:
    """The step in a path that leads to ``item`` of a list that ``node`` describes."""
    if node.list_type is ListType.SET:
        return f"v:{_compact(item)}"
    return "k:" + _compact(item_keys(node, item))


def item_keys(node: Node, item: Any) -> JsonObject:
    """What ``item`` of a list of maps is known by, with the defaults of its schema."""
    known = node.items.properties if node.items else {}
    keys: JsonObject = {}
    for name in sorted(node.list_keys):
        default = known[name].default if name in known and known[name].has_defaults else None
        value = item.get(name, default) if isinstance(item, dict) else default
        if value is not None:
            keys[name] = value
    return keys


def show_path(path: Path) -> str:
    """A path as conflicts tell it: ``.spec.containers[name="c"].image``."""
    shown = ""
    for step in path:
        if step.startswith("f:"):
            shown += "." + step[2:]
        elif step.startswith("k:"):
            keys = msgspec.json.decode(step[2:])
            shown += "[" + ",".join(f"{k}={_compact(v)}" for k, v in keys.items()) + "]"
        elif step.startswith("v:"):
            shown += f"[={step[2:]}]"
    return shown


def child_of(node: Node, name: str) -> Node:
    """The node of the field ``name``, or of anything."""
    child = node.properties.get(name) or node.additional
    return child or Node(preserve=True)


def merges(node: Node, value: Any) -> bool:
    """Whether the parts of ``value`` are owned one by one."""
    if isinstance(value, dict):
        return not node.atomic
    return isinstance(value, list) and node.list_type is not ListType.ATOMIC


def _walk(node: Node, value: Any, path: Path, *, places: bool) -> Iterator[Path]:
    for where, _ in _steps(node, value, path, places=places):
        yield where


def _differences(node: Node, old: Any, new: Any, path: Path) -> Iterator[tuple[Path, bool]]:
    """The paths that changed, each with whether something stands there now."""
    if old == new and type(old) is type(new):
        return
    if type(old) is not type(new) or not (merges(node, old) and merges(node, new)):
        yield from ((where, False) for where, _ in _steps(node, old, path, places=True))
        yield from ((where, True) for where, _ in _steps(node, new, path, places=True))
        return
    before, after = _parts(node, old, path), _parts(node, new, path)
    for step, (child, value) in before.items():
        if step not in after:
            yield from ((where, False) for where, _ in _steps(child, value, step, places=True))
    for step, (child, value) in after.items():
        was = before[step][1] if step in before else None
        if was is not None:
            yield from _differences(child, was, value, step)
        else:
            yield from ((where, True) for where, _ in _steps(child, value, step, places=True))


def _parts(node: Node, value: Any, path: Path) -> dict[Path, tuple[Node, Any]]:
    """What stands directly below a place, with its node, by its path."""
    if isinstance(value, dict):
        return {(*path, f"f:{name}"): (child_of(node, name), each) for name, each in value.items()}
    items = node.items or Node(preserve=True)
    return {(*path, item_step(node, each)): (items, each) for each in value}


def _steps(node: Node, value: Any, path: Path, *, places: bool) -> Iterator[tuple[Path, Any]]:
    if not merges(node, value) or not value:
        if path:
            yield path, value
        return
    if places and path and _named_apart(path):
        yield (*path, SELF), None
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _steps(child_of(node, name), each, (*path, f"f:{name}"), places=places)
        return
    items = node.items or Node(preserve=True)
    for each in value:
        step = item_step(node, each)
        if step.startswith("v:"):
            yield (*path, step), each
        else:
            if not places:
                yield (*path, step, SELF), None
            yield from _steps(items, each, (*path, step), places=places)


def _named_apart(path: Path) -> bool:
    return path != ("f:metadata",)


def _read_set(tree: JsonObject, path: Path) -> Iterator[Path]:
    for step, below in tree.items():
        if step == SELF:
            yield (*path, SELF)
        elif below:
            yield from _read_set(below, (*path, step))
        else:
            yield (*path, step)


def _write_set(fields: FieldSet) -> JsonObject:
    tree: JsonObject = {}
    for path in sorted(fields):
        at = tree
        for step in path:
            at = at.setdefault(step, {})
    return tree


def _compact(value: Any) -> str:
    return msgspec.json.encode(value).decode()
