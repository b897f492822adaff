# SPDX-License-Identifier: Apache-2.0
"""What a change of an object means, as people read differences.

Only what somebody decides about is compared: what the server keeps for itself (versions, times,
who owns which field, the status) says nothing about whether an object is as it should be, and
would make every second run look like a change. Values of a Secret are never shown.
"""

from __future__ import annotations

import difflib
from typing import Any

import msgspec

_OF_THE_SERVER = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
_SECRET_FIELDS = frozenset({"data", "stringData"})


def canonical(content: bytes) -> bytes:
    """``content`` without what the server keeps for itself: equal bytes, equal meaning."""
    return msgspec.json.encode(_essence(content), order="sorted")


def describe_difference(name: str, before: bytes | None, after: bytes | None) -> str:
    """The unified difference between two states of the object ``name``; None is its absence."""
    old, new = (_lines(content) for content in (before, after))
    there, wanted = ("/dev/null" if each is None else name for each in (before, after))
    lines = difflib.unified_diff(old, new, fromfile=there, tofile=wanted, lineterm="")
    return "\n".join(lines)


def _lines(content: bytes | None) -> list[str]:
    if content is None:
        return []
    essence = _essence(content)
    if essence.get("kind") == "Secret":
        hidden = {field: "***" for field in _SECRET_FIELDS if field in essence}
        essence = essence | hidden
    return msgspec.yaml.encode(essence, order="sorted").decode().splitlines()


def _essence(content: bytes) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])
    metadata = {
        name: value
        for name, value in decoded.get("metadata", {}).items()
        if name not in _OF_THE_SERVER
    }
    kept = {name: value for name, value in decoded.items() if name != "status"}
    return kept | {"metadata": metadata}
