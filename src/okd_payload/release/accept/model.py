# SPDX-License-Identifier: Apache-2.0
"""What is known of the two releases and the cluster, and what comes out of checking them.

Both releases are unpacked, and the cluster's choices made, before a check begins: checks are
functions of these values and look nothing up. What comes out has the cluster's own reasons and
messages beside our issues.
"""

from __future__ import annotations

import base64
import enum
import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

from okd_payload.issues import Issue, Severity
from okd_payload.oci.digest import Digest
from okd_payload.release.cluster.capabilities import CapabilityChoice
from okd_payload.release.cluster.settings import DEFAULT_PROFILE
from okd_payload.release.cluster.tree import PayloadTree

_PAYLOADS: Final = "/etc/cvo/updatepayloads"


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two releases, unpacked."""

    name: str
    """What it was called by whoever asked."""
    pull_spec: str = ""
    """By digest where that is known; empty for a folder."""
    digest: Digest | None = None
    """What a cluster would ask for; None for a folder, around which there is no image."""
    tree: PayloadTree
    unavailable: str = ""
    """Why there is no such image; then nothing of it is known but what it is called."""
    architecture: str = ""
    """The architecture of the image's programs, empty when nothing is known of it."""
    is_list: bool = False
    """Whether the digest is that of an index with an image for each architecture."""
    missing_programs: tuple[str, ...] = ()
    """Programs that a cluster runs in the image and that it does not have."""

    @property
    def folder(self) -> str:
        """Where a cluster unpacks it, which it names in messages."""
        name = hashlib.md5((self.pull_spec or self.name).encode(), usedforsecurity=False).digest()
        return f"{_PAYLOADS}/{base64.urlsafe_b64encode(name).decode().rstrip('=')}"


class ClusterChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What the administrator of the cluster chose."""

    profile: str = DEFAULT_PROFILE
    feature_set: str = ""
    gates: frozenset[str] | None = None
    """The enabled feature gates; None for those that the running release enables itself."""
    capabilities: CapabilityChoice = CapabilityChoice()
    exclude_identifier: str = ""


class UpdateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """How the update is asked for."""

    is_by_digest: bool = True
    force: bool = False
    """Whether what can be forced shall be, as ``oc adm upgrade --force`` does."""
    allow_explicit: bool = False
    """Whether the update need not be one of those on offer (``--allow-explicit-upgrade``)."""


class Outcome(enum.Enum):
    """How a check ended."""

    PASSED = "passed"
    NOTED = "noted"
    """Passed, with something to be known."""
    FORCED = "forced"
    """Refused, which force overrides."""
    REFUSED = "refused"
    NOT_DONE = "not-done"
    """What it needs is not there."""


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a cluster looks at, and what it finds."""

    name: str
    outcome: Outcome
    detail: str = ""
    """What was found, in a few words."""
    reason: str = ""
    """The reason that the cluster reports, as in its conditions."""
    message: str = ""
    """What the cluster says."""
    causes: tuple[str, ...] = ()
    """What went wrong on the way, each in the cluster's words."""
    issues: tuple[Issue, ...] = ()


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a cluster takes an update."""

    running: str
    """The version that the cluster runs."""
    wanted: str
    """The version of the update, empty when it cannot be read."""
    image: str
    accepted: bool
    checks: tuple[Check, ...]
    """In the order in which a cluster makes them."""

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Everything that was found."""
        return tuple(issue for check in self.checks for issue in check.issues)


def conclude(
    name: str,
    issues: Iterable[Issue] = (),
    *,
    detail: str = "",
    reason: str = "",
    message: str = "",
    causes: tuple[str, ...] = (),
    force: bool = False,
) -> Check:
    """The check ``name`` with what it found; with ``force``, nothing of it blocks."""
    found = tuple(issues)
    blocks = any(issue.blocks for issue in found)
    if blocks and force:
        outcome = Outcome.FORCED
        found = tuple(_soften(issue) for issue in found)
    elif blocks:
        outcome = Outcome.REFUSED
    else:
        outcome = Outcome.NOTED if found else Outcome.PASSED
    return Check(
        name=name,
        outcome=outcome,
        detail=detail,
        reason=reason if blocks else "",
        message=message if blocks else "",
        causes=causes,
        issues=found,
    )


def _soften(issue: Issue) -> Issue:
    if not issue.blocks:
        return issue
    return msgspec.structs.replace(issue, severity=Severity.WARNING)
