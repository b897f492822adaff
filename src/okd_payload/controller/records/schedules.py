# SPDX-License-Identifier: Apache-2.0
"""What schedules did last, and from when on the next time counts."""

from __future__ import annotations

import enum

import msgspec
from sqlalchemy import Connection, delete, select

from okd_payload.controller.model import Event
from okd_payload.controller.records import events
from okd_payload.controller.records.rows import from_row, put, to_content
from okd_payload.controller.records.tables import schedule_runs


class ScheduleState(enum.Enum):
    """How far what a schedule does has come."""

    IDLE = "Idle"
    """It has not been due yet."""
    RUNNING = "Running"
    DONE = "Done"
    FAILED = "Failed"

    @property
    def is_final(self) -> bool:
        """Whether it has ended, until it is due again."""
        return self in (ScheduleState.DONE, ScheduleState.FAILED)


class ScheduleRun(msgspec.Struct, frozen=True, kw_only=True):
    """The last run of one schedule of a stream."""

    stream: str
    schedule: str
    since: float
    """The moment after which the next time is looked for."""
    state: ScheduleState = ScheduleState.IDLE
    identity: str = ""
    """What names this run: the same whoever goes on with it."""
    subject: str = ""
    """What it is about: a release, or what it becomes."""
    handle: str = ""
    """By what whoever runs it finds it again."""
    started: float | None = None
    ended: float | None = None
    message: str = ""
    failing: bool = False
    """Whether the last run that ended failed, also while the next one goes on."""


def find(connection: Connection, stream: str, schedule: str) -> ScheduleRun | None:
    """The last run of the schedule; None when nobody has looked at it yet."""
    row = connection.execute(
        select(schedule_runs).where(
            schedule_runs.c.stream == stream, schedule_runs.c.schedule == schedule
        )
    ).one_or_none()
    return from_row(row, ScheduleRun) if row is not None else None


def list_of(connection: Connection, stream: str = "") -> list[ScheduleRun]:
    """The last runs of the schedules of ``stream`` (of all streams, without)."""
    wanted = select(schedule_runs).order_by(schedule_runs.c.stream, schedule_runs.c.schedule)
    if stream:
        wanted = wanted.where(schedule_runs.c.stream == stream)
    return [from_row(row, ScheduleRun) for row in connection.execute(wanted)]


def write(connection: Connection, run: ScheduleRun, *, time: float) -> None:
    """Write ``run``; of one that began or ended, tell."""
    before = find(connection, run.stream, run.schedule)
    put(connection, schedule_runs, run)
    known = (before.identity, before.state) if before is not None else ("", ScheduleState.IDLE)
    if (run.identity, run.state) == known:
        return
    words = f", {run.message}" if run.state.is_final and run.message else ""
    events.add(
        connection,
        Event(
            time=time,
            kind="schedule",
            stream=run.stream,
            message=f"{run.schedule}: {run.state.value}{words}",
            content=to_content(run),
        ),
    )


def forget(connection: Connection, stream: str, schedule: str) -> None:
    """Delete what is known of a schedule that is no more."""
    connection.execute(
        delete(schedule_runs).where(
            schedule_runs.c.stream == stream, schedule_runs.c.schedule == schedule
        )
    )
