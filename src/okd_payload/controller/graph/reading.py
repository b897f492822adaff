# SPDX-License-Identifier: Apache-2.0
"""The snapshot of the records as they are now, and whether a former one still holds."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.graph.nodes import Snapshot, make_snapshot
from okd_payload.controller.model import Event, VerificationRun
from okd_payload.controller.records import events, payloads, releases, streams

_LOOKED_AT = 500
"""So many events are looked at one by one; after more the snapshot is made anew."""


def read_snapshot(
    connection: Connection, configurations: Mapping[str, StreamConfiguration]
) -> Snapshot:
    """Everything that graphs are made of, in one read."""
    return make_snapshot(
        releases=releases.list_of(connection, withdrawn=None),
        facts=payloads.list_all(connection),
        configurations=configurations,
        edges=streams.read_edges(connection),
        number=events.last_number(connection),
    )


def refresh(
    connection: Connection,
    before: Snapshot,
    configurations: Mapping[str, StreamConfiguration],
) -> Snapshot:
    """``before`` where nothing happened since that changes a graph, else a new snapshot."""
    number = events.last_number(connection)
    if number == before.number:
        return before
    news = events.read_since(connection, before.number, limit=_LOOKED_AT)
    if number < before.number or len(news) == _LOOKED_AT or any(map(_matters, news)):
        return read_snapshot(connection, configurations)
    return msgspec.structs.replace(before, number=number)


def _matters(event: Event) -> bool:
    """Whether a graph may look otherwise after ``event``: runs without an origin change none."""
    if event.kind == "verification.run":
        return bool(msgspec.json.decode(event.content, type=VerificationRun).from_release)
    return event.kind.startswith("release.") or event.kind == "graph"
