# SPDX-License-Identifier: Apache-2.0
"""What is remembered of streams, of publications and of tested updates.

The state of a stream is written over. The log of publications is only added to, for what stands
where is read from its order. Of a tested update there is one line for each run, the last that was
said of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, func, insert, select

from okd_payload.controller.model import (
    Edge,
    Event,
    Publication,
    PublicationState,
    RunState,
    StreamState,
    VerificationRun,
)
from okd_payload.controller.records import events
from okd_payload.controller.records.rows import from_row, from_rows, put, to_content, to_row
from okd_payload.controller.records.tables import edges, publications, streams


def find(connection: Connection, name: str) -> StreamState:
    """What is remembered of the stream; of a new one, that nothing is."""
    row = connection.execute(select(streams).where(streams.c.name == name)).one_or_none()
    return from_row(row, StreamState) if row is not None else StreamState(name=name)


def list_all(connection: Connection) -> dict[str, StreamState]:
    """The same of all streams, by name."""
    found = from_rows(connection.execute(select(streams)), StreamState)
    return {state.name: state for state in found}


def write(connection: Connection, state: StreamState) -> None:
    """Remember ``state``."""
    put(connection, streams, state)


def add_publication(connection: Connection, publication: Publication, *, stream: str) -> None:
    """Write down one step of a publication, and tell of it; former steps stay."""
    row = to_row(publication) | {"stream": stream}
    connection.execute(insert(publications).values(row))
    events.add(
        connection,
        Event(
            time=publication.time,
            kind="publication",
            stream=stream,
            release=publication.release,
            actor=publication.actor,
            message=f"{publication.name}: {publication.state.value}",
            content=to_content(publication),
        ),
    )


def read_publications(
    connection: Connection, *, names: Iterable[str] = (), publication: str = "", stream: str = ""
) -> list[Publication]:
    """The steps of publications of the releases called ``names`` (all without), the oldest first.

    With ``publication``, only those of that way of publishing; with ``stream``, only those of
    its releases, also of releases that are gone.
    """
    wanted_names = list(names)
    columns = [column for column in publications.c if column.name not in ("id", "stream")]
    wanted = select(*columns).order_by(publications.c.id)
    if wanted_names:
        wanted = wanted.where(publications.c.release.in_(wanted_names))
    if publication:
        wanted = wanted.where(publications.c.name == publication)
    if stream:
        wanted = wanted.where(publications.c.stream == stream)
    return from_rows(connection.execute(wanted), Publication)


def read_last_publications(
    connection: Connection, *, publication: str, stream: str
) -> list[Publication]:
    """The steps of a way of publishing from its last that was done on, the oldest first.

    All of them where none was done yet.
    """
    mine = (publications.c.stream == stream, publications.c.name == publication)
    done = publications.c.state == PublicationState.DONE.value
    last = select(func.coalesce(func.max(publications.c.id), 0)).where(*mine, done)
    columns = [column for column in publications.c if column.name not in ("id", "stream")]
    wanted = select(*columns).where(*mine, publications.c.id >= last.scalar_subquery())
    return from_rows(connection.execute(wanted.order_by(publications.c.id)), Publication)


def add_edge(connection: Connection, edge: Edge) -> None:
    """Write what one run says of an update, in the place of what it said before."""
    put(connection, edges, edge)


def add_tested(connection: Connection, run: VerificationRun, *, time: float) -> None:
    """Write what ``run`` says of the update that it tests; nothing where it tests none yet."""
    if not run.from_release or run.state is RunState.QUEUED:
        return
    edge = Edge(
        source=run.from_release,
        target=run.release,
        run=run.id,
        url=run.url,
        state=run.state,
        time=time,
        platform=run.platform,
    )
    add_edge(connection, edge)


def read_edges(connection: Connection, *, target: str = "", source: str = "") -> list[Edge]:
    """The tested updates, of all releases or into ``target`` or out of ``source``."""
    wanted = select(edges).order_by(edges.c.source, edges.c.target, edges.c.run)
    if target:
        wanted = wanted.where(edges.c.target == target)
    if source:
        wanted = wanted.where(edges.c.source == source)
    return from_rows(connection.execute(wanted), Edge)
