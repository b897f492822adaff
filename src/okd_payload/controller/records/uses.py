# SPDX-License-Identifier: Apache-2.0
"""Who uses which release: reported by people and clusters, so that retention leaves it alone."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, or_, select

from okd_payload.controller.model import Event
from okd_payload.controller.records import events
from okd_payload.controller.records.rows import from_row, put, to_content
from okd_payload.controller.records.tables import uses


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """That somebody uses a release."""

    release: str
    reporter: str
    """A cluster or a person: reporting again takes the place of what was reported before."""
    time: float
    until: float | None = None
    """When the report ends by itself; None when it has to be taken back."""
    message: str = ""


def write(connection: Connection, use: Use, *, stream: str) -> None:
    """Write ``use``, and tell of it when it is new."""
    is_new = use.reporter not in {each.reporter for each in list_of(connection, use.release)}
    put(connection, uses, use)
    if is_new:
        events.add(
            connection,
            Event(
                time=use.time,
                kind="release.used",
                stream=stream,
                release=use.release,
                actor=use.reporter,
                message=use.message,
                content=to_content(use),
            ),
        )


def end(connection: Connection, release: str, reporter: str) -> bool:
    """Take a report back; whether there was one."""
    found = connection.execute(
        delete(uses).where(uses.c.release == release, uses.c.reporter == reporter)
    )
    return bool(found.rowcount)


def list_of(connection: Connection, release: str = "", *, now: float | None = None) -> list[Use]:
    """The uses of ``release`` (of all, without); with ``now``, only those that still count."""
    wanted = select(uses).order_by(uses.c.release, uses.c.reporter)
    if release:
        wanted = wanted.where(uses.c.release == release)
    if now is not None:
        wanted = wanted.where(or_(uses.c.until.is_(None), uses.c.until > now))
    return [from_row(row, Use) for row in connection.execute(wanted)]


def forget(connection: Connection, release: str) -> None:
    """Delete what is said of a release that is no more."""
    connection.execute(delete(uses).where(uses.c.release == release))
