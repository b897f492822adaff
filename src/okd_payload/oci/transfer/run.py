# SPDX-License-Identifier: Apache-2.0
"""Bringing images to their destinations, each thing once.

What was brought is remembered for the life of the copier, and a lock for each thing lets one copy
do the work while the others wait for it. A destination that has a manifest has all that it leads
to, because repositories take nothing before its parts; where that turns out to be wrong (someone
collected garbage meanwhile), the parts are brought after all.
"""

from __future__ import annotations

import asyncio
import collections
import enum
from collections.abc import Coroutine, Iterable
from typing import Any, NamedTuple, TypeVar

from okd_payload.errors import DigestMismatch, NotFound, OkdPayloadError, RegistryRefused
from okd_payload.oci.digest import Digest
from okd_payload.oci.manifest import Descriptor, Manifest
from okd_payload.oci.repository import Repository, stat_manifest
from okd_payload.oci.transfer.meter import Meter, MeteredSource
from okd_payload.oci.transfer.model import (
    BlobCount,
    CopyOutcome,
    ImageCopy,
    PlannedImage,
    PlannedManifest,
)
from okd_payload.progress import Failed, Finished, Progress, Started

T = TypeVar("T")
_Key = tuple[str, Digest]


class Way(enum.Enum):
    """How a blob came to its destination."""

    COPIED = enum.auto()
    MOUNTED = enum.auto()
    PRESENT = enum.auto()


class Counts:
    """How many blobs came in which way."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(Way, BlobCount())

    def __getitem__(self, way: Way) -> BlobCount:
        return self._counts[way]

    def add(self, way: Way, blob: Descriptor) -> None:
        """Count ``blob``."""
        self._counts[way] = self._counts[way].plus(blob)

    def add_present(self, nodes: Iterable[PlannedManifest]) -> None:
        """Count the blobs of ``nodes`` as present, each once."""
        for blob in {blob.digest: blob for node in nodes for blob in node.blobs}.values():
            self.add(Way.PRESENT, blob)


class _Bringing(NamedTuple):
    """One image on its way: for which copy, what came how, and whether nothing is believed."""

    copy: ImageCopy
    counts: Counts
    thorough: bool = False
    """Look for every part, although the destination has the manifest."""


class Memory:
    """What outlives one transfer: what is where, and who is bringing what."""

    def __init__(self, parallel: int) -> None:
        self.slots = asyncio.Semaphore(parallel)
        self.locks: dict[_Key, asyncio.Lock] = collections.defaultdict(asyncio.Lock)
        self.brought: set[_Key] = set()
        self.holders: dict[Digest, Repository] = {}
        """The destination that got a blob last: others may mount it from there."""


class TransferRun:
    """One transfer under way."""

    def __init__(self, memory: Memory, progress: Progress, total_bytes: int) -> None:
        self._memory = memory
        self._progress = progress
        self._meter = Meter(total_bytes, progress)
        self._errors: dict[_Key, OkdPayloadError] = {}
        """Blobs that could not be brought: the next image that needs one does not try again."""
        self.counts = Counts()

    async def copy_image(self, image: PlannedImage, *, thorough: bool = False) -> CopyOutcome:
        """Bring one image and what is attached to it; the tag comes last."""
        copy, digest = image.copy, image.root.manifest.digest
        self._progress(
            Started(subject=copy.subject, activity="copy", detail=f"to {copy.destination.name}")
        )
        counts = Counts()
        error = None
        try:
            was_present = await self._bring_image(_Bringing(copy, counts, thorough), image)
        except OkdPayloadError as failure:
            was_present, error = False, failure
            self._progress(Failed(subject=copy.subject, reason=str(failure)))
        else:
            outcome = "present" if was_present else "copied"
            self._progress(Finished(subject=copy.subject, outcome=outcome, detail=digest))
        return CopyOutcome(
            copy=copy,
            digest=digest,
            was_present=was_present,
            copied=counts[Way.COPIED],
            mounted=counts[Way.MOUNTED],
            present=counts[Way.PRESENT],
            error=error,
        )

    def believe(self, image: PlannedImage) -> CopyOutcome:
        """The outcome for an image that was at its destination when we last looked."""
        counts = Counts()
        counts.add_present(image.walk())
        digest = image.root.manifest.digest
        self._progress(Finished(subject=image.copy.subject, outcome="present", detail=digest))
        return CopyOutcome(
            copy=image.copy, digest=digest, was_present=True, present=counts[Way.PRESENT]
        )

    async def _bring_image(self, bringing: _Bringing, image: PlannedImage) -> bool:
        tag = image.copy.tag or None
        if not image.attachments:
            return await self._bring(image.root, bringing, tag=tag)
        was_present = await self._bring(image.root, bringing)
        await run_all(
            self._bring(attachment.planned, bringing, tag=attachment.tag or None)
            for attachment in image.attachments
        )
        if tag is not None:
            await self._put(image.root.manifest, image.copy.destination, tag)
        return was_present

    async def _bring(
        self, node: PlannedManifest, bringing: _Bringing, *, tag: str | None = None
    ) -> bool:
        """Bring a manifest after all that it needs; whether the destination had it already."""
        manifest, destination = node.manifest, bringing.copy.destination
        key = (destination.name, manifest.digest)
        async with self._memory.locks[key]:
            known = not bringing.thorough and (
                key in self._memory.brought or await self._has(destination, manifest.digest)
            )
            if known:
                bringing.counts.add_present(node.walk())
            else:
                await self._bring_parts(node, bringing)
            if tag is not None or not known:
                try:
                    await self._put(manifest, destination, tag)
                except (NotFound, RegistryRefused):
                    if not known:
                        raise
                    bringing = _Bringing(bringing.copy, Counts(), thorough=True)
                    await self._bring_parts(node, bringing)
                    await self._put(manifest, destination, tag)
            self._memory.brought.add(key)
            self._settle(node, destination)
        return known

    async def _bring_parts(self, node: PlannedManifest, bringing: _Bringing) -> None:
        await run_all(
            [
                *(self._bring(member, bringing) for member in node.members),
                *(self._bring_blob(blob, bringing) for blob in node.blobs),
            ]
        )

    async def _bring_blob(self, blob: Descriptor, bringing: _Bringing) -> None:
        key = (bringing.copy.destination.name, blob.digest)
        async with self._memory.locks[key]:
            if key in self._errors:
                raise self._errors[key]
            way = Way.PRESENT
            if key not in self._memory.brought or bringing.thorough:
                try:
                    async with self._memory.slots:
                        way = await self._place(blob, bringing.copy, key)
                except OkdPayloadError as error:
                    self._errors[key] = error
                    raise
                self.counts.add(way, blob)
                self._memory.brought.add(key)
                self._memory.holders[blob.digest] = bringing.copy.destination
            bringing.counts.add(way, blob)
            self._meter.move(key, blob.size)

    async def _place(self, blob: Descriptor, copy: ImageCopy, key: _Key) -> Way:
        """Mounting comes first: where it works it tells as much as looking for the blob."""
        destination = copy.destination
        for origin in (copy.source, self._memory.holders.get(blob.digest)):
            if (
                origin is not None
                and origin.name != destination.name
                and await destination.blobs.mount(blob, origin)
            ):
                return Way.MOUNTED
        if await destination.blobs.stat(blob.digest) == blob.size:
            return Way.PRESENT
        source = MeteredSource(copy.source, blob, meter=self._meter, blob=key)
        try:
            await destination.blobs.write(blob, source)
        except DigestMismatch:
            await self._write_again(blob, copy, source)
        return Way.COPIED

    async def _write_again(self, blob: Descriptor, copy: ImageCopy, source: MeteredSource) -> None:
        """Try once more what was damaged: on the way that passes, and where it lies it does not."""
        try:
            await copy.destination.blobs.write(blob, source)
        except DigestMismatch as error:
            raise DigestMismatch(
                f"{copy.source.name} gave it damaged, twice: {error.message}", hint=error.hint
            ) from error

    async def _has(self, destination: Repository, digest: Digest) -> bool:
        async with self._memory.slots:
            return await stat_manifest(destination.manifests, digest) is not None

    async def _put(self, manifest: Manifest, destination: Repository, tag: str | None) -> None:
        async with self._memory.slots:
            await destination.manifests.put(manifest, tag=tag)

    def settle(self, images: Iterable[PlannedImage]) -> None:
        """Count all of ``images`` as through, whatever became of them."""
        for image in images:
            for node in image.walk():
                self._settle(node, image.copy.destination)

    def _settle(self, node: PlannedManifest, destination: Repository) -> None:
        """Count everything below ``node`` as through."""
        for below in node.walk():
            for blob in below.blobs:
                self._meter.move((destination.name, blob.digest), blob.size)


async def run_all(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all ``work``, done at once; the first error only when all of it ended."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
