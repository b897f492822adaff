# SPDX-License-Identifier: Apache-2.0
"""A repository that is read in several places, one after the other.

The place that answered last is asked first next time, and hosts that did not answer at all are
asked last for as long as the program runs: one dead mirror costs its patience once, not once per
image. A place that answers and lacks something, refuses us or cannot be reached leads to the
next one; content that is wrong never does, it is an error.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from okd_payload.errors import NotFound, RegistryError, RegistryRefused, RegistryUnavailable
from okd_payload.oci.digest import Digest, is_digest
from okd_payload.oci.manifest import Descriptor, Manifest
from okd_payload.oci.mirrors.rules import MirrorRules, Pulls
from okd_payload.oci.reference import Reference
from okd_payload.oci.repository import BlobSource, Repository

T = TypeVar("T")
_logger = logging.getLogger(__name__)


class OpenPlace(msgspec.Struct, frozen=True):
    """A repository to ask, and for which references."""

    repository: Repository
    host: str
    pulls: Pulls = Pulls.ALL


class MirroredRegistries:
    """Opens repositories by rules; what is learnt about hosts is shared by all of them."""

    def __init__(
        self, rules: MirrorRules, open_repository: Callable[[Reference], Repository]
    ) -> None:
        self._rules = rules
        self._open = open_repository
        self._silent: set[str] = set()
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
            raise _blocked(reference.repository)
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
            silent=self._silent,
        )


class MirroredRepository:
    """One repository; implements ``oci.repository.Repository``."""

    def __init__(
        self,
        name: str,
        places: Sequence[OpenPlace],
        *,
        source: Repository | None,
        silent: set[str] | None = None,
    ) -> None:
        """``places`` in the order to ask; ``source`` is where writing goes, None when forbidden."""
        self._name = name
        choice = _Choice(name, places, set() if silent is None else silent)
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


class _Choice:
    """Which place to ask, for both halves of a repository."""

    def __init__(self, name: str, places: Sequence[OpenPlace], silent: set[str]) -> None:
        self.name = name
        self._places = tuple(places)
        self._silent = silent
        self._working: OpenPlace | None = None

    def order(self, *, by_digest: bool) -> list[OpenPlace]:
        """The places to ask, best first. Raises RegistryRefused when there are none."""
        allowed = [place for place in self._places if place.pulls.allows(by_digest=by_digest)]
        if not allowed:
            raise _blocked(self.name, what="" if by_digest else "tags of ")
        return sorted(
            allowed, key=lambda place: (place is not self._working, place.host in self._silent)
        )

    async def ask(self, question: Callable[[Repository], Awaitable[T]], *, by_digest: bool) -> T:
        """The first answer. Raises RegistryError when no place has one."""
        failures = []
        for place in self.order(by_digest=by_digest):
            try:
                answer = await question(place.repository)
            except RegistryError as error:
                failures.append(error)
                self.failed(place, error)
            else:
                self.worked(place)
                return answer
        raise join_errors(self.name, failures)

    async def ask_all(
        self, question: Callable[[Repository], Awaitable[T]], *, by_digest: bool
    ) -> T:
        """The first answer that says something, else any. Raises RegistryError without any."""
        failures: list[RegistryError] = []
        empty: list[T] = []
        for place in self.order(by_digest=by_digest):
            try:
                answer = await question(place.repository)
            except RegistryError as error:
                failures.append(error)
                self.failed(place, error)
            else:
                if answer:
                    return answer
                empty.append(answer)
        if empty:
            return empty[0]
        raise join_errors(self.name, failures)

    def worked(self, place: OpenPlace) -> None:
        """Ask ``place`` first from now on."""
        self._working = place

    def failed(self, place: OpenPlace, error: RegistryError) -> None:
        """Ask ``place`` later from now on, and its host last if it did not answer."""
        _logger.info("%s: %s", place.repository.name, error)
        if self._working is place:
            self._working = None
        if isinstance(error, RegistryUnavailable):
            self._silent.add(place.host)


class MirroredBlobs:
    """Blobs, which are the same wherever they are."""

    def __init__(self, choice: _Choice, source: Repository | None) -> None:
        self._choice = choice
        self._source = source

    async def stat(self, digest: Digest) -> int | None:
        """The size in bytes of a blob, None when no place has it."""

        async def ask(repository: Repository) -> tuple[int, ...]:
            size = await repository.blobs.stat(digest)
            return () if size is None else (size,)

        found = await self._choice.ask_all(ask, by_digest=True)
        return found[0] if found else None

    async def read(self, descriptor: Descriptor) -> AsyncGenerator[bytes, None]:
        """The verified content; once a place has begun to send it, no other place is asked."""
        failures = []
        for place in self._choice.order(by_digest=True):
            begun = False
            try:
                async for chunk in place.repository.blobs.read(descriptor):
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

    def __init__(self, choice: _Choice, source: Repository | None) -> None:
        self._choice = choice
        self._source = source

    async def get(self, reference: str) -> Manifest:
        """The manifest with this tag or digest. Raises NotFound."""
        return await self._choice.ask(
            lambda repository: repository.manifests.get(reference), by_digest=is_digest(reference)
        )

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


def join_errors(name: str, failures: Sequence[RegistryError]) -> RegistryError:
    """The error that no place had what was asked of ``name``.

    It is NotFound only when every place said so: what cannot be reached may have it.
    """
    if len(failures) == 1:
        return failures[0]
    worst = next((error for error in failures if not isinstance(error, NotFound)), failures[-1])
    kind = RegistryUnavailable if isinstance(worst, RegistryUnavailable) else type(worst)
    reasons = "; ".join(str(error) for error in failures)
    return kind(f"{name}, of {len(failures)} places: {reasons}", hint=worst.hint)


def _writable(source: Repository | None, name: str) -> Repository:
    if source is None:
        raise _blocked(name)
    return source


def _blocked(name: str, what: str = "") -> RegistryRefused:
    return RegistryRefused(
        f"{what}{name} may not be asked for: the rules for mirrors block it",
        hint="look at registries.conf, and at the mirror sets that were given",
    )
