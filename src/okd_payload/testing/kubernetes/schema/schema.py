# SPDX-License-Identifier: Apache-2.0
"""A schema as the API server uses it: unknown fields, pruning, defaults, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.metadata import KNOWN_FIELDS
from okd_payload.testing.kubernetes.schema.check import check_value
from okd_payload.testing.kubernetes.schema.node import NOTHING, Node
from okd_payload.testing.kubernetes.schema.shape import (
    fill_defaults,
    omit_empty,
    prune,
    unknown_fields,
)
from okd_payload.testing.kubernetes.statuses import Cause

_OBJECT = ("apiVersion", "kind", "metadata")


class Schema:
    """What is known of the objects of one kind in one version.

    ``before`` is an object of the kind that was judged already: what is equal there is not
    judged again, which makes changes of large objects cheap.
    """

    def __init__(self, root: Node, *, omits_empty: bool = False) -> None:
        self.root = root
        self._omits_empty = omits_empty
        """Whether the server leaves out what is null or empty, as Go does with its own types."""

    def unknown(self, document: JsonObject, *, before: JsonObject | None = None) -> list[str]:
        """The paths of all fields that nobody knows, in the order of the API server."""
        metadata = document.get("metadata")
        paths = []
        if isinstance(metadata, dict):
            paths = [f"metadata.{name}" for name in sorted(metadata) if name not in KNOWN_FIELDS]
        found = unknown_fields(self.root, _rest(document), before=_known(before))
        return sorted([*paths, *found])

    def shape(self, document: JsonObject, *, before: JsonObject | None = None) -> JsonObject:
        """``document`` without what nobody knows and with defaults; the rest is shared."""
        kept = {name: document[name] for name in _OBJECT if name in document}
        known = _known(before)
        pruned = prune(self.root, _rest(document), before=known)
        if self._omits_empty:
            pruned = omit_empty(self.root, pruned)
        return {**kept, **fill_defaults(self.root, pruned, before=known)}

    def problems(
        self, document: JsonObject, *, before: JsonObject | None = None
    ) -> Iterator[Cause]:
        """Everything that the schema does not allow."""
        yield from check_value(self.root, _rest(document), "", before=_known(before))


def _known(before: JsonObject | None) -> object:
    """What the schema is about in an object that was judged; equal to nothing without one."""
    return NOTHING if before is None else _rest(before)


def _rest(document: JsonObject) -> JsonObject:
    """What the schema is about: all but the identity and the metadata."""
    return {name: value for name, value in document.items() if name not in _OBJECT}
