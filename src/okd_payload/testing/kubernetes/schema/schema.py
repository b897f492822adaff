# SPDX-License-Identifier: Apache-2.0
"""A schema as the API server uses it: unknown fields, pruning, defaults, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.metadata import KNOWN_FIELDS
from okd_payload.testing.kubernetes.schema.check import check_value
from okd_payload.testing.kubernetes.schema.node import Node
from okd_payload.testing.kubernetes.schema.shape import (
    fill_defaults,
    omit_empty,
    prune,
    unknown_fields,
)
from okd_payload.testing.kubernetes.statuses import Cause

_OBJECT = ("apiVersion", "kind", "metadata")


class Schema:
    """What is known of the objects of one kind in one version."""

    def __init__(self, root: Node, *, omits_empty: bool = False) -> None:
        self.root = root
        self._omits_empty = omits_empty
        """Whether the server leaves out what is null or empty, as Go does with its own types."""

    def unknown(self, document: JsonObject) -> list[str]:
        """The paths of all fields that nobody knows, in the order of the API server."""
        metadata = document.get("metadata")
        paths = []
        if isinstance(metadata, dict):
            paths = [f"metadata.{name}" for name in sorted(metadata) if name not in KNOWN_FIELDS]
        return sorted([*paths, *unknown_fields(self.root, _without_metadata(document))])

    def shape(self, document: JsonObject) -> JsonObject:
        """``document`` without what nobody knows and with defaults; the rest is shared."""
        kept = {name: document[name] for name in _OBJECT if name in document}
        pruned = prune(self.root, _without_metadata(document))
        if self._omits_empty:
            pruned = omit_empty(self.root, pruned)
        return {**kept, **fill_defaults(self.root, pruned)}

    def problems(self, document: JsonObject) -> Iterator[Cause]:
        """Everything that the schema does not allow."""
        yield from check_value(self.root, _without_metadata(document), "")


def _without_metadata(document: JsonObject) -> JsonObject:
    return {name: value for name, value in document.items() if name not in _OBJECT}
