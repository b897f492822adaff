# SPDX-License-Identifier: Apache-2.0
"""Strategic-merge patches, applied to plain values without changing them in place.

Mappings are merged, null takes a field away, and lists are merged where the table of merge keys
knows them: items of the patch come first, as kustomize puts them. ``$patch`` says delete,
replace or merge. The other directives (``$setElementOrder``, ``$retainKeys``,
``$deleteFromPrimitiveList``) are refused: kustomize leaves them in the result as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
            return patch
        if value not in (None, _GONE) and not isinstance(value, dict):
            raise MergeFailed(f"{_name(field)}: a mapping cannot replace a {_kind(value)}")
        merged = dict(value) if isinstance(value, dict) else {}
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
        if any(isinstance(item, dict) and item.get(DIRECTIVE) == _REPLACE for item in patch):
            return [item for item in patch if DIRECTIVE not in item]
        return self._merge_items(value, patch, keys, field)

    def _merge_items(
        self, value: list[Any], patch: list[Any], keys: ListKeys, field: FieldPath
    ) -> list[Any]:
        left = list(value)
        first = []
        for number, item in enumerate(patch):
            same = _counterpart(left, item, keys, field)
            if same is not None:
                left.remove(same)
            merged = self.merge(same, item, (*field, number))
            if merged is not _GONE:
                first.append(merged)
        return [*first, *left]

    def _note(self, value: list[Any], patch: list[Any], field: FieldPath) -> None:
        lost = tuple(item for item in value if item not in patch)
        if lost:
            self.replaced.append(Replacement(field, lost, tuple(patch)))


def _counterpart(items: Iterable[Any], wanted: Any, keys: ListKeys, field: FieldPath) -> Any:
    """The one of ``items`` that has the keys of ``wanted``, None when there is none."""
    own = _keys_of(wanted, keys)
    if own[0] is None:
        raise MergeFailed(f"{_name(field)}: an item has no {keys[0]}, which tells items apart")
    return next((item for item in items if _keys_of(item, keys) == own), None)


def _keys_of(item: Any, keys: ListKeys) -> tuple[Any, ...]:
    return tuple(item.get(key) if isinstance(item, dict) else None for key in keys)


def _refuse_directives(patch: Mapping[str, Any], field: FieldPath) -> None:
    for name in patch:
        if str(name).startswith(("$setElementOrder", "$retainKeys", "$deleteFromPrimitiveList")):
            raise MergeFailed(f"{_name((*field, name))}: the directive is not supported")


def _kind(value: Any) -> str:
    return "mapping" if isinstance(value, dict) else "list" if isinstance(value, list) else "scalar"


def _name(field: FieldPath) -> str:
    return ".".join(map(str, field)) or "the object"
