# SPDX-License-Identifier: Apache-2.0
"""Runs of verifications.

Every write is told as an event, in the same unit of work, but for handles, which mean nothing to
anybody but the runner. Runs are found by release, state or handle: which of them count for a
verdict is decided elsewhere, from all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, select, update

from okd_payload.controller.model import CONTROLLER, Event, RunState, VerificationRun
from okd_payload.controller.records import events
from okd_payload.controller.records.rows import from_row, from_rows, put, to_content
from okd_payload.controller.records.tables import releases, runs


def write(
    connection: Connection, run: VerificationRun, *, time: float, actor: str = CONTROLLER
) -> None:
    """Write ``run``, new or changed, and tell of it."""
    put(connection, runs, run)
    stream = connection.execute(
        select(releases.c.stream).where(releases.c.name == run.release)
    ).scalar_one_or_none()
    events.add(
        connection,
        Event(
            time=time,
            kind="verification.run",
            stream=stream or "",
            release=run.release,
            actor=actor,
            message=f"{run.verification}: {run.state.value}",
            content=to_content(run),
        ),
    )


def find(connection: Connection, identity: str) -> VerificationRun | None:
    """The run with this id."""
    row = connection.execute(select(runs).where(runs.c.id == identity)).one_or_none()
    return from_row(row, VerificationRun) if row is not None else None


def list_of(connection: Connection, names: Iterable[str]) -> dict[str, list[VerificationRun]]:
    """The runs of each of the releases called ``names``, as they were queued."""
    found: dict[str, list[VerificationRun]] = {name: [] for name in names}
    if not found:
        return found
    order = select(runs).order_by(runs.c.queued, runs.c.verification, runs.c.attempt, runs.c.number)
    wanted = order.where(runs.c.release.in_(list(found)))
    for run in from_rows(connection.execute(wanted), VerificationRun):
        found[run.release].append(run)
    return found


def list_in(connection: Connection, states: Collection[RunState]) -> list[VerificationRun]:
    """All runs in one of ``states``, the oldest first."""
    wanted = select(runs).where(runs.c.state.in_([state.value for state in states]))
    return from_rows(connection.execute(wanted.order_by(runs.c.queued)), VerificationRun)


def list_with_handles(
    connection: Connection, stream: str, runners: Collection[str], *, since: float
) -> list[VerificationRun]:
    """Runs of a stream by these ``runners``, ended ``since`` then, that have handles.

    The first that ended come first.
    """
    wanted = select(runs).join(releases, releases.c.name == runs.c.release)
    wanted = wanted.where(releases.c.stream == stream, runs.c.runner.in_(list(runners)))
    wanted = wanted.where(runs.c.ended >= since, runs.c.handle != "")
    return from_rows(connection.execute(wanted.order_by(runs.c.ended)), VerificationRun)


def forget_handle(connection: Connection, identity: str) -> None:
    """Note that nothing is found by the handle of a run any more; nobody has to be told."""
    connection.execute(update(runs).where(runs.c.id == identity).values(handle=""))
