# SPDX-License-Identifier: Apache-2.0
"""What the page of one stream shows: a page of its releases, and how it fared lately.

Pages are cut at a release, not at a number: what is made meanwhile moves nothing.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, Select, and_, func, or_, select

from okd_payload.controller.model import (
    Edge,
    Phase,
    Publication,
    Release,
    StreamState,
    VerificationRun,
)
from okd_payload.controller.records import releases as records
from okd_payload.controller.records import runs, streams
from okd_payload.controller.records.rows import from_rows
from okd_payload.controller.records.tables import edges, publications, releases
from okd_payload.controller.views.overview import find_accepted

PLOTTED = 200
"""Decided releases that a plot shows."""
_ESCAPE = "\\"


class ReleaseFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which releases are wanted."""

    phases: tuple[Phase, ...] = ()
    text: str = ""
    """Part of the name."""
    before: str = ""
    """The release after which the page begins."""
    withdrawn: bool = False
    """Those that were withdrawn, instead of the others."""
    limit: int = 50


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """How one release ended, for plots."""

    name: str
    phase: Phase
    created: float
    changed: float


class StreamPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of one stream."""

    state: StreamState
    releases: tuple[Release, ...] = ()
    following: str = ""
    """The ``before`` of the next page; empty on the last."""
    counts: dict[Phase, int] = {}
    accepted: Release | None = None
    runs: dict[str, tuple[VerificationRun, ...]] = {}
    updates: dict[str, tuple[Edge, ...]] = {}
    """The tested updates into each release."""
    publications: dict[str, tuple[Publication, ...]] = {}
    decided: tuple[Decided, ...] = ()
    """The oldest first."""


def read_stream(connection: Connection, name: str, wanted: ReleaseFilter) -> StreamPage:
    """The stream called ``name``, with the releases that are ``wanted``."""
    found = _read_releases(connection, name, wanted)
    shown = found[: wanted.limit]
    names = [each.name for each in shown]
    made = runs.list_of(connection, names)
    return StreamPage(
        state=streams.find(connection, name),
        releases=tuple(shown),
        following=shown[-1].name if len(found) > wanted.limit else "",
        counts=_count(connection, name),
        accepted=find_accepted(connection, name),
        runs={each: tuple(made[each]) for each in names},
        updates=_read_updates(connection, names),
        publications=_read_publications(connection, names),
        decided=read_decided(connection, name),
    )


def read_decided(
    connection: Connection, stream: str, *, limit: int = PLOTTED
) -> tuple[Decided, ...]:
    """How the newest decided releases of ``stream`` ended, the oldest first."""
    phases = [phase.value for phase in Phase if phase.is_final]
    wanted = (
        select(releases.c.name, releases.c.phase, releases.c.created, releases.c.changed)
        .where(releases.c.stream == stream, releases.c.phase.in_(phases))
        .order_by(releases.c.created.desc())
        .limit(limit)
    )
    return tuple(reversed(from_rows(connection.execute(wanted), Decided)))


def escape_like(text: str) -> str:
    """``text`` as part of a pattern that means nothing but itself."""
    for special in (_ESCAPE, "%", "_"):
        text = text.replace(special, _ESCAPE + special)
    return text


def _read_releases(connection: Connection, stream: str, wanted: ReleaseFilter) -> list[Release]:
    """One more than the limit, where there is one."""
    query = select(releases).where(releases.c.stream == stream)
    column = releases.c.withdrawn
    query = query.where(column.is_not(None) if wanted.withdrawn else column.is_(None))
    if wanted.phases:
        query = query.where(releases.c.phase.in_([phase.value for phase in wanted.phases]))
    if wanted.text:
        pattern = f"%{escape_like(wanted.text)}%"
        query = query.where(releases.c.name.like(pattern, escape=_ESCAPE))
    query = _cut(connection, query, wanted.before)
    query = query.order_by(releases.c.created.desc(), releases.c.name.desc())
    return from_rows(connection.execute(query.limit(wanted.limit + 1)), Release)


def _cut(connection: Connection, query: Select[tuple[object]], name: str) -> Select[tuple[object]]:
    """``query`` from the release called ``name`` on; from the newest where there is none."""
    start = records.find(connection, name) if name else None
    if start is None:
        return query
    created = releases.c.created
    same = and_(created == start.created, releases.c.name < start.name)
    return query.where(or_(created < start.created, same))


def _count(connection: Connection, stream: str) -> dict[Phase, int]:
    found = connection.execute(
        select(releases.c.phase, func.count())
        .where(releases.c.stream == stream, releases.c.withdrawn.is_(None))
        .group_by(releases.c.phase)
    )
    return {Phase(phase): number for phase, number in found}


def _read_updates(connection: Connection, names: Collection[str]) -> dict[str, tuple[Edge, ...]]:
    found: dict[str, list[Edge]] = {}
    wanted = select(edges).where(edges.c.target.in_(names)).order_by(edges.c.time)
    for edge in from_rows(connection.execute(wanted), Edge):
        found.setdefault(edge.target, []).append(edge)
    return {name: tuple(group) for name, group in found.items()}


def _read_publications(
    connection: Connection, names: Collection[str]
) -> dict[str, tuple[Publication, ...]]:
    """The last word of each publication of each release."""
    columns = [column for column in publications.c if column.name != "id"]
    wanted = select(*columns).where(publications.c.release.in_(names)).order_by(publications.c.id)
    found: dict[str, dict[str, Publication]] = {}
    for publication in from_rows(connection.execute(wanted), Publication):
        found.setdefault(publication.release, {})[publication.name] = publication
    return {name: tuple(group.values()) for name, group in found.items()}
