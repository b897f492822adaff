# SPDX-License-Identifier: Apache-2.0
"""Which manifests point at another one: the referrers API, or the tag that stands in for it.

For registries without the API, whoever writes a manifest with a subject keeps the list under a
tag (OCI distribution specification 1.1, "Unavailable Referrers API"); the others say by
``OCI-Subject`` that they list it themselves.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import msgspec

from okd_payload.errors import ContentError, NotFound, RegistryRefused
from okd_payload.oci import media_types
from okd_payload.oci.digest import Digest
from okd_payload.oci.manifest import Descriptor, Index, Manifest, read_manifest
from okd_payload.oci.referrers import list_tag, referrer_of, with_referrer
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
        found = await self.ask(digest)
        return [*(await self.listed(digest) if found is None else found)]

    async def ask(self, digest: Digest) -> tuple[Descriptor, ...] | None:
        """What the API tells; None where the registry does not have it."""
        page = await self._page(f"/v2/{self._path}/referrers/{digest}", digest)
        if page is None:
            return None
        found: dict[Digest, Descriptor] = {}
        for _ in range(_MAX_PAGES):
            found |= {item.digest: item for item in page.manifests}
            if page.next is None:
                return tuple(found.values())
            page = await self._page(page.next, digest)
            if page is None:
                break
        raise ContentError(
            f"{self._host.name}/{self._path} does not list to its end what refers to {digest}",
            hint="the registry's referrers API is at fault",
        )

    async def listed(self, digest: Digest) -> tuple[Descriptor, ...]:
        """What the list says that stands in for the API."""
        return (await self._listed(digest)).manifests

    async def note(self, manifest: Manifest, answer: Answer) -> None:
        """Enter a manifest that was just written, unless the registry did."""
        referrer = referrer_of(manifest)
        if referrer is None or answer.headers.get("OCI-Subject") == referrer.subject:
            return
        async with self._writing:
            listed = await self._listed(referrer.subject)
            if manifest.digest not in {item.digest for item in listed.manifests}:
                grown = with_referrer(listed, referrer.entry)
                await self._manifests.put(grown, tag=list_tag(referrer.subject))

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
        try:
            index = read_manifest(answer.body, media_type=media_types.OCI_INDEX).index()
        except ContentError as error:
            raise error.about(
                request.what, hint="the registry's referrers API is at fault"
            ) from error
        return _Page(index.manifests, parse_next_link(answer.headers.get("Link", "")))

    async def _listed(self, digest: Digest) -> Index:
        """The list under the fallback tag; empty when there is none."""
        try:
            return (await self._manifests.get(list_tag(digest))).index()
        except NotFound:
            return Index()
