# SPDX-License-Identifier: Apache-2.0
"""The registry client: one per process, one pool of connections, all registries.

``async with RegistryClient(settings) as client`` opens it; ``client.repository(reference)``
gives the repository seam. What is learnt about a host (its login, its tokens, how much it
bears, what it refuses) is shared by all its repositories.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from okd_payload.clock import Clock, SystemClock
from okd_payload.oci.documents import DocumentAnswer
from okd_payload.oci.reference import Reference
from okd_payload.oci.registry.blobs import RegistryBlobs
from okd_payload.oci.registry.document_uploads import put_document
from okd_payload.oci.registry.documents import (
    MAX_DOCUMENT_BYTES,
    ask_document,
    fetch_document,
)
from okd_payload.oci.registry.host import Host
from okd_payload.oci.registry.logins import Logins
from okd_payload.oci.registry.manifests import RegistryManifests
from okd_payload.oci.registry.settings import RegistrySettings
from okd_payload.oci.registry.transport import Transport
from okd_payload.oci.registry.web_requests import ask_web
from okd_payload.oci.web_requests import WebAnswer, WebRequest
from okd_payload.progress import Progress, ignore_progress


class RegistryRepository:
    """One repository of a registry; implements ``oci.repository.Repository``."""

    def __init__(self, host: Host, path: str) -> None:
        self._name = f"{host.name}/{path}"
        self.blobs = RegistryBlobs(host, path)
        """The blobs of this repository."""
        self.manifests = RegistryManifests(host, path)
        """The manifests and tags of this repository."""

    @property
    def name(self) -> str:
        """``host/path``, as people write it."""
        return self._name

    def __repr__(self) -> str:
        return f"<RegistryRepository {self._name}>"


class RegistryClient:
    """Speaks with registries; many tasks may use it at once."""

    def __init__(
        self,
        settings: RegistrySettings | None = None,
        *,
        clock: Clock | None = None,
        progress: Progress = ignore_progress,
    ) -> None:
        """``progress`` hears of hosts that are waited for."""
        self.settings = settings or RegistrySettings()
        """What the user decided."""
        self._transport = Transport(self.settings, clock=clock or SystemClock())
        self._progress = progress
        self._logins = Logins(self.settings.auth_file)
        self._hosts: dict[str, Host] = {}
        self._repositories: dict[str, RegistryRepository] = {}

    def repository(self, reference: Reference) -> RegistryRepository:
        """The repository that ``reference`` lies in; nothing is sent yet."""
        name = reference.repository
        if name not in self._repositories:
            self._repositories[name] = RegistryRepository(
                self._host(reference.host), reference.path
            )
        return self._repositories[name]

    async def fetch_document(
        self, url: str, *, limit: int = MAX_DOCUMENT_BYTES, token: str = ""
    ) -> bytes:
        """What the web server of ``url`` has there; see ``documents.fetch_document``."""
        return await fetch_document(url, transport=self._transport, limit=limit, token=token)

    async def ask_document(self, url: str, *, limit: int) -> DocumentAnswer:
        """What the web server of ``url`` says, once; see ``documents.ask_document``."""
        return await ask_document(url, transport=self._transport, limit=limit)

    async def put_document(self, url: str, content: bytes, *, token: str = "") -> bool:
        """Store ``content`` on a web server; see ``document_uploads.put_document``."""
        return await put_document(url, content, transport=self._transport, token=token)

    async def ask_web(self, request: WebRequest, *, limit: int) -> WebAnswer:
        """What the interface of a web server answers, once; see ``web_requests.ask_web``."""
        return await ask_web(request, transport=self._transport, limit=limit)

    def _host(self, name: str) -> Host:
        if name not in self._hosts:
            self._hosts[name] = Host(
                name,
                transport=self._transport,
                credentials=self._logins,
                progress=self._progress,
            )
        return self._hosts[name]

    async def __aenter__(self) -> Self:
        await self._transport.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._transport.close()
