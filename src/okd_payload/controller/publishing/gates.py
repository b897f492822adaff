# SPDX-License-Identifier: Apache-2.0
"""What a release must have before it is published, and what of that it lacks.

A gate is judged from facts alone. What is lacking is said in words that do not change while
nothing changes, because they are written down whenever they do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import msgspec

from okd_payload.controller.configuration.durations import format_duration
from okd_payload.controller.configuration.model import Gate
from okd_payload.controller.model import Release


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What is known in favour of a release."""

    signed: bool = False
    """That it was signed here, or that a good signature of it was found."""
    approved_by: frozenset[str] = frozenset()
    """The people who approved it; one who speaks for two teams is one."""


class Obstacle(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the way of a release, and until when where time alone removes it."""

    message: str
    until: float | None = None


def find_obstacle(
    gate: Gate, release: Release, credentials: Credentials, *, now: float, asked: bool = False
) -> Obstacle | None:
    """What keeps ``release`` from passing ``gate``; None when nothing does.

    Who ``asked`` for it need not wait for time to pass. Signature and approvals are for others to
    rely on, and nobody is let past them.
    """
    lacks = []
    until = None
    if gate.signed and not credentials.signed:
        lacks.append("it is not signed")
    missing = gate.approvals - len(credentials.approved_by)
    if missing > 0:
        lacks.append(_approvals(gate.approvals, credentials.approved_by))
    due = release.changed + gate.soak
    if gate.soak and not asked and due > now:
        if not lacks:
            until = due
        lacks.append(
            f"it must have been accepted for {format_duration(gate.soak)},"
            f" which is so at {_moment(due)}"
        )
    return Obstacle(message="; ".join(lacks), until=until) if lacks else None


def _approvals(wanted: int, given: Collection[str]) -> str:
    by = f", from {', '.join(sorted(given))}" if given else ""
    return f"it has {len(given)} of {wanted} approvals{by}"


def _moment(seconds: float) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, tz=dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
