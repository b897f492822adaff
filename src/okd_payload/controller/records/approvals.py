# SPDX-License-Identifier: Apache-2.0
"""Who has approved which release: one approval by each person for each team."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, select

from okd_payload.controller.model import Event
from okd_payload.controller.records import events
from okd_payload.controller.records.rows import from_row, put, to_content
from okd_payload.controller.records.tables import approvals


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """That a team takes a release for good."""

    release: str
    team: str
    actor: str
    time: float
    message: str = ""


def write(connection: Connection, approval: Approval, *, stream: str) -> None:
    """Write ``approval`` in the place of what the same person said for the team, and tell of it."""
    put(connection, approvals, approval)
    events.add(
        connection,
        Event(
            time=approval.time,
            kind="release.approved",
            stream=stream,
            release=approval.release,
            actor=approval.actor,
            message=f"{approval.team} approved it",
            content=to_content(approval),
        ),
    )


def list_of(connection: Connection, release: str = "") -> list[Approval]:
    """The approvals of ``release`` (of all releases, without), the oldest first."""
    wanted = select(approvals).order_by(approvals.c.time, approvals.c.release, approvals.c.team)
    if release:
        wanted = wanted.where(approvals.c.release == release)
    return [from_row(row, Approval) for row in connection.execute(wanted)]


def forget(connection: Connection, release: str) -> None:
    """Delete the approvals of a release that is no more."""
    connection.execute(delete(approvals).where(approvals.c.release == release))
