# SPDX-License-Identifier: Apache-2.0
"""Copying many images: planned, brought, and where there is a journal read back.

Images that the journal saw whole at their destination are believed to be so still, until
everything is read back; those that are not any more are brought once more, nothing believed.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from okd_payload.errors import OkdPayloadError
from okd_payload.oci.transfer.journal import Journal, NoJournal
from okd_payload.oci.transfer.model import (
    CopyOutcome,
    ImageCopy,
    PlannedImage,
    TransferPlan,
    TransferReport,
)
from okd_payload.oci.transfer.planning import plan_copies
from okd_payload.oci.transfer.read_back import read_back
from okd_payload.oci.transfer.run import Memory, TransferRun, Way, run_all
from okd_payload.progress import Progress, ignore_progress

PARALLEL = 16


class ImageCopier:
    """Copies images, and remembers what it brought where.

    One copier may be used for many transfers, also at once; ``parallel`` bounds how many
    requests and blobs it has under way over all of them. With a ``journal`` all that it brings is
    read back.
    """

    def __init__(
        self,
        *,
        parallel: int = PARALLEL,
        progress: Progress = ignore_progress,
        journal: Journal | None = None,
    ) -> None:
        self._progress = progress
        self._journal = journal or NoJournal()
        self._reads_back = journal is not None
        self._memory = Memory(parallel)

    async def copy(self, copies: Sequence[ImageCopy]) -> TransferReport:
        """Plan ``copies`` and carry them out."""
        return await self.carry_out(await self.plan(copies))

    async def plan(self, copies: Sequence[ImageCopy]) -> TransferPlan:
        """What ``copies`` take; reads every manifest and nothing else."""
        return await plan_copies(copies, slots=self._memory.slots, journal=self._journal)

    async def carry_out(self, plan: TransferPlan) -> TransferReport:
        """Do what ``plan`` says; failures are in the report."""
        run = TransferRun(self._memory, self._progress, plan.total_bytes)
        believed = {
            number: run.believe(image)
            for number, image in enumerate(plan.images)
            if self._journal.is_whole(image)
        }
        outcomes = await run_all(
            self._copy(run, image)
            for number, image in enumerate(plan.images)
            if number not in believed
        )
        for number in sorted(believed):
            outcomes.insert(number, believed[number])
        if self._reads_back:
            outcomes = await self._read_back(run, plan.images, outcomes)
        run.settle(plan.images)
        return TransferReport(
            images=(*outcomes, *plan.unreadable),
            copied=run.counts[Way.COPIED],
            mounted=run.counts[Way.MOUNTED],
            present=run.counts[Way.PRESENT],
            foreign_layers=sum(
                node.foreign_layers for image in plan.images for node in image.walk()
            ),
        )

    async def _copy(self, run: TransferRun, image: PlannedImage) -> CopyOutcome:
        """Bring one image, and remember it as soon as it is there."""
        outcome = await run.copy_image(image)
        if outcome.error is None:
            self._journal.note(image, whole=True)
        return outcome

    async def _read_back(
        self, run: TransferRun, images: Sequence[PlannedImage], outcomes: list[CopyOutcome]
    ) -> list[CopyOutcome]:
        """``outcomes`` after everything was read back; what is not there is brought again."""
        done = [number for number, outcome in enumerate(outcomes) if outcome.error is None]
        lost = await self._find_lost([(number, images[number]) for number in done])
        again = [number for number in lost if outcomes[number].was_present]
        for number, error in lost.items():
            outcomes[number] = msgspec.structs.replace(outcomes[number], error=error)
        brought = await run_all(run.copy_image(images[number], thorough=True) for number in again)
        for number, outcome in zip(again, brought, strict=True):
            outcomes[number] = outcome
        still = await self._find_lost([(number, images[number]) for number in again])
        for number in again:
            if number in still and outcomes[number].error is None:
                error = still[number]
                outcomes[number] = msgspec.structs.replace(outcomes[number], error=error)
            elif outcomes[number].error is None:
                self._journal.note(images[number], whole=True)
        return outcomes

    async def _find_lost(
        self, images: Sequence[tuple[int, PlannedImage]]
    ) -> dict[int, OkdPayloadError]:
        """What is wrong with which of ``images``; the journal forgets those."""
        errors = await read_back([image for _, image in images], self._memory.slots)
        lost = {}
        for (number, image), error in zip(images, errors, strict=True):
            if error is not None:
                lost[number] = error
                self._journal.note(image, whole=False)
        return lost


async def copy_image(copy: ImageCopy, *, progress: Progress = ignore_progress) -> CopyOutcome:
    """Copy one image, or one index with all its members. Raises what makes that impossible."""
    report = await ImageCopier(progress=progress).copy([copy])
    report.require_all()
    return report.images[0]
