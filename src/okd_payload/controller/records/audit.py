# SPDX-License-Identifier: Apache-2.0
"""Who asked for which change, from where, and how it ended: refused requests too."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, insert, select

from okd_payload.controller.records.rows import from_row, to_row
from okd_payload.controller.records.tables import audit


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One request that would change something."""

    number: int = 0
    time: float
    actor: str
    """Empty when nobody was recognised."""
    address: str
    action: str
    """Method and path, as in ``POST /api/v2/releases/X/accept``."""
    status: int
    """The status of the answer; 0 for what was done on the database itself."""
    message: str = ""


def add(connection: Connection, entry: AuditEntry) -> None:
    """Write ``entry`` down."""
    row = to_row(entry)
    del row["number"]
    connection.execute(insert(audit).values(row))


def read_last(
    connection: Connection, *, before: int | None = None, limit: int = 100
) -> list[AuditEntry]:
    """The newest entries, the newest first; with ``before``, those older than that number."""
    wanted = select(audit).order_by(audit.c.number.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(audit.c.number < before)
    return [from_row(row, AuditEntry) for row in connection.execute(wanted)]


def forget(connection: Connection, before: float) -> None:
    """Delete entries that are older than the moment ``before``."""
    connection.execute(delete(audit).where(audit.c.time < before))
