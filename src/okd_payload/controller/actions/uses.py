# SPDX-License-Identifier: Apache-2.0
"""What people and clusters say of releases that they use: these are not removed."""

from __future__ import annotations

from sqlalchemy import Connection

from okd_payload.controller.actions.releases import find_release
from okd_payload.controller.model import Event
from okd_payload.controller.records import events, uses
from okd_payload.controller.records.uses import Use
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError


async def report_use(
    surroundings: Surroundings, name: str, *, actor: str, reason: str, seconds: float | None = None
) -> Use:
    """Say that ``actor`` uses the release, for ``seconds`` or until that is taken back.

    Reporting again counts from now. Raises UnknownName, and InputError for a time that is over.
    """
    if seconds is not None and seconds <= 0:
        raise InputError("a use that ends at once is none", hint="say for how long, or for ever")
    now = surroundings.clock.now()
    until = now + seconds if seconds is not None else None

    def unit(connection: Connection) -> Use:
        release = find_release(connection, name)
        use = Use(release=name, reporter=actor, time=now, until=until, message=reason)
        uses.write(connection, use, stream=release.stream)
        return use

    return await surroundings.database.write(unit)


async def end_use(surroundings: Surroundings, name: str, *, actor: str, reason: str = "") -> bool:
    """Take back that ``actor`` uses the release; whether that was said. Raises UnknownName."""
    now = surroundings.clock.now()

    def unit(connection: Connection) -> bool:
        release = find_release(connection, name)
        ended = uses.end(connection, name, actor)
        if ended:
            told = Event(
                time=now,
                kind="release.unused",
                stream=release.stream,
                release=name,
                actor=actor,
                message=reason,
            )
            events.add(connection, told)
        return ended

    return await surroundings.database.write(unit)
