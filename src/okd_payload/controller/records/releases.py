# SPDX-License-Identifier: Apache-2.0
"""Releases, what they were made of, and every step that they took.

A phase is written by ``move`` only, together with its transition and the event that tells of
it: so the log has every step, in order, whatever is killed when.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from okd_payload.controller.model import (
    CONTROLLER,
    FOLLOWERS,
    Event,
    FrozenInput,
    Phase,
    Release,
    Transition,
)
from okd_payload.controller.records import events
from okd_payload.controller.records.rows import from_row, from_rows, to_content, to_row
from okd_payload.controller.records.tables import inputs, releases, transitions
from okd_payload.errors import RecordsError

_MOST_IN_ONE_QUESTION = 500


def find(connection: Connection, name: str) -> Release | None:
    """The release called ``name``, withdrawn or not."""
    row = connection.execute(select(releases).where(releases.c.name == name)).one_or_none()
    return from_row(row, Release) if row is not None else None


def list_of(
    connection: Connection,
    stream: str = "",
    *,
    phases: Collection[Phase] = (),
    withdrawn: bool | None = False,
    kept: bool | None = None,
    before: float | None = None,
    limit: int | None = None,
    oldest_first: bool = False,
) -> list[Release]:
    """Releases of ``stream`` (of all, without), the newest first where nothing else is said.

    ``withdrawn`` says whether those that are withdrawn, or the others; None is both, as it is of
    ``kept``. With ``before``, only those created before that moment: for pages of ``limit``.
    """
    given: dict[str, Any] = {"stream": stream or None, "before": before, "limit": limit}
    given["kept"] = kept
    given["phases"] = [phase.value for phase in phases] or None
    given = {name: value for name, value in given.items() if value is not None}
    wanted = _select(frozenset(given), withdrawn=withdrawn, oldest_first=oldest_first)
    return from_rows(connection.execute(wanted, given), Release)


@functools.cache
def _select(given: Collection[str], *, withdrawn: bool | None, oldest_first: bool) -> Select[Any]:
    """What ``list_of`` asks with these parameters: made once, for making it takes the longest."""
    places = (releases.c.created, releases.c.name)
    order = places if oldest_first else [each.desc() for each in places]
    wanted = select(releases).order_by(*order)
    if "stream" in given:
        wanted = wanted.where(releases.c.stream == bindparam("stream"))
    if "phases" in given:
        wanted = wanted.where(releases.c.phase.in_(bindparam("phases", expanding=True)))
    if withdrawn is not None:
        column = releases.c.withdrawn
        wanted = wanted.where(column.is_not(None) if withdrawn else column.is_(None))
    if "kept" in given:
        wanted = wanted.where(releases.c.kept == bindparam("kept"))
    if "before" in given:
        wanted = wanted.where(releases.c.created < bindparam("before"))
    return wanted.limit(bindparam("limit")) if "limit" in given else wanted


def list_current(connection: Connection, stream: str) -> list[Release]:
    """The releases that what ``stream`` does next may depend on, the newest first.

    Those are all that are undecided, and of the others the newest that is accepted and the newest
    that is not kept: a handful, however many there were.
    """
    found = [
        *list_of(connection, stream, phases=[phase for phase in Phase if not phase.is_final]),
        *list_of(connection, stream, phases=(Phase.ACCEPTED,), limit=1),
        *list_of(connection, stream, kept=False, limit=1),
    ]
    each_once = {release.name: release for release in found}.values()
    return sorted(each_once, key=lambda each: (each.created, each.name), reverse=True)


def count(connection: Connection) -> dict[tuple[str, Phase], int]:
    """How many releases there are, by stream and phase; withdrawn ones are not counted."""
    found = connection.execute(
        select(releases.c.stream, releases.c.phase, func.count())
        .where(releases.c.withdrawn.is_(None))
        .group_by(releases.c.stream, releases.c.phase)
    )
    return {(stream, Phase(phase)): number for stream, phase, number in found}


def has_hash(connection: Connection, stream: str, input_hash: str) -> bool:
    """Whether ``stream`` has a release of exactly these inputs, whatever became of it.

    One that is kept or withdrawn counts too: the same content makes no second release.
    """
    wanted = select(releases.c.name).where(
        releases.c.stream == stream, releases.c.input_hash == input_hash
    )
    return connection.execute(wanted.limit(1)).first() is not None


def create(
    connection: Connection,
    release: Release,
    frozen: Iterable[FrozenInput],
    *,
    actor: str = CONTROLLER,
) -> None:
    """Write a new release with what it is made of. Raises RecordsError when its name is taken."""
    if find(connection, release.name) is not None:
        raise RecordsError(f"there is a release {release.name} already")
    connection.execute(insert(releases).values(to_row(release)))
    write_inputs(connection, release.name, frozen)
    _log(connection, release, before=None, actor=actor)
    events.add(connection, _event("release.created", release, actor))


def move(
    connection: Connection,
    release: Release,
    after: Phase,
    *,
    time: float,
    actor: str = CONTROLLER,
    reason: str = "",
    message: str = "",
) -> Release:
    """``release`` in the phase ``after``, written down with its transition.

    Raises RecordsError when that phase may not follow, or somebody else moved it meanwhile.
    """
    if after not in FOLLOWERS[release.phase]:
        raise RecordsError(f"{release.name} is {release.phase.value}: it cannot be {after.value}")
    moved = msgspec.structs.replace(
        release, phase=after, changed=time, reason=reason, message=message
    )
    replaced = connection.execute(
        update(releases)
        .where(releases.c.name == release.name, releases.c.phase == release.phase.value)
        .values(to_row(moved))
    )
    if replaced.rowcount != 1:
        raise RecordsError(f"{release.name} is not {release.phase.value} any more")
    _log(connection, moved, before=release.phase, actor=actor)
    events.add(connection, _event("release.phase", moved, actor))
    return moved


def change(
    connection: Connection,
    release: Release,
    *,
    time: float,
    actor: str = CONTROLLER,
    reason: str = "",
) -> None:
    """Write ``release`` anew; its phase must be that of its record. Raises RecordsError."""
    replaced = connection.execute(
        update(releases)
        .where(releases.c.name == release.name, releases.c.phase == release.phase.value)
        .values(to_row(release))
    )
    if replaced.rowcount != 1:
        raise RecordsError(f"{release.name} is not {release.phase.value} any more")
    told = _event("release.changed", release, actor)
    events.add(connection, msgspec.structs.replace(told, time=time, message=reason))


def remove(connection: Connection, name: str) -> None:
    """Forget a release, its inputs and runs; its transitions stay."""
    connection.execute(delete(releases).where(releases.c.name == name))


def write_inputs(connection: Connection, name: str, frozen: Iterable[FrozenInput]) -> None:
    """What the release is made of, in the place of what was written before."""
    connection.execute(delete(inputs).where(inputs.c.release == name))
    rows = [to_row(each) | {"release": name} for each in frozen]
    if rows:
        connection.execute(insert(inputs), rows)


def read_inputs(connection: Connection, name: str) -> list[FrozenInput]:
    """What the release was made of, by tag."""
    wanted = select(
        inputs.c.tag, inputs.c.digest, inputs.c.reference, inputs.c.source, inputs.c.commit
    )
    found = connection.execute(wanted.where(inputs.c.release == name).order_by(inputs.c.tag))
    return from_rows(found, FrozenInput)


def find_held(connection: Connection, digests: Iterable[str]) -> frozenset[str]:
    """Those of ``digests`` that some release of any stream is made of, withdrawn or not."""
    wanted = sorted(set(digests))
    found: set[str] = set()
    for start in range(0, len(wanted), _MOST_IN_ONE_QUESTION):
        part = wanted[start : start + _MOST_IN_ONE_QUESTION]
        rows = connection.execute(select(inputs.c.digest).where(inputs.c.digest.in_(part)))
        found.update(str(digest) for (digest,) in rows)
    return frozenset(found)


def read_transitions(connection: Connection, name: str) -> list[Transition]:
    """The steps of a release, the oldest first."""
    columns = [column for column in transitions.c if column.name != "id"]
    wanted = select(*columns).where(transitions.c.release == name).order_by(transitions.c.id)
    return from_rows(connection.execute(wanted), Transition)


def _log(connection: Connection, release: Release, *, before: Phase | None, actor: str) -> None:
    step = Transition(
        release=release.name,
        before=before,
        after=release.phase,
        time=release.changed,
        actor=actor,
        reason=release.reason,
        message=release.message,
    )
    connection.execute(insert(transitions).values(to_row(step)))


def _event(kind: str, release: Release, actor: str) -> Event:
    return Event(
        time=release.changed,
        kind=kind,
        stream=release.stream,
        release=release.name,
        actor=actor,
        message=release.message,
        content=to_content(release),
    )
