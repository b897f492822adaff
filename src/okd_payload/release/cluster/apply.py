# SPDX-License-Identifier: Apache-2.0
"""What an operator does with an object whose turn has come.

An object that is skipped, for a capability or an override, is not deleted either. A deletion
that is not asked for in exactly the right word fails, and the update with it.
"""

from __future__ import annotations

import enum

import msgspec

from okd_payload.documents.go_quote import quote
from okd_payload.release.cluster.annotations import CREATE_ONLY, DELETE, read_annotations
from okd_payload.release.cluster.include import check_enabled, is_overridden
from okd_payload.release.cluster.settings import CapabilityStatus, Override
from okd_payload.release.objects import ManifestObject


class Action(enum.Enum):
    """What happens to an object."""

    APPLY = "apply"
    CREATE_ONLY = "create-only"
    DELETE = "delete"
    SKIP = "skip"
    FAIL = "fail"


class Turn(msgspec.Struct, frozen=True):
    """What happens to one object, and why when it is not applied."""

    action: Action
    reason: str = ""


def decide_action(
    item: ManifestObject, capabilities: CapabilityStatus, overrides: tuple[Override, ...] = ()
) -> Turn:
    """What an operator does with ``item``, which it loaded for its cluster."""
    annotations = read_annotations(item.value) or {}
    reason = check_enabled(annotations, capabilities)
    if not reason and is_overridden(item.key, overrides):
        reason = "overridden"
    if reason:
        return Turn(Action.SKIP, reason)
    delete = annotations.get(DELETE)
    if delete is not None:
        if delete == "true":
            return Turn(Action.DELETE)
        return Turn(
            Action.FAIL, f"invalid delete annotation {quote(DELETE)} value: {quote(delete)}"
        )
    if annotations.get(CREATE_ONLY, "").lower() == "true":
        return Turn(Action.CREATE_ONLY)
    return Turn(Action.APPLY)
