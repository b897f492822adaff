# SPDX-License-Identifier: Apache-2.0
"""Finding out what copies take: every manifest is read from its source, no blob is.

An image whose source cannot be read becomes a failed outcome; the others are planned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from okd_payload.errors import ContentError, NotFound, OkdPayloadError
from okd_payload.oci.digest import Digest
from okd_payload.oci.image import MAX_INDEX_DEPTH
from okd_payload.oci.manifest import Manifest
from okd_payload.oci.referrers import COSIGN_SUFFIXES, list_tag
from okd_payload.oci.repository import Repository
from okd_payload.oci.transfer.model import (
    Attachment,
    CopyOutcome,
    ImageCopy,
    PlannedImage,
    PlannedManifest,
    TransferPlan,
)


async def plan_copies(copies: Sequence[ImageCopy], *, parallel: int) -> TransferPlan:
    """What ``copies`` take, reading ``parallel`` manifests at once."""
    slots = asyncio.Semaphore(parallel)
    planned = await asyncio.gather(*(_plan(copy, slots) for copy in copies))
    return TransferPlan(
        images=tuple(image for image in planned if isinstance(image, PlannedImage)),
        unreadable=tuple(image for image in planned if isinstance(image, CopyOutcome)),
    )


async def _plan(copy: ImageCopy, slots: asyncio.Semaphore) -> PlannedImage | CopyOutcome:
    reader = _Reader(copy.source, slots)
    try:
        root = await reader.read(copy.reference)
        attachments = await reader.read_attachments(root) if copy.referrers else ()
    except OkdPayloadError as error:
        return CopyOutcome(copy=copy, error=error)
    return PlannedImage(copy=copy, root=root, attachments=attachments)


class _Reader:
    """Reads the manifests of one image, each once."""

    def __init__(self, source: Repository, slots: asyncio.Semaphore) -> None:
        self._source = source
        self._slots = slots
        self._planned: dict[Digest, PlannedManifest] = {}

    async def read(self, reference: str, *, depth: int = 0) -> PlannedManifest:
        """The manifest with this tag or digest, and its members."""
        if depth > MAX_INDEX_DEPTH:
            raise ContentError(f"{self._source.name}: indexes are nested too deeply")
        async with self._slots:
            manifest = await self._source.manifests.get(reference)
        known = self._planned.get(manifest.digest)
        if known is None:
            known = await self._plan_manifest(manifest, depth=depth)
            self._planned[manifest.digest] = known
        return known

    async def _plan_manifest(self, manifest: Manifest, *, depth: int) -> PlannedManifest:
        if not manifest.is_index:
            image = manifest.image()
            foreign = sum(layer.is_foreign for layer in image.layers)
            return PlannedManifest(manifest=manifest, blobs=image.blobs, foreign_layers=foreign)
        digests = dict.fromkeys(member.digest for member in manifest.index().manifests)
        members = [
            self._planned.get(digest) or await self.read(digest, depth=depth + 1)
            for digest in digests
        ]
        return PlannedManifest(manifest=manifest, members=tuple(members))

    async def read_attachments(self, root: PlannedManifest) -> tuple[Attachment, ...]:
        """What refers to the image or to a member of it, and what refers to that, and so on."""
        found: list[Attachment] = []
        waiting = list(root.walk())
        searched: set[Digest] = set()
        while waiting:
            digest = waiting.pop().manifest.digest
            if digest not in searched:
                searched.add(digest)
                attached = await self._attached_to(digest)
                found.extend(attached)
                waiting.extend(attachment.planned for attachment in attached)
        return tuple(found)

    async def _attached_to(self, digest: Digest) -> list[Attachment]:
        async with self._slots:
            listed = await self._source.manifests.referrers(digest)
        found = [Attachment(await self.read(entry.digest)) for entry in listed]
        for suffix in COSIGN_SUFFIXES:
            tag = list_tag(digest) + suffix
            try:
                found.append(Attachment(await self.read(tag), tag))
            except NotFound:
                continue
        return found
