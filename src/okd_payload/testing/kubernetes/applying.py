# SPDX-License-Identifier: Apache-2.0
"""Server-side apply: what somebody wants of an object, merged into what it is.

Whoever applies owns what is in the configuration. What stood in the one before and does not any
longer goes, unless somebody else owns it too. A field that somebody else owns and that would get
another value is a conflict, for which ``force`` takes the field over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from okd_payload.testing.kubernetes.changes import replace_with
from okd_payload.testing.kubernetes.creation import create_decoded
from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    metadata_of,
    name_of,
    uid_of,
    with_metadata,
)
from okd_payload.testing.kubernetes.fields import (
    SELF,
    FieldSet,
    Manager,
    Path,
    child_of,
    item_step,
    leaves,
    merges,
    owned_part,
    read_managers,
    root_node,
    show_path,
    write_managers,
)
from okd_payload.testing.kubernetes.preparation import check_place, decode
from okd_payload.testing.kubernetes.requests import Answer, Target, WriteOptions
from okd_payload.testing.kubernetes.schema import Node
from okd_payload.testing.kubernetes.state import State
from okd_payload.testing.kubernetes.statuses import (
    Cause,
    Details,
    Refusal,
    bad_request,
    invalid_options,
    modified,
    required,
)
from okd_payload.testing.kubernetes.store import Key


def apply(state: State, target: Target, document: JsonObject, options: WriteOptions) -> Answer:
    """Make or change the object so that it has what ``document`` says. Raises Refusal."""
    if not options.manager:
        why = "is required for apply patch"
        raise invalid_options("PatchOptions", required("fieldManager", why))
    warnings: list[str] = []
    if metadata_of(document).get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    if not name_of(document):
        raise bad_request(
            f"the name of the object ({target.name} based on URL) was undeterminable: "
            "name must be provided"
        )
    document = decode(state, target, document, options, warnings=warnings)
    stored = state.store.find(Key(target.resource.name, target.namespace, target.name))
    if stored is None:
        return _make(state, target, document, options, warnings=warnings)
    live = state.convert(stored.document, target)
    node = root_node(state.schema(target))
    wanted = owned_part(_own_part(target, document))
    mine = _manager(target, options, leaves(node, wanted), state.stamp())
    managers = read_managers(live)
    previous = next((each for each in managers if each.identity == mine.identity), None)
    others = [each for each in managers if each.identity != mine.identity]
    others = _settle(node, owned_part(live), wanted, mine=mine, others=others, force=options.force)
    _check_identity(target, live, document)
    merged = _merge(node, _whole(live), wanted)
    if previous is not None:
        kept: FieldSet = mine.fields.union(*(each.fields for each in others))
        merged = _without(node, merged, previous.fields - kept)
    if previous is not None and previous.fields == mine.fields:
        mine = msgspec.structs.replace(mine, time=previous.time)
    merged = _named(live, merged)
    return replace_with(
        state,
        target,
        merged,
        options,
        warnings=warnings,
        managed=write_managers([*others, mine]),
    )


def _make(
    state: State,
    target: Target,
    document: JsonObject,
    options: WriteOptions,
    *,
    warnings: list[str],
) -> Answer:
    if name_of(document) != target.name:
        raise bad_request(
            f"the name of the object ({name_of(document)}) does not match the name on the URL "
            f"({target.name})"
        )
    part = owned_part(_own_part(target, check_place(target, document)))
    fields = leaves(root_node(state.schema(target)), part)
    managed = write_managers([_manager(target, options, fields, state.stamp())])
    return create_decoded(state, target, document, options, warnings=warnings, managed=managed)


def _own_part(target: Target, document: JsonObject) -> JsonObject:
    """What of ``document`` this request may write: the status apart from the rest."""
    if target.subresource == "status":
        return {name: document[name] for name in ("status",) if name in document}
    if target.resource.has_status:
        return {name: value for name, value in document.items() if name != "status"}
    return document


def _manager(target: Target, options: WriteOptions, fields: FieldSet, stamp: str) -> Manager:
    return Manager(
        name=options.manager,
        applies=True,
        api_version=target.resource.api_version(target.version),
        subresource=target.subresource,
        time=stamp,
        fields=fields,
    )


def _check_identity(target: Target, live: JsonObject, document: JsonObject) -> None:
    if name_of(document) != target.name:
        raise bad_request(
            f"the name of the object ({name_of(document)}) does not match the name on the URL "
            f"({target.name})"
        )
    revision = metadata_of(document).get("resourceVersion")
    if revision and revision != metadata_of(live).get("resourceVersion"):
        raise modified(target.resource, target.name)
    uid = metadata_of(document).get("uid")
    if uid and uid != uid_of(live):
        raise modified(target.resource, target.name)


def _settle(
    node: Node,
    live: JsonObject,
    wanted: JsonObject,
    *,
    mine: Manager,
    others: list[Manager],
    force: bool,
) -> list[Manager]:
    """The others after the conflicts with them. Refuses where there are any, without ``force``."""
    changed = frozenset(
        path for path in mine.fields if _at(node, live, path) != _at(node, wanted, path)
    )
    causes = [
        (each.name, path)
        for each in others
        for path in sorted(each.fields & changed)
        if path[-1] != SELF
    ]
    if causes and not force:
        raise _conflicts(causes)
    return [
        msgspec.structs.replace(each, fields=each.fields - changed)
        if each.fields & changed
        else each
        for each in others
    ]


def _conflicts(found: list[tuple[str, Path]]) -> Refusal:
    names = list(dict.fromkeys(name for name, _ in found))
    causes = tuple(
        Cause(
            reason="FieldManagerConflict",
            message=f'conflict with "{name}"',
            field=show_path(path),
        )
        for name, path in found
    )
    if len(found) == 1:
        name, path = found[0]
        message = f'Apply failed with 1 conflict: conflict with "{name}": {show_path(path)}'
    else:
        message = f"Apply failed with {len(found)} conflicts:"
        for name in names:
            message += f' conflicts with "{name}":'
            message += "".join(f"\n- {show_path(path)}" for who, path in found if who == name)
    return Refusal(409, "Conflict", message, details=Details(causes=causes))


_ABSENT = object()


def _at(node: Node, value: Any, path: Iterable[str]) -> Any:
    """What stands at ``path``; something equal to nothing where nothing does."""
    for step in path:
        if step == SELF:
            return None
        if step.startswith("f:"):
            if not isinstance(value, dict) or step[2:] not in value:
                return _ABSENT
            value = value[step[2:]]
            node = child_of(node, step[2:])
            continue
        items = value if isinstance(value, list) else []
        found = [each for each in items if item_step(node, each) == step]
        if not found:
            return _ABSENT
        value, node = found[0], node.items or Node(preserve=True)
    return value


def _merge(node: Node, live: Any, wanted: Any) -> Any:
    """``live`` with what ``wanted`` says."""
    if not merges(node, wanted) or type(live) is not type(wanted):
        return wanted
    if isinstance(wanted, dict):
        merged = dict(live)
        for name, each in wanted.items():
            child = child_of(node, name)
            merged[name] = _merge(child, live[name], each) if name in live else each
        return merged
    items = node.items or Node(preserve=True)
    merged_items = {item_step(node, each): each for each in live}
    for each in wanted:
        step = item_step(node, each)
        known = step in merged_items
        merged_items[step] = _merge(items, merged_items[step], each) if known else each
    return list(merged_items.values())


def _without(node: Node, value: Any, gone: FieldSet) -> Any:
    """``value`` without what stands at the paths ``gone``, and without what is empty then."""
    if not gone or not merges(node, value):
        return value
    by_step: dict[str, set[Path]] = {}
    for path in gone:
        by_step.setdefault(path[0], set()).add(path[1:])
    if isinstance(value, dict):
        return _without_fields(node, value, by_step)
    return _without_items(node, value, by_step)


def _without_fields(node: Node, value: JsonObject, gone: Mapping[str, set[Path]]) -> JsonObject:
    kept = {}
    for name, each in value.items():
        below = gone.get(f"f:{name}")
        if below is None:
            kept[name] = each
        elif () not in below:
            rest = _without(child_of(node, name), each, frozenset(below))
            if rest or not each:
                kept[name] = rest
    return kept


def _without_items(node: Node, value: list[Any], gone: Mapping[str, set[Path]]) -> list[Any]:
    items = node.items or Node(preserve=True)
    kept = []
    for each in value:
        below = gone.get(item_step(node, each))
        if below is None:
            kept.append(each)
        elif () not in below and (SELF,) not in below:
            kept.append(_without(items, each, frozenset(below)))
    return kept


def _whole(live: JsonObject) -> JsonObject:
    return {name: value for name, value in live.items() if name not in ("apiVersion", "kind")}


def _named(live: JsonObject, merged: JsonObject) -> JsonObject:
    named = {"apiVersion": live["apiVersion"], "kind": live["kind"], **merged}
    return with_metadata(named, resourceVersion=metadata_of(live).get("resourceVersion"))
