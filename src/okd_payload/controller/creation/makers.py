# SPDX-License-Identifier: Apache-2.0
"""The seam between deciding that a payload is to be made and whoever makes it.

A maker is asked in every pass and holds none up: it gives the payload once that is there, and
says that it is under way before. Whatever it has begun it finds again after a kill, or begins
again to the same end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from okd_payload.controller.adoption.adopting import take_over
from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.creation.making import MadePayload, make_payload
from okd_payload.controller.model import FrozenInput, Release
from okd_payload.controller.surroundings import Surroundings


class UnderWay(msgspec.Struct, frozen=True, kw_only=True):
    """That a payload is being made."""

    job: str = ""
    """The Job that makes it, where one does: part of the release's record from now on."""
    message: str = ""
    """What there is to say of it; empty leaves what the release says."""


class Maker(Protocol):
    """Makes payloads of releases."""

    async def make(
        self, configuration: StreamConfiguration, release: Release, inputs: Sequence[FrozenInput]
    ) -> MadePayload | UnderWay:
        """The payload of ``release``, or that it is under way.

        Raises ReleaseError and InputError when no attempt would make it, and other errors when
        this attempt is over and another may.
        """
        ...

    async def give_up(self, release: Release) -> None:
        """End what is under way for ``release``: nobody waits for it any more."""
        ...

    async def close(self) -> None:
        """End what is under way in this process; whoever acts next goes on with it."""
        ...


class ProcessMaker:
    """Makes payloads in this process, and takes those over that are there: at once."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    async def make(
        self, configuration: StreamConfiguration, release: Release, inputs: Sequence[FrozenInput]
    ) -> MadePayload:
        """The payload of ``release``. Raises as ``Maker.make`` does."""
        if release.adopted:
            return await take_over(self._surroundings, configuration, release)
        return await make_payload(self._surroundings, configuration, release, inputs)

    async def give_up(self, release: Release) -> None:
        """Nothing is under way between two calls."""

    async def close(self) -> None:
        """Nothing is under way between two calls."""


class BesideMaker:
    """Lets a maker that holds its caller up work beside the passes, one task for each release."""

    def __init__(self, maker: Maker, *, wake: Callable[[str], None]) -> None:
        """``wake`` is told the stream when something has ended."""
        self._maker = maker
        self._wake = wake
        self._tasks: dict[str, asyncio.Task[MadePayload | UnderWay]] = {}

    async def make(
        self, configuration: StreamConfiguration, release: Release, inputs: Sequence[FrozenInput]
    ) -> MadePayload | UnderWay:
        """The payload once its task has ended. Raises what that raised."""
        task = self._tasks.get(release.name)
        if task is None:
            task = asyncio.create_task(self._work(configuration, release, inputs))
            self._tasks[release.name] = task
        if not task.done():
            return UnderWay()
        del self._tasks[release.name]
        return await task

    async def give_up(self, release: Release) -> None:
        """End the task."""
        task = self._tasks.pop(release.name, None)
        if task is not None:
            await _end(task)
        await self._maker.give_up(release)

    async def close(self) -> None:
        """End all tasks."""
        while self._tasks:
            _, task = self._tasks.popitem()
            await _end(task)
        await self._maker.close()

    async def _work(
        self, configuration: StreamConfiguration, release: Release, inputs: Sequence[FrozenInput]
    ) -> MadePayload | UnderWay:
        try:
            return await self._maker.make(configuration, release, inputs)
        finally:
            asyncio.get_running_loop().call_soon(self._wake, configuration.name)


class ChosenMaker:
    """Lets Jobs make what a stream wants made there, and the process the rest."""

    def __init__(self, *, process: Maker, jobs: Maker) -> None:
        self._process = process
        self._jobs = jobs

    async def make(
        self, configuration: StreamConfiguration, release: Release, inputs: Sequence[FrozenInput]
    ) -> MadePayload | UnderWay:
        """The payload, or that it is under way: a Job that was begun is followed to its end."""
        in_job = (configuration.in_job or bool(release.job)) and not release.adopted
        maker = self._jobs if in_job else self._process
        return await maker.make(configuration, release, inputs)

    async def give_up(self, release: Release) -> None:
        """End it, wherever it is."""
        await self._process.give_up(release)
        await self._jobs.give_up(release)

    async def close(self) -> None:
        """End what is in this process."""
        await self._process.close()
        await self._jobs.close()


async def _end(task: asyncio.Task[MadePayload | UnderWay]) -> None:
    """Cancel ``task``; what came of it is of no use to anybody."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait([task])
    if not task.cancelled():
        task.exception()
