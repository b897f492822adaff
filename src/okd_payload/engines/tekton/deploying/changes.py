# SPDX-License-Identifier: Apache-2.0
"""What a deployment would change, as a value: object by object, and what stands in the way."""

from __future__ import annotations

import enum

import msgspec

from okd_payload.engines.tekton.deploying.difference import describe_difference
from okd_payload.engines.tekton.deploying.objects import ManagedObject
from okd_payload.issues import Issue


class Action(enum.Enum):
    """What becomes of an object."""

    CREATE = "create"
    CHANGE = "change"
    KEEP = "keep"
    REMOVE = "remove"


class ObjectChange(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one object."""

    action: Action
    object: ManagedObject
    """Of what is removed: as it is there."""
    before: bytes | None = None
    after: bytes | None = None
    """As the cluster would have it; as we want it where the cluster cannot be asked yet."""
    takes_over: bool = False
    """Whether fields are taken back from somebody who changed them."""

    @property
    def difference(self) -> str:
        """The unified difference; empty when nothing changes."""
        if self.action is Action.KEEP:
            return ""
        return describe_difference(str(self.object), self.before, self.after)


class DeploymentChanges(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a deployment would change, in the order in which it is done."""

    namespace: str
    makes_namespace: bool
    """Whether there is no such namespace yet: then nothing in it could be tried beforehand."""
    changes: tuple[ObjectChange, ...]
    issues: tuple[Issue, ...] = ()

    def of(self, action: Action) -> tuple[ObjectChange, ...]:
        """The changes that are this ``action``."""
        return tuple(each for each in self.changes if each.action is action)

    @property
    def is_nothing(self) -> bool:
        """Whether all is as it should be."""
        return all(each.action is Action.KEEP for each in self.changes)
