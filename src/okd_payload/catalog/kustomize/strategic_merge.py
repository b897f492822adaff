# SPDX-License-Identifier: Apache-2.0
"""Strategic-merge patches, applied to plain values without changing them in place.

Mappings are merged, null takes a field away, and lists are merged where the table of merge keys
knows them: items of the patch come first, as kustomize puts them. ``$patch`` says delete,
replace or merge. The other directives (``$setElementOrder``, ``$retainKeys``,
``$deleteFromPrimitiveList``) are refused: kustomize leaves them in the result as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from okd_payload.catalog.kustomize.merge_keys import ListKeys, ListPath
from okd_payload.documents import FieldPath

DIRECTIVE = "$patch"

_DELETE = "delete"
_REPLACE = "replace"
_MERGE = "merge"
_GONE = object()
"""What a field or an item is when the patch deletes it."""


class MergeFailed(ValueError):
    """A patch that does not fit; the text says where and why."""


class Replacement(msgspec.Struct, frozen=True):
    """A list that was replaced whole: what it had and the new one has not."""

    field: FieldPath
    lost: tuple[Any, ...]
    replacement: tuple[Any, ...]


class Merged(msgspec.Struct, frozen=True):
    """The merged value, None when the patch deletes it, and the lists that were replaced."""

    value: Any
    replaced: tuple[Replacement, ...] = ()


def merge(value: Any, patch: Any, keys: Mapping[ListPath, ListKeys] | None) -> Merged:
    """``value`` with ``patch`` merged into it.

    ``keys`` are the lists to merge; None when the kind has no schema, and only then are lists
    reported that lose items. Raises MergeFailed.
    """
    if patch.get(DIRECTIVE) == _REPLACE:
        raise MergeFailed("$patch: replace for a whole object: list another object instead")
    merger = _Merger(keys or {})
    merged = merger.merge(value, patch, ())
    replaced = () if keys is not None else tuple(merger.replaced)
    return Merged(None if merged is _GONE else merged, replaced)


class _Merger:
    """One merge: the table of lists, and what was replaced so far."""

    def __init__(self, keys: Mapping[ListPath, ListKeys]) -> None:
        self._keys = keys
        self.replaced: list[Replacement] = []

    def merge(self, value: Any, patch: Any, field: FieldPath) -> Any:
        """``value`` at ``field`` with ``patch`` merged into it."""
        if patch is None:
            return _GONE
        if isinstance(patch, dict):
            return self._merge_mapping(value, patch, field)
        if isinstance(patch, list):
            return self._merge_list(value, patch, field)
        if isinstance(value, dict | list):
            raise MergeFailed(f"{_name(field)}: a {_kind(patch)} cannot replace a {_kind(value)}")
        return patch

    def _merge_mapping(self, value: Any, patch: dict[str, Any], field: FieldPath) -> Any:
        directive = patch.get(DIRECTIVE, _MERGE)
        if directive not in (_DELETE, _REPLACE, _MERGE):
            raise MergeFailed(f"{_name(field)}: $patch is delete, replace or merge")
        if directive == _DELETE:
            return _GONE
        patch = {name: item for name, item in patch.items() if name != DIRECTIVE}
        _refuse_directives(patch, field)
        if directive == _REPLACE:
            value = None
        if value is _GONE:
            value = None
        if value is not None and not isinstance(value, dict):
            raise MergeFailed(f"{_name(field)}: a mapping cannot replace a {_kind(value)}")
        merged = {name: item for name, item in (value or {}).items() if item is not None}
        for name, item in patch.items():
            result = self.merge(merged.get(name, _GONE), item, (*field, name))
            if result is _GONE:
                merged.pop(name, None)
            else:
                merged[name] = result
        return merged

    def _merge_list(self, value: Any, patch: list[Any], field: FieldPath) -> Any:
        if value in (None, _GONE):
            value = []
        if not isinstance(value, list):
            raise MergeFailed(f"{_name(field)}: a list cannot replace a {_kind(value)}")
        keys = self._keys.get(tuple(step for step in field if isinstance(step, str)))
        if keys is None:
            self._note(value, patch, field)
            return patch
        if not keys:
            return [*dict.fromkeys(patch), *(item for item in value if item not in patch)]
        if {DIRECTIVE: _REPLACE} in patch:
            return [item for item in patch if item != {DIRECTIVE: _REPLACE}]
        return self._merge_items(value, patch, keys, field)

    def _merge_items(
        self, value: list[Any], patch: list[Any], keys: ListKeys, field: FieldPath
    ) -> list[Any]:
        """The items of both; those of the patch come first, or stay where several keys count."""
        stay = any(len(_keys_of(item, keys)) > 1 for item in (*value, *patch))
        items, first = list(value), []
        for number, item in enumerate(patch):
            place = _place_of(item, items, keys, field)
            same = _GONE if place is None else items[place]
            merged = self.merge(same, item, (*field, number))
            if place is not None and merged is not _GONE and stay:
                items[place] = merged
                continue
            if place is not None:
                del items[place]
            if merged is not _GONE:
                first.append(merged)
        return [*first, *items]

    def _note(self, value: list[Any], patch: list[Any], field: FieldPath) -> None:
        lost = tuple(item for item in value if item not in patch)
        if lost:
            self.replaced.append(Replacement(field, lost, tuple(patch)))


def _place_of(wanted: Any, items: list[Any], keys: ListKeys, field: FieldPath) -> int | None:
    """Where the one of ``items`` is that ``wanted`` is for, None when there is none."""
    own = _keys_of(wanted, keys)
    if keys[0] not in own:
        raise MergeFailed(f"{_name(field)}: an item has no {keys[0]}, which tells items apart")
    if wanted.get(DIRECTIVE) == _REPLACE:
        raise MergeFailed(f"{_name(field)}: $patch: replace stands alone in a list")
    for place, item in enumerate(items):
        others = _keys_of(item, keys)
        if others == own:
            return place
        if others.get(keys[0]) == own[keys[0]] and others.keys() != own.keys():
            raise MergeFailed(
                f"{_name(field)}: {keys[0]} {own[keys[0]]} is there with other keys than in the "
                f"patch: give {' and '.join(keys)} in both"
            )
    return None


def _keys_of(item: Any, keys: ListKeys) -> dict[str, Any]:
    """Those of the ``keys`` that ``item`` has."""
    return {key: item[key] for key in keys if key in item} if isinstance(item, dict) else {}


def _refuse_directives(patch: Mapping[str, Any], field: FieldPath) -> None:
    for name in patch:
        if str(name).startswith(("$setElementOrder", "$retainKeys", "$deleteFromPrimitiveList")):
            raise MergeFailed(f"{_name((*field, name))}: the directive is not supported")


def _kind(value: Any) -> str:
    return "mapping" if isinstance(value, dict) else "list" if isinstance(value, list) else "scalar"


def _name(field: FieldPath) -> str:
    return ".".join(map(str, field)) or "the object"
