# SPDX-License-Identifier: Apache-2.0
"""Going through a schema: from a value to the values below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_BELOW = (("additionalProperties", "{}"), ("items", "[]"))


def children_of(schema: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schemas of the values below, with what their paths have more."""
    properties = schema.get("properties")
    if isinstance(properties, dict):
        for name, child in properties.items():
            if isinstance(child, dict):
                yield f".{name}", child
    for word, mark in _BELOW:
        child = schema.get(word)
        if isinstance(child, dict):
            yield mark, child
