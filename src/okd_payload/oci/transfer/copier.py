# SPDX-License-Identifier: Apache-2.0
"""Doing what a plan says, each thing once.

What was brought to a destination is remembered for the life of the copier, and a lock for each
thing lets one copy do the work while the others wait for it. A destination that has a manifest
has all that it leads to, because repositories take nothing before its parts; where that turns out
to be wrong (someone collected garbage meanwhile), the parts are brought after all.
"""

from __future__ import annotations

import asyncio
import collections
import enum
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from okd_payload.errors import NotFound, OkdPayloadError, RegistryRefused
from okd_payload.oci.digest import Digest
from okd_payload.oci.manifest import Descriptor, Manifest
from okd_payload.oci.repository import Repository
from okd_payload.oci.transfer.meter import Meter, MeteredSource
from okd_payload.oci.transfer.model import (
    BlobCount,
    CopyOutcome,
    ImageCopy,
    PlannedImage,
    PlannedManifest,
    TransferPlan,
    TransferReport,
)
from okd_payload.oci.transfer.planning import plan_copies
from okd_payload.progress import Failed, Finished, Progress, Started, ignore_progress

PARALLEL = 16
T = TypeVar("T")
_Key = tuple[str, Digest]


class _Way(enum.Enum):
    """How a blob came to its destination."""

    COPIED = enum.auto()
    MOUNTED = enum.auto()
    PRESENT = enum.auto()


class ImageCopier:
    """Copies images, and remembers what it brought where.

    One copier may be used for many transfers, also at once; ``parallel`` bounds how many
    requests and blobs it has under way over all of them.
    """

    def __init__(self, *, parallel: int = PARALLEL, progress: Progress = ignore_progress) -> None:
        self._parallel = parallel
        self._progress = progress
        self._memory = _Memory(parallel)

    async def copy(self, copies: Sequence[ImageCopy]) -> TransferReport:
        """Plan ``copies`` and carry them out."""
        return await self.carry_out(await self.plan(copies))

    async def plan(self, copies: Sequence[ImageCopy]) -> TransferPlan:
        """What ``copies`` take; reads every manifest and nothing else."""
        return await plan_copies(copies, parallel=self._parallel)

    async def carry_out(self, plan: TransferPlan) -> TransferReport:
        """Do what ``plan`` says; failures are in the report."""
        run = _Run(self._memory, self._progress, plan.total_bytes)
        outcomes = await _all(run.copy_image(image) for image in plan.images)
        return TransferReport(
            images=(*outcomes, *plan.unreadable),
            copied=run.counts[_Way.COPIED],
            mounted=run.counts[_Way.MOUNTED],
            present=run.counts[_Way.PRESENT],
            foreign_layers=sum(
                node.foreign_layers for image in plan.images for node in image.walk()
            ),
        )


async def copy_image(copy: ImageCopy, *, progress: Progress = ignore_progress) -> CopyOutcome:
    """Copy one image, or one index with all its members. Raises what makes that impossible."""
    report = await ImageCopier(progress=progress).copy([copy])
    report.require_all()
    return report.images[0]


class _Memory:
    """What outlives one transfer: what is where, and who is bringing what."""

    def __init__(self, parallel: int) -> None:
        self.slots = asyncio.Semaphore(parallel)
        self.locks: dict[_Key, asyncio.Lock] = collections.defaultdict(asyncio.Lock)
        self.brought: set[_Key] = set()
        self.holders: dict[Digest, Repository] = {}
        """The destination that got a blob last: others may mount it from there."""


class _Run:
    """One transfer under way."""

    def __init__(self, memory: _Memory, progress: Progress, total_bytes: int) -> None:
        self._memory = memory
        self._progress = progress
        self._meter = Meter(total_bytes, progress)
        self._errors: dict[_Key, OkdPayloadError] = {}
        """Blobs that could not be brought: the next image that needs one does not try again."""
        self.counts = dict.fromkeys(_Way, BlobCount())

    async def copy_image(self, image: PlannedImage) -> CopyOutcome:
        """Bring one image and what is attached to it; the tag comes last."""
        copy, digest = image.copy, image.root.manifest.digest
        self._progress(
            Started(subject=copy.subject, activity="copy", detail=f"to {copy.destination.name}")
        )
        try:
            was_present = await self._bring_image(image)
        except OkdPayloadError as error:
            self._progress(Failed(subject=copy.subject, reason=str(error)))
            return CopyOutcome(copy=copy, digest=digest, error=error)
        outcome = "present" if was_present else "copied"
        self._progress(Finished(subject=copy.subject, outcome=outcome, detail=digest))
        return CopyOutcome(copy=copy, digest=digest, was_present=was_present)

    async def _bring_image(self, image: PlannedImage) -> bool:
        copy, tag = image.copy, image.copy.tag or None
        if not image.attachments:
            return await self._bring(image.root, copy, tag=tag)
        was_present = await self._bring(image.root, copy)
        await _all(
            self._bring(attachment.planned, copy, tag=attachment.tag or None)
            for attachment in image.attachments
        )
        if tag is not None:
            await self._put(image.root.manifest, copy.destination, tag)
        return was_present

    async def _bring(
        self,
        node: PlannedManifest,
        copy: ImageCopy,
        *,
        tag: str | None = None,
        thorough: bool = False,
    ) -> bool:
        """Bring a manifest after all that it needs; whether the destination had it already.

        ``thorough`` looks for every part, although the destination has the manifest.
        """
        manifest, destination = node.manifest, copy.destination
        key = (destination.name, manifest.digest)
        async with self._memory.locks[key]:
            known = not thorough and (
                key in self._memory.brought or await self._has(destination, manifest.digest)
            )
            if not known:
                await self._bring_parts(node, copy, thorough=thorough)
            if tag is not None or not known:
                try:
                    await self._put(manifest, destination, tag)
                except (NotFound, RegistryRefused):
                    if not known:
                        raise
                    await self._bring_parts(node, copy, thorough=True)
                    await self._put(manifest, destination, tag)
            self._memory.brought.add(key)
            self._settle(node, destination)
        return known

    async def _bring_parts(self, node: PlannedManifest, copy: ImageCopy, *, thorough: bool) -> None:
        await _all(
            [
                *(self._bring(member, copy, thorough=thorough) for member in node.members),
                *(self._bring_blob(blob, copy, thorough=thorough) for blob in node.blobs),
            ]
        )

    async def _bring_blob(self, blob: Descriptor, copy: ImageCopy, *, thorough: bool) -> None:
        key = (copy.destination.name, blob.digest)
        async with self._memory.locks[key]:
            if key in self._errors:
                raise self._errors[key]
            if key not in self._memory.brought or thorough:
                try:
                    async with self._memory.slots:
                        way = await self._place(blob, copy, key)
                except OkdPayloadError as error:
                    self._errors[key] = error
                    raise
                self.counts[way] = self.counts[way].plus(blob)
                self._memory.brought.add(key)
                self._memory.holders[blob.digest] = copy.destination
            self._meter.move(key, blob.size)

    async def _place(self, blob: Descriptor, copy: ImageCopy, key: _Key) -> _Way:
        """Mounting comes first: where it works it tells as much as looking for the blob."""
        destination = copy.destination
        for origin in (copy.source, self._memory.holders.get(blob.digest)):
            if (
                origin is not None
                and origin.name != destination.name
                and await destination.blobs.mount(blob, origin)
            ):
                return _Way.MOUNTED
        if await destination.blobs.stat(blob.digest) == blob.size:
            return _Way.PRESENT
        source = MeteredSource(copy.source, blob, meter=self._meter, blob=key)
        await destination.blobs.write(blob, source)
        return _Way.COPIED

    async def _has(self, destination: Repository, digest: Digest) -> bool:
        async with self._memory.slots:
            try:
                await destination.manifests.get(digest)
            except NotFound:
                return False
        return True

    async def _put(self, manifest: Manifest, destination: Repository, tag: str | None) -> None:
        async with self._memory.slots:
            await destination.manifests.put(manifest, tag=tag)

    def _settle(self, node: PlannedManifest, destination: Repository) -> None:
        """Count everything below ``node`` as through."""
        for below in node.walk():
            for blob in below.blobs:
                self._meter.move((destination.name, blob.digest), blob.size)


async def _all(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all ``work``, done at once; the first error only when all of it ended."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
