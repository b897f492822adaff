# SPDX-License-Identifier: Apache-2.0
"""A repository that is read in several places, one after the other.

A place that answers and lacks something, refuses us or cannot be reached leads to the
next one; content that is wrong never does, it is an error.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence

from okd_payload.errors import RegistryError
from okd_payload.oci.attachments import Attached, AttachmentFinder, open_finder
from okd_payload.oci.blob_sources import closing
from okd_payload.oci.digest import Digest, is_digest
from okd_payload.oci.manifest import Descriptor, Manifest
from okd_payload.oci.mirrors.choice import Experience, OpenPlace, PlaceChoice, blocked, join_errors
from okd_payload.oci.mirrors.rules import MirrorRules
from okd_payload.oci.reference import Reference
from okd_payload.oci.repository import (
    Blobs,
    BlobSource,
    Repository,
    StreamsBlobs,
    stat_manifest,
)
from okd_payload.progress import Progress, ignore_progress

_TAG_OF_DIGEST = re.compile(r"sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{64})")


class MirroredRegistries:
    """Opens repositories by rules; what is learnt about hosts is shared by all of them."""

    def __init__(
        self,
        rules: MirrorRules,
        open_repository: Callable[[Reference], Repository],
        *,
        progress: Progress = ignore_progress,
    ) -> None:
        """``progress`` hears which place is read instead of which repository."""
        self._rules = rules
        self._open = open_repository
        self._experience = Experience(progress)
        self._repositories: dict[str, Repository] = {}

    def repository(self, reference: Reference) -> Repository:
        """The repository of ``reference``, read where the rules say; nothing is sent yet.

        Raises RegistryRefused when the rules forbid every place.
        """
        name = reference.repository
        if name not in self._repositories:
            self._repositories[name] = self._make(reference)
        return self._repositories[name]

    def _make(self, reference: Reference) -> Repository:
        places = self._rules.places(reference)
        if not places:
            raise blocked(reference.repository)
        if len(places) == 1 and places[0].reference.repository == reference.repository:
            return self._open(reference)
        opened = [
            OpenPlace(self._open(place.reference), place.reference.host, place.pulls)
            for place in places
        ]
        return MirroredRepository(
            reference.repository,
            opened,
            source=None if places[-1].is_mirror else opened[-1].repository,
            experience=self._experience,
        )


class MirroredRepository:
    """One repository; implements ``oci.repository.Repository``."""

    def __init__(
        self,
        name: str,
        places: Sequence[OpenPlace],
        *,
        source: Repository | None,
        experience: Experience | None = None,
    ) -> None:
        """``places`` in the order to ask; ``source`` is where writing goes, None when forbidden."""
        self._name = name
        choice = PlaceChoice(name, places, experience or Experience())
        self._choice = choice
        self.blobs = MirroredBlobs(choice, source)
        """The blobs."""
        self.manifests = MirroredManifests(choice, source)
        """The manifests and tags."""

    @property
    def name(self) -> str:
        """``host/path`` of the source, whichever place is read."""
        return self._name

    @property
    def working(self) -> Repository:
        """The place that answered last, or the first one to ask."""
        return self._choice.order(by_digest=True)[0].repository

    def __repr__(self) -> str:
        return f"<MirroredRepository {self._name}>"


class MirroredBlobs:
    """Blobs, which are the same wherever they are."""

    def __init__(self, choice: PlaceChoice, source: Repository | None) -> None:
        self._choice = choice
        self._source = source

    async def stat(self, digest: Digest) -> int | None:
        """The size in bytes of a blob, None when no place has it."""

        async def ask(repository: Repository) -> tuple[int, ...]:
            size = await repository.blobs.stat(digest)
            return () if size is None else (size,)

        found = await self._choice.ask_all(ask, by_digest=True)
        return found[0] if found else None

    async def read(self, descriptor: Descriptor) -> AsyncGenerator[bytes]:
        """The verified content; once a place has begun to send it, no other place is asked."""
        async with closing(self._first(lambda blobs: blobs.read(descriptor))) as chunks:
            async for chunk in chunks:
                yield chunk

    async def stream(self, descriptor: Descriptor) -> AsyncGenerator[bytes]:
        """The content, unverified where the place that has it can give it so."""

        def open_blob(blobs: Blobs) -> AsyncIterator[bytes]:
            if isinstance(blobs, StreamsBlobs):
                return blobs.stream(descriptor)
            return blobs.read(descriptor)

        async with closing(self._first(open_blob)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _first(self, read: Callable[[Blobs], AsyncIterator[bytes]]) -> AsyncGenerator[bytes]:
        failures = []
        for place in self._choice.order(by_digest=True):
            begun = False
            try:
                async with closing(read(place.repository.blobs)) as chunks:
                    async for chunk in chunks:
                        begun = True
                        yield chunk
            except RegistryError as error:
                self._choice.failed(place, error)
                if begun:
                    raise
                failures.append(error)
            else:
                self._choice.worked(place)
                return
        raise join_errors(self._choice.name, failures)

    async def write(self, descriptor: Descriptor, source: BlobSource) -> None:
        """Store content at the source. Raises RegistryRefused when that may not be contacted."""
        await _writable(self._source, self._choice.name).blobs.write(descriptor, source)

    async def mount(self, descriptor: Descriptor, origin: Repository) -> bool:
        """Take a blob from ``origin`` without moving bytes, at the source."""
        return await _writable(self._source, self._choice.name).blobs.mount(descriptor, origin)


class MirroredManifests:
    """Manifests by digest, and tags only where mirrors may be asked for tags."""

    def __init__(self, choice: PlaceChoice, source: Repository | None) -> None:
        self._choice = choice
        self._source = source

    async def get(self, reference: str) -> Manifest:
        """The manifest with this tag or digest. Raises NotFound."""
        return await self._choice.ask(
            lambda repository: repository.manifests.get(reference),
            by_digest=_goes_by_digest(reference),
        )

    async def stat(self, reference: str) -> Descriptor | None:
        """What a tag or digest leads to at the first place that has it; None when none has."""
        return await self._choice.ask_all(
            lambda repository: stat_manifest(repository.manifests, reference),
            by_digest=_goes_by_digest(reference),
        )

    def find_attachments(self, expected: int) -> AttachmentFinder:
        """A finder that looks in all places, in the ways that they have."""
        return _MirroredFinder(self._choice, expected)

    async def put(self, manifest: Manifest, *, tag: str | None = None) -> None:
        """Store ``manifest`` at the source."""
        await _writable(self._source, self._choice.name).manifests.put(manifest, tag=tag)

    async def tags(self) -> list[str]:
        """The tags of the first place that has any."""
        return await self._choice.ask_all(
            lambda repository: repository.manifests.tags(), by_digest=False
        )

    async def referrers(self, digest: Digest) -> list[Descriptor]:
        """The referrers that the first place with any has."""
        return await self._choice.ask_all(
            lambda repository: repository.manifests.referrers(digest), by_digest=True
        )


class _MirroredFinder:
    """Finds attachments where there are any first."""

    def __init__(self, choice: PlaceChoice, expected: int) -> None:
        self._choice = choice
        self._expected = expected
        self._finders: dict[str, AttachmentFinder] = {}

    async def find(self, digest: Digest) -> Attached:
        """What is attached to ``digest`` at the first place that has anything."""

        async def ask(repository: Repository) -> tuple[Attached, ...]:
            finder = self._finders.get(repository.name)
            if finder is None:
                finder = open_finder(repository.manifests, expected=self._expected)
                self._finders[repository.name] = finder
            found = await finder.find(digest)
            return (found,) if found != Attached() else ()

        found = await self._choice.ask_all(ask, by_digest=True)
        return found[0] if found else Attached()


def _goes_by_digest(reference: str) -> bool:
    """Whether mirrors for digests know ``reference``: tags of attachments are made of digests."""
    return is_digest(reference) or _TAG_OF_DIGEST.match(reference) is not None


def _writable(source: Repository | None, name: str) -> Repository:
    if source is None:
        raise blocked(name)
    return source
