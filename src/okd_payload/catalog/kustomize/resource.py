# SPDX-License-Identifier: Apache-2.0
"""Objects while they are rendered, and what comes out.

Values are never changed in place: a transformer makes a new value that shares what it leaves
alone. So the value as it was read stays available, and from the two the lines of everything
that was not touched are found again, items of lists that moved included.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

import msgspec

from okd_payload.catalog.kustomize.identity import Identity, identity_of
from okd_payload.documents import Document, FieldPath
from okd_payload.issues import Issue


class PatchKind(enum.Enum):
    """The two languages of patches."""

    STRATEGIC_MERGE = "strategic merge"
    JSON = "JSON 6902"


class PatchPlace(msgspec.Struct, frozen=True):
    """A patch, by where it stands."""

    file: str
    line: int
    kind: PatchKind


class ReplacedList(msgspec.Struct, frozen=True):
    """A list that a strategic-merge patch replaced, because nobody knows how to merge it.

    ``lost`` are the items that are not in ``replacement``: what the author of the patch may not
    have meant to throw away.
    """

    field: FieldPath
    lost: tuple[Any, ...]
    replacement: tuple[Any, ...]
    patch: PatchPlace


class RenderedObject(msgspec.Struct, frozen=True):
    """One object of a rendering.

    The path and the lines of ``document`` are those of the file that the object comes from; a
    field that a kustomization wrote has no line of its own.
    """

    document: Document
    patches: tuple[PatchPlace, ...] = ()
    replaced_lists: tuple[ReplacedList, ...] = ()

    @property
    def identity(self) -> Identity:
        """Which object this is."""
        return identity_of(self.document.value)


class Rendering(msgspec.Struct, frozen=True):
    """What a kustomization makes; without errors among ``issues`` nothing is left out."""

    objects: tuple[RenderedObject, ...] = ()
    issues: tuple[Issue, ...] = ()


class Resource(msgspec.Struct, frozen=True):
    """One object on its way through the transformers."""

    source: Document
    value: Any
    previous: tuple[Identity, ...] = ()
    """What it was called before, oldest first: patches and references may still say so."""
    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    patches: tuple[PatchPlace, ...] = ()
    replaced_lists: tuple[ReplacedList, ...] = ()

    @property
    def identity(self) -> Identity:
        """Which object this is now."""
        return identity_of(self.value)

    @property
    def identities(self) -> tuple[Identity, ...]:
        """All that it was ever called, and what it is called now."""
        return (*self.previous, self.identity)

    def with_value(self, value: Any) -> Resource:
        """The same object with another value."""
        return msgspec.structs.replace(self, value=value)

    def renamed(self, value: Any) -> Resource:
        """The same object with another value that may name it differently."""
        return msgspec.structs.replace(self, value=value, previous=(*self.previous, self.identity))

    def touched(
        self, value: Any, patch: PatchPlace, replaced: tuple[ReplacedList, ...] = ()
    ) -> Resource:
        """The same object after ``patch`` made ``value`` of it."""
        return msgspec.structs.replace(
            self,
            value=value,
            previous=(*self.previous, self.identity),
            patches=(*self.patches, patch),
            replaced_lists=(*self.replaced_lists, *replaced),
        )

    def finished(self) -> RenderedObject:
        """What becomes of it when no transformer is left."""
        value, lines = _without_empty_annotations(self.value), self.source.lines
        if value is not self.source.value:
            lines = dict(_lines_kept(self.source, value))
        return RenderedObject(
            Document(self.source.path, value, lines), self.patches, self.replaced_lists
        )


def _without_empty_annotations(value: Any) -> Any:
    """``value`` without ``metadata.annotations`` that say nothing, as kustomize leaves it."""
    metadata = value["metadata"]
    if "annotations" not in metadata or metadata["annotations"]:
        return value
    kept = {name: item for name, item in metadata.items() if name != "annotations"}
    return {**value, "metadata": kept}


def _lines_kept(source: Document, value: Any) -> Iterator[tuple[FieldPath, int]]:
    """The line of each field of ``value`` that stands in ``source``, by where it is now."""
    pending: list[tuple[FieldPath, FieldPath, Any, Any]] = [((), (), source.value, value)]
    while pending:
        old, new, before, after = pending.pop()
        if old in source.lines:
            yield new, source.lines[old]
        if isinstance(before, dict) and isinstance(after, dict):
            pending += [
                ((*old, key), (*new, key), before[key], item)
                for key, item in after.items()
                if key in before
            ]
        elif isinstance(before, list) and isinstance(after, list):
            pending += [
                ((*old, place), (*new, number), before[place], item)
                for number, item in enumerate(after)
                if (place := _place_of(item, number, before)) is not None
            ]


def _place_of(item: Any, number: int, before: list[Any]) -> int | None:
    """Where ``item``, which is at ``number`` now, stood in the list ``before``."""
    if isinstance(item, dict | list):
        return next((place for place, each in enumerate(before) if each is item), None)
    return number if number < len(before) and before[number] == item else None
