# SPDX-License-Identifier: Apache-2.0
"""Putting the rooms together for one command: the only place that knows all of them.

What a command does not use is not opened, and not even imported: a plan without images of
elsewhere never loads the HTTP client.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from okd_payload.clock import SystemClock
from okd_payload.errors import InputError
from okd_payload.oci.location import DiskLocation, Location, RegistryLocation
from okd_payload.oci.mirrors.rules import MirrorRules
from okd_payload.oci.reference import Reference
from okd_payload.oci.repository import Repository
from okd_payload.scratch import scratch_folder

if TYPE_CHECKING:
    from okd_payload.cli.settings import Settings
    from okd_payload.oci.cache import Shelves
    from okd_payload.oci.documents import DocumentAnswer
    from okd_payload.oci.mirrors.repository import MirroredRegistries
    from okd_payload.oci.registry import RegistryClient, RegistrySettings
    from okd_payload.oci.web_requests import WebAnswer, WebRequest
    from okd_payload.progress import Event, Progress
    from okd_payload.source.listing import ListedSourceTree


class Services:
    """What a command works with; opened by ``open_services``."""

    def __init__(
        self,
        settings: Settings,
        progress: Progress,
        stack: contextlib.AsyncExitStack,
        registries: RegistrySettings | None,
    ) -> None:
        self.locations = settings.locations
        self.clock = SystemClock()
        self.progress = progress
        """Who listens now; a command with several parts replaces it."""
        self.beside: list[Repository] = []
        """Repositories of this machine in which releases were found: their images may be there."""
        self._stack = stack
        self._registries = registries
        self._client: RegistryClient | None = None
        self._mirrored: MirroredRegistries | None = None

    @cached_property
    def shelves(self) -> Shelves:
        """The cache of what registries hold by digest."""
        from okd_payload.oci.cache import Shelves

        shelves = Shelves(self.locations.content, clock=self.clock)
        self._stack.callback(shelves.prune_sometimes)
        return shelves

    @cached_property
    def sources(self) -> ListedSourceTree:
        """The git mirrors and folders that components are built from; a snapshot brings more."""
        from okd_payload.source.tree import Sources

        return Sources(self.locations, clock=self.clock, progress=self.tell)

    def temporary_folder(self) -> Path:
        """A new empty folder, absolute, which is gone when the command ends."""
        folder = tempfile.TemporaryDirectory(prefix="okd-payload-")
        return Path(self._stack.enter_context(folder)).absolute()

    def tell(self, event: Event) -> None:
        """Pass ``event`` on to whoever listens now."""
        self.progress(event)

    async def open_repository(self, reference: Reference) -> Repository:
        """The repository of a registry that ``reference`` lies in, to be read, by its mirrors."""
        client = await self._open_client()
        rules = client.settings.mirrors
        if rules == MirrorRules():
            return client.repository(reference)
        if self._mirrored is None:
            from okd_payload.oci.mirrors.repository import MirroredRegistries

            self._mirrored = MirroredRegistries(rules, client.repository, progress=self.tell)
        return self._mirrored.repository(reference)

    async def open_target(self, location: Location) -> Repository:
        """The repository at ``location``, to be written: never a mirror, not even to look."""
        if isinstance(location, RegistryLocation):
            return (await self._open_client()).repository(location.reference)
        return await self.open_location(location)

    async def open_cached(self, reference: Reference) -> Repository:
        """The same with the cache in front: for what does not depend on things being there."""
        from okd_payload.oci.cache import CachedRepository

        return CachedRepository(await self.open_repository(reference), self.shelves)

    async def fetch_document(self, url: str, *, limit: int, token: str = "") -> bytes:
        """What a web server has at ``url``, at most ``limit`` bytes. Raises RegistryError."""
        client = await self._open_client()
        return await client.fetch_document(url, limit=limit, token=token)

    async def ask_document(self, url: str, *, limit: int) -> DocumentAnswer:
        """What a web server says about ``url``, asked once. Raises RegistryError."""
        return await (await self._open_client()).ask_document(url, limit=limit)

    async def put_document(self, url: str, content: bytes, *, token: str = "") -> bool:
        """Store ``content`` at ``url``; False when something is there. Raises RegistryError."""
        return await (await self._open_client()).put_document(url, content, token=token)

    async def ask_web(self, request: WebRequest, *, limit: int) -> WebAnswer:
        """What the interface of a web server answers, asked once. Raises RegistryError."""
        return await (await self._open_client()).ask_web(request, limit=limit)

    def built_releases(self) -> dict[str, Path]:
        """The layouts with the releases of all streams that were built on this machine."""
        streams = self.locations.state / "streams"
        names = sorted(path.name for path in streams.iterdir()) if streams.is_dir() else []
        return {name: self.locations.releases(name) for name in names}

    def built_images(self) -> list[Repository]:
        """The images of all streams that were built on this machine."""
        streams = self.locations.state / "streams"
        names = sorted(path.name for path in streams.iterdir()) if streams.is_dir() else []
        if not names:
            return []
        from okd_payload.oci.layout import LayoutRepository

        return [LayoutRepository(self.locations.images(name)) for name in names]

    async def open_location(self, location: Location) -> Repository:
        """The repository at ``location``: in a layout, a directory, or a registry.

        Raises InputError where a file stands in the place of the folder.
        """
        if isinstance(location, RegistryLocation):
            return await self.open_repository(location.reference)
        if isinstance(location, DiskLocation):
            from okd_payload.oci.disk_registry import DiskRepository

            _refuse_file(location.folder, location)
            return DiskRepository(location.folder, location.path)
        from okd_payload.oci.layout import LayoutRepository

        _refuse_file(location.path, location)
        return LayoutRepository(location.path)

    async def open_release(self, location: Location) -> Repository:
        """The same for a release: where it is on this machine, its images are looked for too."""
        repository = await self.open_location(location)
        if not isinstance(location, RegistryLocation):
            self.beside.append(repository)
        return repository

    async def _open_client(self) -> RegistryClient:
        if self._client is None:
            from okd_payload.oci.registry import RegistryClient

            client = RegistryClient(self._registries, clock=self.clock, progress=self.tell)
            self._client = await self._stack.enter_async_context(client)
        return self._client


def _refuse_file(folder: Path, location: Location) -> None:
    """A file in the place of a folder is a slip of who typed it, and no place without images."""
    from okd_payload.oci.layout.files import storage_errors

    with storage_errors("look at", folder):
        file = next((path for path in (folder, *folder.parents) if path.is_file()), None)
    if file is not None:
        raise InputError(
            f"{location} lies in {file}, which is a file",
            hint="name a folder that is there or can be made",
        )


@contextlib.asynccontextmanager
async def open_services(
    settings: Settings, progress: Progress, *, registries: RegistrySettings | None = None
) -> AsyncIterator[Services]:
    """Services for the length of one command; at its end connections and scratch files go."""
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(scratch_folder(settings.locations.state / "scratch"))
        yield Services(settings, progress, stack, registries)
