# SPDX-License-Identifier: Apache-2.0
"""A pending release and its payload: made, tried again for a while, or given up with a reason.

Every end is one write with its transition, refused where this instance acts no longer; what the
maker did before that is done again to the same end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.creation.makers import Maker, UnderWay
from okd_payload.controller.creation.making import MadePayload
from okd_payload.controller.model import Phase, Release
from okd_payload.controller.records import payloads, releases
from okd_payload.controller.service.errands import Errands
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError, OkdPayloadError, ReleaseError

Write = Callable[[Callable[[Connection], object]], Awaitable[object]]

PAUSES = (60.0, 300.0, 900.0)
"""Seconds before a creation that failed is tried again, by the number of the attempt."""


class Creation:
    """Brings pending releases to their payloads."""

    def __init__(
        self, surroundings: Surroundings, maker: Maker, errands: Errands, *, write: Write
    ) -> None:
        self._surroundings = surroundings
        self._errands = errands
        self._maker = maker
        self._write = write

    async def go_on(self, configuration: StreamConfiguration, release: Release) -> None:
        """Begin making the payload of ``release``, or see what came of it.

        Raises RecordsError.
        """
        inputs = await self._surroundings.database.read(
            lambda unit: releases.read_inputs(unit, release.name)
        )
        try:
            made = await self._errands.go_on(
                ("make", release.name), lambda: self._maker.make(configuration, release, inputs)
            )
        except (InputError, ReleaseError) as error:
            await self._fail(release, code="InvalidPayload", message=error.message)
        except OkdPayloadError as error:
            await self._try_again(configuration, release, error)
        else:
            if made is not None:
                await self._note(release, made)

    async def give_up(self, release: Release) -> None:
        """Nobody waits for the payload of ``release`` any more."""
        await self._errands.drop(("make", release.name))
        await self._maker.give_up(release)

    async def _note(self, release: Release, made: MadePayload | UnderWay) -> None:
        now = self._surroundings.clock.now()
        if isinstance(made, MadePayload):
            await self._write(lambda unit: _finish(unit, release, made, now))
            return
        message = made.message or release.message
        if (made.job, message) != (release.job, release.message):
            going = msgspec.structs.replace(release, job=made.job, message=message)
            await self._write(lambda unit: releases.change(unit, going, time=now, reason=message))

    async def _try_again(
        self, configuration: StreamConfiguration, release: Release, error: OkdPayloadError
    ) -> None:
        attempts = release.attempts + 1
        if attempts >= configuration.creation_attempts:
            await self._fail(release, code="CreateReleaseFailed", message=error.message)
            return
        now = self._surroundings.clock.now()
        due = now + PAUSES[min(attempts, len(PAUSES)) - 1]
        later = msgspec.structs.replace(
            release, attempts=attempts, retry_at=due, message=error.message, job=""
        )
        await self._write(lambda unit: releases.change(unit, later, time=now, reason=error.message))

    async def _fail(self, release: Release, *, code: str, message: str) -> None:
        now = self._surroundings.clock.now()
        ended = msgspec.structs.replace(
            release, attempts=release.attempts + 1, retry_at=None, job=""
        )
        await self._write(
            lambda unit: releases.move(
                unit, ended, Phase.FAILED, time=now, reason=code, message=message
            )
        )


def _finish(connection: Connection, release: Release, made: MadePayload, now: float) -> None:
    """The payload of ``release`` is there."""
    releases.write_inputs(connection, release.name, made.images)
    payloads.write(connection, made.facts)
    ready = msgspec.structs.replace(
        release,
        digest=made.digest,
        pull_spec=made.pull_spec,
        attempts=release.attempts + 1,
        retry_at=None,
        job="",
    )
    releases.move(connection, ready, Phase.READY, time=now, reason="Created", message=made.warnings)
