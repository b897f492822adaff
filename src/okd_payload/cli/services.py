# SPDX-License-Identifier: Apache-2.0
"""Putting the rooms together for one command: the only place that knows all of them.

What a command does not use is not opened, and not even imported: a plan without images of
elsewhere never loads the HTTP client.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from okd_payload.clock import SystemClock
from okd_payload.oci.disk_registry import DiskRepository
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.location import DiskLocation, Location, RegistryLocation
from okd_payload.oci.reference import Reference
from okd_payload.oci.repository import Repository
from okd_payload.scratch import scratch_folder
from okd_payload.source.tree import Sources

if TYPE_CHECKING:
    from okd_payload.cli.settings import Settings
    from okd_payload.oci.registry import RegistryClient, RegistrySettings
    from okd_payload.progress import Event, Progress


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
        self.sources = Sources(self.locations, clock=self.clock, progress=self.tell)
        self._stack = stack
        self._registries = registries
        self._client: RegistryClient | None = None

    def tell(self, event: Event) -> None:
        """Pass ``event`` on to whoever listens now."""
        self.progress(event)

    async def open_repository(self, reference: Reference) -> Repository:
        """The repository of a registry that ``reference`` lies in."""
        return (await self._open_client()).repository(reference)

    async def fetch_document(self, url: str, *, limit: int) -> bytes:
        """What a web server has at ``url``, at most ``limit`` bytes. Raises RegistryError."""
        return await (await self._open_client()).fetch_document(url, limit=limit)

    def built_releases(self) -> dict[str, Path]:
        """The layouts with the releases of all streams that were built on this machine."""
        streams = self.locations.state / "streams"
        names = sorted(path.name for path in streams.iterdir()) if streams.is_dir() else []
        return {name: self.locations.releases(name) for name in names}

    def built_images(self) -> list[Repository]:
        """The images of all streams that were built on this machine."""
        streams = self.locations.state / "streams"
        names = sorted(path.name for path in streams.iterdir()) if streams.is_dir() else []
        return [LayoutRepository(self.locations.images(name)) for name in names]

    async def open_location(self, location: Location) -> Repository:
        """The repository at ``location``: in a layout, a directory, or a registry."""
        if isinstance(location, RegistryLocation):
            return await self.open_repository(location.reference)
        if isinstance(location, DiskLocation):
            return DiskRepository(location.folder, location.path)
        return LayoutRepository(location.path)

    async def _open_client(self) -> RegistryClient:
        if self._client is None:
            from okd_payload.oci.registry import RegistryClient

            client = RegistryClient(self._registries, clock=self.clock, progress=self.tell)
            self._client = await self._stack.enter_async_context(client)
        return self._client


@contextlib.asynccontextmanager
async def open_services(
    settings: Settings, progress: Progress, *, registries: RegistrySettings | None = None
) -> AsyncIterator[Services]:
    """Services for the length of one command; at its end connections and scratch files go."""
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(scratch_folder(settings.locations.state / "scratch"))
        yield Services(settings, progress, stack, registries)
