# SPDX-License-Identifier: Apache-2.0
"""Which manifests point at another one: the referrers API, or the tag that stands in for it.

Registries without the API keep an index under the tag ``sha256-<hex>`` of the subject (OCI
distribution specification 1.1, "Unavailable Referrers API"). Whoever writes a manifest with a
subject has to keep that index; the registry says by ``OCI-Subject`` when it does so itself.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import msgspec

from okd_payload.errors import ContentError, NotFound, RegistryRefused
from okd_payload.oci import media_types
from okd_payload.oci.digest import Digest
from okd_payload.oci.manifest import (
    Descriptor,
    ImageManifest,
    Index,
    Manifest,
    encode_manifest,
    read_manifest,
)
from okd_payload.oci.registry.access import to_pull
from okd_payload.oci.registry.headers import parse_next_link
from okd_payload.oci.registry.host import Answer, Host, Request

_MAX_PAGES = 1000


class _Manifests(Protocol):
    async def get(self, reference: str) -> Manifest: ...

    async def put(self, manifest: Manifest, *, tag: str | None = None) -> None: ...


class _Page(msgspec.Struct, frozen=True):
    manifests: tuple[Descriptor, ...]
    next: str | None


class Referrers:
    """The referrers of the manifests in one repository."""

    def __init__(self, host: Host, path: str, manifests: _Manifests) -> None:
        self._host = host
        self._path = path
        self._manifests = manifests
        self._writing = asyncio.Lock()

    async def list(self, digest: Digest) -> list[Descriptor]:
        """Descriptors of the manifests whose ``subject`` is ``digest``, in the registry's order."""
        page = await self._page(f"/v2/{self._path}/referrers/{digest}", digest)
        if page is None:
            return [*(await self._tagged(digest)).manifests]
        found: dict[Digest, Descriptor] = {}
        for _ in range(_MAX_PAGES):
            found |= {item.digest: item for item in page.manifests}
            if page.next is None:
                return [*found.values()]
            page = await self._page(page.next, digest)
            if page is None:
                break
        raise ContentError(
            f"{self._host.name}/{self._path} does not list to its end what refers to {digest}",
            hint="the registry's referrers API is at fault",
        )

    async def note(self, manifest: Manifest, answer: Answer) -> None:
        """Enter a manifest that was just written, unless the registry did."""
        if b'"subject"' not in manifest.content:
            return
        value = manifest.index() if manifest.is_index else manifest.image()
        if value.subject is None or answer.headers.get("OCI-Subject") == value.subject.digest:
            return
        async with self._writing:
            index = await self._tagged(value.subject.digest)
            if manifest.digest in {item.digest for item in index.manifests}:
                return
            grown = msgspec.structs.replace(
                index, manifests=(*index.manifests, _describe(manifest, value))
            )
            await self._manifests.put(
                encode_manifest(grown), tag=fallback_tag(value.subject.digest)
            )

    async def _page(self, target: str, digest: Digest) -> _Page | None:
        """One page; None where the registry lacks the API, however it says that."""
        request = Request(
            method="GET",
            target=target,
            what=f"listing what refers to {self._host.name}/{self._path}@{digest}",
            path=self._path,
            access=to_pull(self._path),
            accept=frozenset({200}),
            headers={"Accept": media_types.OCI_INDEX},
        )
        try:
            answer = await self._host.ask(request)
        except (NotFound, RegistryRefused):
            return None
        if media_types.OCI_INDEX not in answer.headers.get("Content-Type", ""):
            return None
        index = read_manifest(answer.body, media_type=media_types.OCI_INDEX).index()
        return _Page(index.manifests, parse_next_link(answer.headers.get("Link", "")))

    async def _tagged(self, digest: Digest) -> Index:
        try:
            return (await self._manifests.get(fallback_tag(digest))).index()
        except NotFound:
            return Index(manifests=(), media_type=media_types.OCI_INDEX)


def fallback_tag(digest: Digest) -> str:
    """The tag that holds the referrers of ``digest`` where the API is missing."""
    return digest.replace(":", "-")


def _describe(manifest: Manifest, value: ImageManifest | Index) -> Descriptor:
    """The entry of a manifest: an image without an artifact type is known by its config's."""
    artifact_type = value.artifact_type
    if not artifact_type and isinstance(value, ImageManifest):
        artifact_type = value.config.media_type
    return msgspec.structs.replace(
        manifest.descriptor, artifact_type=artifact_type, annotations=value.annotations
    )
