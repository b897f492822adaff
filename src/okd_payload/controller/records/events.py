# SPDX-License-Identifier: Apache-2.0
"""What happened, in one order for everybody: pages, feeds and webhooks read on from a number.

An event is written in the unit of work that it tells of, so nobody hears of what did not happen,
and nothing that happened goes untold.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select

from okd_payload.controller.model import Event
from okd_payload.controller.records.rows import from_rows, to_row
from okd_payload.controller.records.tables import events


def add(connection: Connection, event: Event) -> int:
    """Write ``event`` down; its number."""
    row = to_row(event)
    del row["sequence"]
    number = connection.execute(insert(events).values(row).returning(events.c.sequence))
    return int(number.scalar_one())


def read_since(
    connection: Connection, sequence: int, *, stream: str = "", limit: int = 1000
) -> list[Event]:
    """The events after the one numbered ``sequence``, the oldest first."""
    wanted = select(events).where(events.c.sequence > sequence)
    if stream:
        wanted = wanted.where(events.c.stream == stream)
    wanted = wanted.order_by(events.c.sequence).limit(limit)
    return from_rows(connection.execute(wanted), Event)


def read_last(connection: Connection, *, stream: str = "", limit: int = 100) -> list[Event]:
    """The newest events, the newest first."""
    wanted = select(events).order_by(events.c.sequence.desc()).limit(limit)
    if stream:
        wanted = wanted.where(events.c.stream == stream)
    return from_rows(connection.execute(wanted), Event)


def last_number(connection: Connection) -> int:
    """The number of the newest event, 0 when there is none."""
    newest = select(func.coalesce(func.max(events.c.sequence), 0))
    return int(connection.execute(newest).scalar_one())


def forget(connection: Connection, before: float) -> None:
    """Delete events that are older than the moment ``before``; the newest stays.

    Numbers go on from it, so that who knows one hears of everything after it.
    """
    last = last_number(connection)
    connection.execute(delete(events).where(events.c.time < before, events.c.sequence < last))
