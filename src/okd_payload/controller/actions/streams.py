# SPDX-License-Identifier: Apache-2.0
"""What people do to streams: pause, let go on, ask for a release although nothing changed.

These are states of the records, not of the configuration: files say what a stream is, people
what it does for now. Whether they may is decided by whoever asks.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.model import Event, StreamState
from okd_payload.controller.records import events, streams
from okd_payload.controller.records.rows import to_content
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError, UnknownName


async def pause(surroundings: Surroundings, name: str, *, actor: str, reason: str) -> StreamState:
    """Begin no release until somebody says go on; what was begun goes on.

    Raises UnknownName, and InputError without a reason: the page shows it.
    """
    if not reason.strip():
        raise InputError(
            f"{name} is not paused without a reason", hint="say why, for those who read the page"
        )
    return await _change(
        surroundings, name, actor=actor, reason=reason, kind="paused", paused=reason, by=actor
    )


async def resume(surroundings: Surroundings, name: str, *, actor: str, reason: str) -> StreamState:
    """Let the stream go on. Raises UnknownName."""
    return await _change(
        surroundings, name, actor=actor, reason=reason, kind="resumed", paused="", by=""
    )


async def rebuild(surroundings: Surroundings, name: str, *, actor: str, reason: str) -> StreamState:
    """Make a release although nothing changed. Raises UnknownName."""
    return await _change(
        surroundings, name, actor=actor, reason=reason, kind="rebuild", rebuild=True
    )


async def _change(
    surroundings: Surroundings,
    name: str,
    *,
    actor: str,
    reason: str,
    kind: str,
    paused: str | None = None,
    by: str = "",
    rebuild: bool | None = None,
) -> StreamState:
    known = surroundings.configurations()
    if name not in known:
        raise UnknownName("release stream", name, known=known)
    now = surroundings.clock.now()

    def unit(connection: Connection) -> StreamState:
        state = streams.find(connection, name)
        if paused is not None:
            state = msgspec.structs.replace(state, paused=paused, paused_by=by)
        if rebuild is not None:
            state = msgspec.structs.replace(state, rebuild=rebuild)
        streams.write(connection, state)
        told = Event(
            time=now,
            kind=f"stream.{kind}",
            stream=name,
            actor=actor,
            message=reason,
            content=to_content(state),
        )
        events.add(connection, told)
        return state

    return await surroundings.database.write(unit)
