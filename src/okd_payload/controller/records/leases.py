# SPDX-License-Identifier: Apache-2.0
"""Who acts: one instance at a time holds a lease, and each new holder begins a new term.

Moments are those of the database's own clock where it has one, so that instances whose clocks
differ agree. Writes of a holder check the term in their own unit of work: one who was taken
for dead cannot write any more when it wakes.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select, text

from okd_payload.controller.records.rows import from_row, put
from okd_payload.controller.records.tables import leases
from okd_payload.errors import RecordsError

LONGEST = 300.0
"""Seconds. One that seems to last longer was taken before the clock was set back: it is over."""


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to act under a name, until a moment."""

    name: str
    holder: str
    term: int
    until: float


class LeaseLost(RecordsError):
    """Another instance acts now."""


def take(
    connection: Connection, name: str, *, holder: str, seconds: float, now: float
) -> Lease | None:
    """The lease, taken or renewed for ``seconds``; None while somebody else holds it.

    ``now`` counts only where the database has no clock of its own.
    """
    moment = _moment(connection, now)
    found = _find(connection, name)
    lasts = found is not None and moment < found.until <= moment + LONGEST
    if found is not None and lasts and found.holder != holder:
        return None
    same = found is not None and lasts and found.holder == holder
    term = found.term if found is not None and same else (found.term if found else 0) + 1
    lease = Lease(name=name, holder=holder, term=term, until=moment + seconds)
    put(connection, leases, lease)
    return lease


def check(connection: Connection, lease: Lease, *, now: float) -> None:
    """Return while ``lease`` holds. Raises LeaseLost."""
    found = _find(connection, lease.name)
    if (
        found is None
        or (found.holder, found.term) != (lease.holder, lease.term)
        or found.until <= _moment(connection, now)
    ):
        raise LeaseLost(
            f"{lease.holder} does not hold {lease.name} any more",
            hint="another instance acts; this one waits for its turn",
        )


def give_up(connection: Connection, lease: Lease) -> None:
    """Let others take the lease at once."""
    found = _find(connection, lease.name)
    if found is not None and (found.holder, found.term) == (lease.holder, lease.term):
        put(connection, leases, msgspec.structs.replace(found, until=0.0))


def holder_of(connection: Connection, name: str, *, now: float) -> str:
    """Who holds the lease now; empty when nobody does."""
    found = _find(connection, name)
    return found.holder if found is not None and found.until > _moment(connection, now) else ""


def _find(connection: Connection, name: str) -> Lease | None:
    row = connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
    return from_row(row, Lease) if row is not None else None


def _moment(connection: Connection, now: float) -> float:
    if connection.dialect.name != "postgresql":
        return now
    return float(
        connection.execute(text("select extract(epoch from clock_timestamp())")).scalar_one()
    )
