# SPDX-License-Identifier: Apache-2.0
"""Finding out what copies take: every manifest is read from its source, no blob is.

Each is read once, however many copies need it, and not at all where the journal knows it. An
image whose source cannot be read becomes a failed outcome; the others are planned.
"""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Sequence

from okd_payload.errors import ContentError, OkdPayloadError
from okd_payload.oci.attachments import AttachmentFinder, open_finder
from okd_payload.oci.digest import Digest, is_digest
from okd_payload.oci.image import MAX_INDEX_DEPTH
from okd_payload.oci.manifest import Manifest
from okd_payload.oci.repository import Repository
from okd_payload.oci.transfer.journal import Journal
from okd_payload.oci.transfer.model import (
    Attachment,
    CopyOutcome,
    ImageCopy,
    PlannedImage,
    PlannedManifest,
    TransferPlan,
)


async def plan_copies(
    copies: Sequence[ImageCopy], *, slots: asyncio.Semaphore, journal: Journal
) -> TransferPlan:
    """What ``copies`` take; ``slots`` bounds how many requests are under way at once."""
    sources = {copy.source.name: copy.source for copy in copies}
    expected = collections.Counter(copy.source.name for copy in copies)
    readers = {
        name: _Reader(source, slots=slots, journal=journal, expected=expected[name])
        for name, source in sources.items()
    }
    planned = await asyncio.gather(*(_plan(copy, readers[copy.source.name]) for copy in copies))
    return TransferPlan(
        images=tuple(image for image in planned if isinstance(image, PlannedImage)),
        unreadable=tuple(image for image in planned if isinstance(image, CopyOutcome)),
    )


async def _plan(copy: ImageCopy, reader: _Reader) -> PlannedImage | CopyOutcome:
    try:
        root = await reader.read(copy.reference)
        attachments = await reader.read_attachments(root) if copy.referrers else ()
    except OkdPayloadError as error:
        return CopyOutcome(copy=copy, error=error)
    return PlannedImage(copy=copy, root=root, attachments=attachments)


class _Reader:
    """Reads the manifests of one source."""

    def __init__(
        self, source: Repository, *, slots: asyncio.Semaphore, journal: Journal, expected: int
    ) -> None:
        self._source = source
        self._slots = slots
        self._journal = journal
        self._planned: dict[str, PlannedManifest] = {}
        self._reading: dict[str, asyncio.Lock] = collections.defaultdict(asyncio.Lock)
        self._finder = open_finder(source.manifests, expected=expected)
        self._searches: dict[Digest, _Search] = {}

    async def read(self, reference: str, *, depth: int = 0) -> PlannedManifest:
        """The manifest with this tag or digest, and its members."""
        if depth > MAX_INDEX_DEPTH:
            raise ContentError(
                f"{self._source.name}: indexes are nested deeper than {MAX_INDEX_DEPTH}",
                hint="push the image again without indexes inside of indexes",
            )
        async with self._reading[reference]:
            known = self._planned.get(reference)
            if known is None:
                manifest = await self._get(reference)
                known = self._planned.get(manifest.digest)
                known = known or await self._plan_manifest(manifest, depth=depth)
                self._planned[reference] = self._planned[manifest.digest] = known
        return known

    async def _get(self, reference: str) -> Manifest:
        known = self._journal.manifest(Digest(reference)) if is_digest(reference) else None
        if known is None:
            async with self._slots:
                known = await self._source.manifests.get(reference)
            self._journal.keep(known)
        return known

    async def _plan_manifest(self, manifest: Manifest, *, depth: int) -> PlannedManifest:
        if not manifest.is_index:
            image = manifest.image()
            foreign = sum(layer.is_foreign for layer in image.layers)
            return PlannedManifest(manifest=manifest, blobs=image.blobs, foreign_layers=foreign)
        digests = dict.fromkeys(member.digest for member in manifest.index().manifests)
        members = [await self.read(digest, depth=depth + 1) for digest in digests]
        return PlannedManifest(manifest=manifest, members=tuple(members))

    async def read_attachments(self, root: PlannedManifest) -> tuple[Attachment, ...]:
        """What is attached to the image or to a member of it, and what to that, and so on."""
        found: list[Attachment] = []
        waiting = list(root.walk())
        searched: set[Digest] = set()
        while waiting:
            digest = waiting.pop().manifest.digest
            if digest not in searched:
                searched.add(digest)
                search = self._searches.setdefault(digest, _Search(self, self._finder))
                attached = await search.run(digest, self._slots)
                found.extend(attached)
                waiting.extend(attachment.planned for attachment in attached)
        return tuple(found)


class _Search:
    """What is attached to one manifest, looked for once."""

    def __init__(self, reader: _Reader, finder: AttachmentFinder) -> None:
        self._reader = reader
        self._finder = finder
        self._searching = asyncio.Lock()
        self._found: list[Attachment] | None = None

    async def run(self, digest: Digest, slots: asyncio.Semaphore) -> list[Attachment]:
        """The attachments of ``digest``, their manifests read."""
        async with self._searching:
            if self._found is None:
                async with slots:
                    attached = await self._finder.find(digest)
                self._found = [
                    *[Attachment(await self._reader.read(it.digest)) for it in attached.referrers],
                    *[Attachment(await self._reader.read(tag), tag) for tag in attached.tags],
                ]
        return self._found
