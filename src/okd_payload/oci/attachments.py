# SPDX-License-Identifier: Apache-2.0
"""Finding what is attached to images: referrers by their subject, and cosign's tags.

To ask for each image costs several requests, nearly all of them in vain. A kind of repository
that knows a cheaper way for many images offers it (``FindsAttachments``); the others are asked.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec

from okd_payload.errors import NotFound
from okd_payload.oci.digest import Digest
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.referrers import COSIGN_SUFFIXES, list_tag
from okd_payload.oci.repository import Manifests


class Attached(msgspec.Struct, frozen=True):
    """What is attached to one manifest."""

    referrers: tuple[Descriptor, ...] = ()
    """The manifests whose subject it is."""
    tags: tuple[str, ...] = ()
    """Tags made of its digest, as cosign makes them."""


class AttachmentFinder(Protocol):
    """Looks for attachments in one repository, for as long as one piece of work lasts."""

    async def find(self, digest: Digest) -> Attached:
        """What is attached to the manifest ``digest``, which is there. Raises RegistryError."""
        ...


@runtime_checkable
class FindsAttachments(Protocol):
    """Manifests with a way of their own to find attachments."""

    def find_attachments(self, expected: int) -> AttachmentFinder:
        """A finder that will be asked about ``expected`` manifests, more or less."""
        ...


def open_finder(manifests: Manifests, *, expected: int) -> AttachmentFinder:
    """The finder for a repository that is to be asked about ``expected`` manifests."""
    if isinstance(manifests, FindsAttachments):
        return manifests.find_attachments(expected)
    return _Asking(manifests)


def attachment_tags(digest: Digest) -> tuple[str, ...]:
    """The tags under which something may be attached to ``digest``."""
    return tuple(list_tag(digest) + suffix for suffix in COSIGN_SUFFIXES)


class _Asking:
    """Asks for every manifest and every tag."""

    def __init__(self, manifests: Manifests) -> None:
        self._manifests = manifests

    async def find(self, digest: Digest) -> Attached:
        """What is attached to the manifest ``digest``."""
        referrers = await self._manifests.referrers(digest)
        tags = [tag for tag in attachment_tags(digest) if await self._has(tag)]
        return Attached(tuple(referrers), tuple(tags))

    async def _has(self, tag: str) -> bool:
        try:
            await self._manifests.get(tag)
        except NotFound:
            return False
        return True
