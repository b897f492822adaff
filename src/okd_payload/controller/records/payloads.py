# SPDX-License-Identifier: Apache-2.0
"""What payloads say of themselves and of updates: kept when their releases are removed."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from okd_payload.controller.model import PayloadFacts
from okd_payload.controller.records.rows import from_row, from_rows, put
from okd_payload.controller.records.tables import payloads


def write(connection: Connection, facts: PayloadFacts) -> None:
    """Write ``facts``, in the place of what was known of the same release."""
    put(connection, payloads, facts)


def find(connection: Connection, release: str) -> PayloadFacts | None:
    """What the payload of ``release`` said."""
    row = connection.execute(select(payloads).where(payloads.c.release == release)).one_or_none()
    return from_row(row, PayloadFacts) if row is not None else None


def list_all(connection: Connection, streams: Iterable[str] = ()) -> dict[str, PayloadFacts]:
    """The same of all payloads, or of those of ``streams``, by release."""
    wanted = select(payloads)
    names = list(streams)
    if names:
        wanted = wanted.where(payloads.c.stream.in_(names))
    found = from_rows(connection.execute(wanted), PayloadFacts)
    return {facts.release: facts for facts in found}
