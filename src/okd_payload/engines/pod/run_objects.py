# SPDX-License-Identifier: Apache-2.0
"""What runs have in common that carry out a build, Tekton's as Shipwright's, as far as we read it.

There may be no status, and a status without conditions. Only the condition ``Succeeded`` says
whether a run is over; a state that Kubernetes does not have counts as open.
"""

from __future__ import annotations

import msgspec

from okd_payload.engines.pod.judging import Ending
from okd_payload.engines.pod.labels import WHOLE_KEY

_SUCCEEDED = "Succeeded"
_ENDINGS = {ending.value: ending for ending in Ending}


class Read(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of what is read; all that is not named is left alone."""


class Metadata(Read, frozen=True, kw_only=True):
    """Who an object is."""

    name: str
    uid: str = ""
    creation_timestamp: str = ""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    annotations: dict[str, str] = msgspec.field(default_factory=dict)
    deletion_timestamp: str = ""


class Condition(Read, frozen=True, kw_only=True):
    """Where something is, in one word and in a sentence."""

    type: str
    status: str
    reason: str = ""
    message: str = ""

    @property
    def ending(self) -> Ending:
        """Whether what it is about came to an end, and to which."""
        return _ENDINGS.get(self.status, Ending.OPEN)


class RunStatus(Read, frozen=True, kw_only=True):
    """What the controller says."""

    conditions: tuple[Condition, ...] = ()


class Run(Read, frozen=True, kw_only=True):
    """One run; kinds extend it."""

    metadata: Metadata
    status: RunStatus = RunStatus()

    @property
    def name(self) -> str:
        """Its name in its namespace."""
        return self.metadata.name

    @property
    def uid(self) -> str:
        """What tells it from others that have had its name."""
        return self.metadata.uid

    @property
    def condition(self) -> Condition | None:
        """What the controller says about its success; None before it said anything."""
        found = (item for item in self.status.conditions if item.type == _SUCCEEDED)
        return next(found, None)

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will run any more."""
        return self.condition is not None and self.condition.ending is not Ending.OPEN

    @property
    def key(self) -> str:
        """The build key of the image that it makes; empty when it makes none of ours."""
        return self.metadata.annotations.get(WHOLE_KEY, "")
