# SPDX-License-Identifier: Apache-2.0
"""Finding what is attached to many manifests of one registry repository, with few requests.

One list of all tags answers for every image, where it is short enough: pages come one after the
other, single questions many at a time. A registry that does not know the referrers API says so
to the first question ("MUST NOT return 404", distribution specification 1.1), and is not asked
again.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from okd_payload.oci.attachments import Attached, attachment_tags
from okd_payload.oci.digest import Digest
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.referrers import list_tag
from okd_payload.oci.registry.referrers import Referrers

_QUESTIONS_PER_PAGE = 16


class _Manifests(Protocol):
    async def stat(self, reference: str) -> Descriptor | None: ...

    async def list_tags(self, *, most_pages: int) -> set[str] | None: ...


class RegistryAttachments:
    """One search; what it learns of the repository it keeps."""

    def __init__(self, manifests: _Manifests, referrers: Referrers, *, expected: int) -> None:
        self._manifests = manifests
        self._referrers = referrers
        self._most_pages = 1 + expected // _QUESTIONS_PER_PAGE
        self._learning = asyncio.Lock()
        self._learnt = False
        self._tags: set[str] | None = None
        """All tags; None where there are too many."""
        self._has_api = True

    async def find(self, digest: Digest) -> Attached:
        """What is attached to the manifest ``digest``."""
        referrers: tuple[Descriptor, ...] | None = None
        async with self._learning:
            if not self._learnt:
                self._tags = await self._manifests.list_tags(most_pages=self._most_pages)
                referrers = await self._referrers.ask(digest)
                self._has_api = referrers is not None
                self._learnt = True
        if referrers is None:
            referrers = await self._find_referrers(digest)
        tags = [tag for tag in attachment_tags(digest) if await self._has(tag)]
        return Attached(referrers, tuple(tags))

    async def _find_referrers(self, digest: Digest) -> tuple[Descriptor, ...]:
        referrers = await self._referrers.ask(digest) if self._has_api else None
        if referrers is not None:
            return referrers
        if self._tags is not None and list_tag(digest) not in self._tags:
            return ()
        return await self._referrers.listed(digest)

    async def _has(self, tag: str) -> bool:
        if self._tags is not None:
            return tag in self._tags
        return await self._manifests.stat(tag) is not None
