# SPDX-License-Identifier: Apache-2.0
"""Figures about streams, phases and runs, for metrics: summed up by the database.

A scrape must cost the same in a controller of many years, so rows are counted where they are, and
what looks back has a window. The number of the newest event says whether anything changed since.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, func, select

from okd_payload.controller.model import Phase, PublicationState, RunState
from okd_payload.controller.records import events, leases, schedules
from okd_payload.controller.records import releases as records
from okd_payload.controller.records.schedules import ScheduleRun
from okd_payload.controller.records.tables import publications, releases, runs, transitions

WINDOW = 30 * 86400.0
"""Seconds that pass rates and durations look back."""


class Duration(msgspec.Struct, frozen=True, kw_only=True):
    """How long one release was in a phase before the next, or took until it was accepted."""

    stream: str
    phase: Phase
    seconds: float


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted."""

    number: int
    """Of the newest event: as long as it is the same, so are the figures."""
    releases: dict[tuple[str, Phase], int]
    accepted: dict[str, float]
    """When the newest accepted release of each stream was created."""
    durations: tuple[Duration, ...]
    to_accepted: tuple[Duration, ...]
    runs: dict[tuple[str, str, RunState], int]
    """By stream, verification and state, within the window."""
    open_runs: dict[RunState, int]
    failed_publications: dict[tuple[str, str], int]
    """How many steps of each way of publishing ever failed: a number that only grows."""
    unmade: dict[str, int]
    """By stream, how many releases could not be made so far."""
    failing: frozenset[tuple[str, str]]
    """Streams and their ways of publishing of which the last try failed."""
    schedules: tuple[ScheduleRun, ...] = ()
    """The last run of each."""


def read_figures(connection: Connection, *, now: float) -> Figures:
    """All figures at this moment."""
    since = now - WINDOW
    durations = _read_durations(connection, since)
    return Figures(
        number=events.last_number(connection),
        releases=records.count(connection),
        accepted=_newest_accepted(connection),
        durations=tuple(durations),
        to_accepted=tuple(_read_to_accepted(connection, since)),
        runs=_count_runs(connection, since),
        open_runs=_count_open(connection),
        failed_publications=_count_failed(connection),
        unmade=_count_unmade(connection),
        failing=_find_failing(connection),
        schedules=tuple(schedules.list_of(connection)),
    )


def read_holder(connection: Connection, lease: str, *, now: float) -> str:
    """Which instance acts; empty when none does."""
    return leases.holder_of(connection, lease, now=now)


def _newest_accepted(connection: Connection) -> dict[str, float]:
    rows = connection.execute(
        select(releases.c.stream, func.max(releases.c.created))
        .where(releases.c.phase == Phase.ACCEPTED.value, releases.c.withdrawn.is_(None))
        .group_by(releases.c.stream)
    )
    return {stream: float(created) for stream, created in rows}


def _read_durations(connection: Connection, since: float) -> list[Duration]:
    """From each transition to the next of the same release."""
    rows = connection.execute(
        select(transitions.c.release, transitions.c.after, transitions.c.time, releases.c.stream)
        .join(releases, releases.c.name == transitions.c.release)
        .where(transitions.c.time >= since)
        .order_by(transitions.c.release, transitions.c.id)
    )
    found: list[Duration] = []
    last: tuple[str, str, float] | None = None
    for release, after, time, stream in rows:
        if last is not None and last[0] == release:
            seconds = max(0.0, time - last[2])
            found.append(Duration(stream=stream, phase=Phase(last[1]), seconds=seconds))
        last = (release, after, time)
    return found


def _read_to_accepted(connection: Connection, since: float) -> list[Duration]:
    rows = connection.execute(
        select(releases.c.stream, releases.c.created, releases.c.changed).where(
            releases.c.phase == Phase.ACCEPTED.value, releases.c.changed >= since
        )
    )
    return [
        Duration(stream=stream, phase=Phase.ACCEPTED, seconds=max(0.0, changed - created))
        for stream, created, changed in rows
    ]


def _count_runs(connection: Connection, since: float) -> dict[tuple[str, str, RunState], int]:
    rows = connection.execute(
        select(releases.c.stream, runs.c.verification, runs.c.state, func.count())
        .join(releases, releases.c.name == runs.c.release)
        .where(runs.c.queued >= since)
        .group_by(releases.c.stream, runs.c.verification, runs.c.state)
    )
    return {(stream, name, RunState(state)): number for stream, name, state, number in rows}


def _count_open(connection: Connection) -> dict[RunState, int]:
    wanted: Collection[RunState] = (RunState.QUEUED, RunState.RUNNING)
    rows = connection.execute(
        select(runs.c.state, func.count())
        .where(runs.c.state.in_([state.value for state in wanted]))
        .group_by(runs.c.state)
    )
    counted = {RunState(state): number for state, number in rows}
    return {state: counted.get(state, 0) for state in wanted}


def _count_unmade(connection: Connection) -> dict[str, int]:
    rows = connection.execute(
        select(releases.c.stream, func.count())
        .where(releases.c.phase == Phase.PENDING.value, releases.c.attempts > 0)
        .group_by(releases.c.stream)
    )
    return {row.stream: int(row[1]) for row in rows}


def _count_failed(connection: Connection) -> dict[tuple[str, str], int]:
    rows = connection.execute(
        select(publications.c.stream, publications.c.name, func.count())
        .where(publications.c.state == PublicationState.FAILED.value)
        .group_by(publications.c.stream, publications.c.name)
    )
    return {(stream, name): number for stream, name, number in rows}


def _find_failing(connection: Connection) -> frozenset[tuple[str, str]]:
    ended = (PublicationState.DONE, PublicationState.FAILED, PublicationState.UNDONE)
    last = (
        select(func.max(publications.c.id))
        .where(publications.c.state.in_([state.value for state in ended]))
        .group_by(publications.c.stream, publications.c.name)
    )
    rows = connection.execute(
        select(publications.c.stream, publications.c.name).where(
            publications.c.id.in_(last), publications.c.state == PublicationState.FAILED.value
        )
    )
    return frozenset((stream, name) for stream, name in rows)
