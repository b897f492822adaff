# SPDX-License-Identifier: Apache-2.0
"""A copy of the records in memory, for dry runs: whatever is written to it is gone afterwards.

Copied is what passes decide from, read in one moment. The inputs of releases, by far the most
rows, are left out, and so is what only people and webhooks read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from okd_payload.controller.records.database import Database, open_database
from okd_payload.controller.records.tables import (
    approvals,
    edges,
    payloads,
    publications,
    releases,
    removals,
    runs,
    schedule_runs,
    streams,
    transitions,
    uses,
)

_COPIED = (
    streams,
    releases,
    transitions,
    runs,
    publications,
    payloads,
    edges,
    approvals,
    uses,
    removals,
    schedule_runs,
)

Rows = list[tuple[Table, Sequence[dict[str, Any]]]]


async def copy_records(origin: Database | None) -> Database:
    """A database in memory with what ``origin`` has; empty without. Raises RecordsError."""
    copy = open_database("sqlite:///:memory:")
    if origin is not None:
        rows = await origin.read(_read)
        await copy.write(lambda unit: _write(unit, rows))
    return copy


def _read(connection: Connection) -> Rows:
    return [
        (table, [dict(row) for row in connection.execute(select(table)).mappings()])
        for table in _COPIED
    ]


def _write(connection: Connection, rows: Rows) -> None:
    for table, found in rows:
        if found:
            connection.execute(insert(table), found)
