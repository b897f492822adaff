# SPDX-License-Identifier: Apache-2.0
"""A controller that decides as in earnest and does nothing: what dry runs are made of.

It is the same code over a copy of the records in memory, with repositories that are read only and
with everybody who acts outside replaced by somebody who says that it went well. So a dry run takes
the very decisions that a pass takes, also those that follow from its own actions, and tells the
same actions. What only time or others can tell, such as how a run ends, it does not know.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import msgspec

from okd_payload.cli.serving.hands import Hands
from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.creation.makers import UnderWay
from okd_payload.controller.inputs.mirroring import find_target
from okd_payload.controller.model import FrozenInput, Release, RunState, VerificationRun
from okd_payload.controller.publishing.publisher import PublishContext
from okd_payload.controller.records import releases
from okd_payload.controller.records.removals import Removal
from okd_payload.controller.records.schedules import ScheduleRun
from okd_payload.controller.schedules.builder import BuildProgress
from okd_payload.controller.surroundings import OpenLocation, Surroundings
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.errors import NotFound, ReleaseError, StorageError
from okd_payload.oci.digest import Digest
from okd_payload.oci.location import DiskLocation, Location, parse_location
from okd_payload.oci.manifest import Descriptor, Manifest
from okd_payload.oci.repository import BlobSource, Repository
from okd_payload.oci.transfer import TransferReport


class RehearsedPlaces:
    """Repositories that look as if what was tagged in them were there; nothing is written."""

    def __init__(self, open_location: OpenLocation) -> None:
        self._open = open_location
        self._opened: dict[tuple[str, Path | None], RehearsedRepository] = {}

    async def open(self, location: Location) -> RehearsedRepository:
        """The repository at ``location``: the same one whenever it is asked for."""
        folder = location.folder if isinstance(location, DiskLocation) else None
        place = (location.repository, folder)
        if place not in self._opened:
            self._opened[place] = RehearsedRepository(await self._open(location))
        return self._opened[place]

    async def mirror(
        self,
        surroundings: Surroundings,
        configuration: StreamConfiguration,
        images: tuple[FrozenInput, ...],
    ) -> TransferReport:
        """Let ``images`` be found in the input of the stream; stands in for ``mirror``."""
        target = await self.open(await find_target(surroundings, configuration))
        for image in images:
            source = await surroundings.open_location(parse_location(image.reference))
            target.take(image.tag, image.digest, source)
        return TransferReport(images=())

    async def promote(
        self,
        surroundings: Surroundings,
        configuration: StreamConfiguration,
        target: StreamConfiguration,
        run: ScheduleRun,
    ) -> str:
        """Let the release be found under its stable name; stands in for ``promote``."""
        release = await surroundings.database.read(lambda unit: releases.find(unit, run.subject))
        if release is None or release.digest is None:
            raise ReleaseError(f"{run.subject} was removed before it was promoted")
        source = await self.open(parse_location(configuration.releases))
        stable = await self.open(parse_location(target.releases))
        stable.take(run.handle, release.digest, source)
        return release.digest


class RehearsedRepository:
    """A repository as it is, and what a rehearsal tagged or untagged in it."""

    def __init__(self, origin: Repository) -> None:
        self._sources: list[Repository] = [origin]
        self.name = origin.name
        self.blobs = _Blobs(self._sources)
        self.manifests = _Manifests(self._sources)

    def take(self, tag: str, digest: Digest, source: Repository) -> None:
        """Let ``tag`` lead to an image that is in ``source``."""
        self.manifests.changed[tag] = digest
        self._sources.append(source)


class _Manifests:
    def __init__(self, sources: Sequence[Repository]) -> None:
        self._sources = sources
        self.changed: dict[str, Digest | Manifest | None] = {}
        """By tag, the digest of its image, or itself; None for a tag that was taken away."""

    async def get(self, reference: str) -> Manifest:
        """The manifest, wherever it is. Raises NotFound."""
        found = self.changed.get(reference, reference)
        if isinstance(found, Manifest):
            return found
        if found is None:
            raise NotFound(f"a dry run has removed {reference}")
        for source in self._sources[1:] if reference in self.changed else ():
            with contextlib.suppress(NotFound):
                return await source.manifests.get(found)
        return await self._sources[0].manifests.get(found)

    async def put(self, manifest: Manifest, *, tag: str | None = None) -> None:
        """Let the tag lead to ``manifest``."""
        if tag is not None:
            self.changed[tag] = manifest

    async def untag(self, tag: str) -> None:
        """Let the tag be gone."""
        self.changed[tag] = None

    async def tags(self) -> list[str]:
        """All tags, sorted."""
        there = {*await self._sources[0].manifests.tags(), *self.changed}
        return sorted(tag for tag in there if self.changed.get(tag, tag) is not None)

    async def referrers(self, digest: Digest) -> list[Descriptor]:
        """Those that are there."""
        return await self._sources[0].manifests.referrers(digest)


class _Blobs:
    def __init__(self, sources: Sequence[Repository]) -> None:
        self._sources = sources

    async def stat(self, digest: Digest) -> int | None:
        """The size of a blob, wherever it is."""
        for source in self._sources:
            if (size := await source.blobs.stat(digest)) is not None:
                return size
        return None

    async def read(self, descriptor: Descriptor) -> AsyncIterator[bytes]:
        """The content of a blob, wherever it is. Raises NotFound."""
        for source in self._sources[1:]:
            if await source.blobs.stat(descriptor.digest) is not None:
                async for chunk in source.blobs.read(descriptor):
                    yield chunk
                return
        async for chunk in self._sources[0].blobs.read(descriptor):
            yield chunk

    async def write(self, descriptor: Descriptor, source: BlobSource) -> None:
        """Refuse: whoever writes has no stand-in here, and that is a fault of ours."""
        del source
        raise StorageError(f"a dry run would have written {descriptor.digest}")

    async def mount(self, descriptor: Descriptor, origin: Repository) -> bool:
        """Refuse as ``write`` does."""
        del origin
        raise StorageError(f"a dry run would have written {descriptor.digest}")


class RehearsedMaker:
    """Stands in for whoever makes payloads."""

    async def make(
        self, configuration: StreamConfiguration, release: Release, inputs: Sequence[FrozenInput]
    ) -> UnderWay:
        """It is under way."""
        del configuration, inputs
        return UnderWay(job=release.job)

    async def give_up(self, release: Release) -> None:
        """Nothing is under way."""


class RehearsedRunner:
    """Stands in for runners of every kind: what is started runs, and goes on to."""

    async def start(self, context: RunContext) -> RunUpdate:
        """It runs."""
        del context
        return RunUpdate(state=RunState.RUNNING)

    async def poll(self, context: RunContext) -> RunUpdate:
        """It is as it was."""
        return RunUpdate(state=context.run.state, message=context.run.message)

    async def cancel(self, context: RunContext) -> None:
        """It has ended."""


class RehearsedPublisher:
    """Stands in for publishers of every kind."""

    async def publish(self, context: PublishContext) -> str:
        """It is published where it was to be."""
        return ", ".join(context.action.targets)


class RehearsedCleaner:
    """Stands in for whoever removes what deleted releases left."""

    async def clean(self, removal: Removal) -> Removal:
        """All of it is gone."""
        return removal


class RehearsedRemover:
    """Stands in for whoever deletes objects of runs."""

    async def remove(self, run: VerificationRun) -> bool:
        """It is gone."""
        del run
        return True


class RehearsedBuilder:
    """Stands in for whoever builds."""

    async def advance(self, stream_file: str, identity: str) -> BuildProgress:
        """It is being built."""
        del stream_file, identity
        return BuildProgress()


def rehearse(surroundings: Surroundings) -> tuple[Surroundings, Callable[[Hands], Hands]]:
    """``surroundings`` whose records are a copy, with nothing left to write to, and stand-ins."""
    places = RehearsedPlaces(surroundings.open_location)

    def stand_in(hands: Hands) -> Hands:
        return Hands(
            mirroring=places.mirror,
            maker=RehearsedMaker(),
            runners=dict.fromkeys(hands.runners, RehearsedRunner()),
            publishers=dict.fromkeys(hands.publishers, RehearsedPublisher()),
            cleaner=RehearsedCleaner(),
            remover=RehearsedRemover(),
            promoting=places.promote,
            builder=RehearsedBuilder(),
            close=hands.close,
            wait=hands.wait,
        )

    rehearsed = msgspec.structs.replace(
        surroundings, open_location=places.open, open_target=places.open
    )
    return rehearsed, stand_in
