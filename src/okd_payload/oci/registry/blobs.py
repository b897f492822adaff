# SPDX-License-Identifier: Apache-2.0
"""Blobs of one registry repository: asked about, read and mounted here, written by ``uploads``.

A download that is cut goes on where it stopped, with the same running hash, so what was paid
for is kept. Bytes that a registry sends for a range nobody asked for are never used.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from okd_payload.errors import DigestMismatch, Unauthorized
from okd_payload.oci.digest import Digest, SizeVerifier, Verifier
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.mirrors.repository import MirroredRepository
from okd_payload.oci.registry.access import to_pull, to_push
from okd_payload.oci.registry.headers import parse_content_range, parse_number
from okd_payload.oci.registry.host import Host, Kind, Request
from okd_payload.oci.registry.http.pool import Response
from okd_payload.oci.registry.presence import blob_size
from okd_payload.oci.registry.retry import Transient
from okd_payload.oci.registry.uploads import Upload, cancel_upload
from okd_payload.oci.repository import BlobSource, Repository

_NO_MOUNT = frozenset({400, 403, 404, 405, 501})

_logger = logging.getLogger(__name__)


class RegistryBlobs:
    """The blobs of one repository."""

    def __init__(self, host: Host, path: str) -> None:
        self._host = host
        self._path = path
        self._name = f"{host.name}/{path}"

    @property
    def host(self) -> Host:
        """The registry, which two repositories must share for a mount."""
        return self._host

    @property
    def path(self) -> str:
        """The repository's name within its registry."""
        return self._path

    async def stat(self, digest: Digest) -> int | None:
        """The size in bytes of a blob, None when it is not there."""
        return await blob_size(self._host, self._path, digest)

    async def read(self, descriptor: Descriptor) -> AsyncGenerator[bytes, None]:
        """The verified content, in chunks of any size.

        Raises NotFound at the first step, DigestMismatch when the content is wrong. Each reader
        holds one download slot of the host until it is closed.
        """
        verifier = Verifier(descriptor.digest, descriptor.size)
        async with aclosing(self._read(descriptor, verifier)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def stream(self, descriptor: Descriptor) -> AsyncGenerator[bytes, None]:
        """The content in full size, not hashed: for whoever verifies what is written of it."""
        async with aclosing(self._read(descriptor, SizeVerifier(descriptor.size))) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _read(
        self, descriptor: Descriptor, verifier: Verifier | SizeVerifier
    ) -> AsyncGenerator[bytes, None]:
        what = f"reading the blob {self._name}@{descriptor.digest}"
        patience = self._host.patience(what)
        ranged = True
        while True:
            begin = verifier.size if ranged else 0
            try:
                async with self._host.exchange(self._download(descriptor, what, begin)) as response:
                    surplus = self._surplus(response, verifier.size, descriptor.size)
                    while chunk := await self._host.transport.next_chunk(response):
                        new = chunk[surplus:] if surplus else chunk
                        surplus -= len(chunk) - len(new)
                        if new:
                            verifier.update(new)
                            patience.note_progress()
                            yield new
                self._require_end(verifier.size, descriptor.size)
            except Transient as trouble:
                ranged = ranged and not isinstance(trouble, _WrongRange)
                await self._host.endure(patience, trouble)
            else:
                verifier.finish()
                return

    def _require_end(self, found: int, size: int) -> None:
        if found < size:
            raise Transient(f"{self._host.name} ends the content too early", doubtful=True)

    async def write(self, descriptor: Descriptor, source: BlobSource) -> None:
        """Store the content of ``source``; nothing is stored unless it fits ``descriptor``."""
        await Upload(self._host, self._path, descriptor, source).run()

    async def mount(self, descriptor: Descriptor, origin: Repository) -> bool:
        """Take a blob from another repository of the same registry without moving bytes.

        False where the registry does not do that; what it began instead is cancelled.
        """
        other = (origin.working if isinstance(origin, MirroredRepository) else origin).blobs
        if not isinstance(other, RegistryBlobs) or other.host is not self._host:
            return False
        if other.path == self._path:
            return await self.stat(descriptor.digest) is not None
        request = Request(
            method="POST",
            target=f"/v2/{self._path}/blobs/uploads/?mount={descriptor.digest}&from={other.path}",
            what=f"mounting {descriptor.digest} from {origin.name} to {self._name}",
            path=self._path,
            access=to_push(self._path) | to_pull(other.path),
            accept=frozenset({201, 202}) | _NO_MOUNT,
        )
        try:
            answer = await self._host.ask(request)
        except Unauthorized as error:
            _logger.debug("%s", error)
            return False
        if answer.status == 202:
            await cancel_upload(self._host, self._path, answer.headers.get("Location", ""))
        return answer.status == 201

    def _download(self, descriptor: Descriptor, what: str, offset: int) -> Request:
        return Request(
            method="GET",
            target=f"/v2/{self._path}/blobs/{descriptor.digest}",
            what=what,
            path=self._path,
            access=to_pull(self._path),
            accept=frozenset({200, 206, 416}) if offset else frozenset({200}),
            headers={"Range": f"bytes={offset}-"} if offset else {},
            kind=Kind.DOWNLOAD,
        )

    def _surplus(self, response: Response, offset: int, size: int) -> int:
        """How many bytes at the beginning of the body we have already.

        Raises _WrongRange, and DigestMismatch when the registry's blob has another size.
        """
        if response.status == 200:
            total = parse_number(response.headers.get("Content-Length", ""))
            first = 0
        else:
            found = parse_content_range(response.headers.get("Content-Range", ""))
            if found is None or found.first != offset:
                raise _WrongRange(f"{self._host.name} sends another range than bytes={offset}-")
            total, first = found.total, offset
        if total not in (None, size):
            raise DigestMismatch(
                f"the blob at {response.url.path} of {self._host.name} has {total} bytes "
                f"instead of {size}",
                hint="the manifest that lists it is wrong, or the registry's content is damaged",
            )
        return offset - first


class _WrongRange(Transient):
    """The registry sent another part than the one it was asked for."""
