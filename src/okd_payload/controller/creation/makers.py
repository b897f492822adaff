# SPDX-License-Identifier: Apache-2.0
"""The seam between deciding that a payload is to be made and whoever makes it.

A maker is asked again until it gives the payload; one that lets others work says meanwhile that
it is under way. Whatever it has begun it finds again after a kill, or begins again to the same
end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from okd_payload.controller.adoption.adopting import take_over
from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.creation.making import MadePayload, make_payload
from okd_payload.controller.model import FrozenInput, Release
from okd_payload.controller.surroundings import Repositories


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
        """End what others do for ``release``: nobody waits for it any more."""
        ...


class ProcessMaker:
    """Makes payloads in this process, and takes those over that are there."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    async def make(
        self, configuration: StreamConfiguration, release: Release, inputs: Sequence[FrozenInput]
    ) -> MadePayload:
        """The payload of ``release``. Raises as ``Maker.make`` does."""
        if release.adopted:
            return await take_over(self._repositories, configuration, release)
        return await make_payload(self._repositories, configuration, release, inputs)

    async def give_up(self, release: Release) -> None:
        """Nobody else does anything for it."""


class ChosenMaker:
    """Lets Jobs make what a stream wants made there, and the process the rest."""

    def __init__(self, *, process: Maker, jobs: Maker) -> None:
        self._process = process
        self._jobs = jobs

    async def make(
        self, configuration: StreamConfiguration, release: Release, inputs: Sequence[FrozenInput]
    ) -> MadePayload | UnderWay:
        """The payload, or that it is under way: a Job that was begun is followed to its end."""
        in_job = configuration.in_job or bool(release.job)
        maker = self._jobs if in_job else self._process
        return await maker.make(configuration, release, inputs)

    async def give_up(self, release: Release) -> None:
        """End it, wherever it is."""
        await self._process.give_up(release)
        await self._jobs.give_up(release)
