# SPDX-License-Identifier: Apache-2.0
"""The snapshot of the records as they are now, out of a former one where little happened since.

The log of events says what happened, and names the release: only those are read again. After many
events, or ones that name none, everything is. No event is trusted to say what a release is now:
that is always read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.graph.known import read_known
from okd_payload.controller.graph.nodes import Snapshot, change_snapshot, make_snapshot
from okd_payload.controller.model import Event, VerificationRun
from okd_payload.controller.records import events, streams

_LOOKED_AT = 500
"""So many events are looked at one by one; after more the snapshot is made anew."""
_CHANGED_ONE_BY_ONE = 50
"""So many releases are put into their places; after more the snapshot is made anew."""
_GRAPH = "graph"
"""The kind of events that change a graph and nothing else."""


def read_snapshot(
    connection: Connection, configurations: Mapping[str, StreamConfiguration]
) -> Snapshot:
    """Everything that graphs are made of, in one read."""
    return make_snapshot(
        known=read_known(connection),
        configurations=configurations,
        edges=streams.read_edges(connection),
        number=events.last_number(connection),
    )


def refresh(
    connection: Connection,
    before: Snapshot,
    configurations: Mapping[str, StreamConfiguration],
) -> Snapshot:
    """``before`` with what happened since; with the same nodes where no graph looks otherwise.

    Only the releases that something happened to are read: of twenty thousand, one changes.
    """
    number = events.last_number(connection)
    if number == before.number:
        return before
    news = events.read_since(connection, before.number, limit=_LOOKED_AT)
    if number < before.number or len(news) == _LOOKED_AT:
        return read_snapshot(connection, configurations)
    changed = {event.release for event in news if _matters(event)}
    if not changed:
        return msgspec.structs.replace(before, number=number)
    if "" in changed or len(changed) > _CHANGED_ONE_BY_ONE:
        return read_snapshot(connection, configurations)
    there = msgspec.structs.replace(before, number=number)
    return _read_changed(connection, there, changed, configurations)


def _read_changed(
    connection: Connection,
    before: Snapshot,
    changed: Collection[str],
    configurations: Mapping[str, StreamConfiguration],
) -> Snapshot:
    tested = {
        (edge.source, edge.target, edge.run): edge
        for name in changed
        for edge in (
            *streams.read_edges(connection, target=name),
            *streams.read_edges(connection, source=name),
        )
    }
    return change_snapshot(
        before,
        changed,
        known=read_known(connection, changed),
        configurations=configurations,
        edges=tested.values(),
    )


def _matters(event: Event) -> bool:
    """Whether a graph may look otherwise after ``event``: runs without an origin change none.

    Its release is the one that changed, or the end of the update; an event of graphs without one
    is about many.
    """
    if event.kind == "verification.run":
        return bool(msgspec.json.decode(event.content, type=VerificationRun).from_release)
    return event.kind.startswith("release.") or event.kind == _GRAPH
