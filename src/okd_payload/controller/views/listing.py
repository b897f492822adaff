# SPDX-License-Identifier: Apache-2.0
"""Releases over all streams, page by page, for programs that go through all of them.

A page is cut at a moment and a name, not at a number: what is made or deleted meanwhile moves
nothing, and a release that is gone is no hole.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, and_, or_, select

from okd_payload.controller.model import Event, Phase, Release
from okd_payload.controller.records.rows import from_rows
from okd_payload.controller.records.tables import events, releases
from okd_payload.controller.views.stream import escape_like


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended."""

    created: float
    name: str


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """Which releases are wanted."""

    stream: str = ""
    phases: tuple[Phase, ...] = ()
    text: str = ""
    """Part of the name."""
    since: float | None = None
    """Created at that moment or later."""
    until: float | None = None
    """Created before that moment."""
    withdrawn: bool | None = False
    after: Place | None = None
    limit: int = 50


def list_releases(connection: Connection, wanted: Listing) -> tuple[list[Release], Place | None]:
    """The releases of one page, the newest first, and where the next begins: None on the last."""
    created, name = releases.c.created, releases.c.name
    query = select(releases).order_by(created.desc(), name.desc())
    if wanted.stream:
        query = query.where(releases.c.stream == wanted.stream)
    if wanted.phases:
        query = query.where(releases.c.phase.in_([phase.value for phase in wanted.phases]))
    if wanted.text:
        query = query.where(name.like(f"%{escape_like(wanted.text)}%", escape="\\"))
    if wanted.since is not None:
        query = query.where(created >= wanted.since)
    if wanted.until is not None:
        query = query.where(created < wanted.until)
    if wanted.withdrawn is not None:
        column = releases.c.withdrawn
        query = query.where(column.is_not(None) if wanted.withdrawn else column.is_(None))
    if wanted.after is not None:
        place = wanted.after
        same = and_(created == place.created, name < place.name)
        query = query.where(or_(created < place.created, same))
    found = from_rows(connection.execute(query.limit(wanted.limit + 1)), Release)
    shown = found[: wanted.limit]
    more = len(found) > wanted.limit
    return shown, Place(shown[-1].created, shown[-1].name) if more else None


def list_events(
    connection: Connection,
    *,
    stream: str = "",
    release: str = "",
    kind: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[Event]:
    """Events as they are wanted, the newest first, those older than the number ``before``."""
    query = select(events).order_by(events.c.sequence.desc()).limit(limit)
    for column, text in ((events.c.stream, stream), (events.c.release, release)):
        if text:
            query = query.where(column == text)
    if kind:
        query = query.where(events.c.kind == kind)
    if before is not None:
        query = query.where(events.c.sequence < before)
    return from_rows(connection.execute(query), Event)
