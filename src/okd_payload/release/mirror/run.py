# SPDX-License-Identifier: Apache-2.0
"""Bringing the images of a release to their targets.

The release image comes last, and only to a target that has all its images: whoever finds it there
can install it. One image that fails stops no other, and the same command goes on with the rest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from okd_payload.errors import PartlyDone
from okd_payload.oci.location import DiskLocation, LayoutLocation, Location
from okd_payload.oci.repository import Repository
from okd_payload.oci.transfer import (
    CopyOutcome,
    ImageCopier,
    ImageCopy,
    PlannedImage,
    TransferPlan,
)
from okd_payload.release.mirror.plan import RELEASE, MirrorItem, MirrorPlan
from okd_payload.release.mirror.report import (
    MirroredImage,
    MirrorReport,
    absolute,
    exact,
    manifest_lines,
    mirrored_image,
)
from okd_payload.release.mirror.targets import without_tag

if TYPE_CHECKING:  # loads what making releases takes
    from okd_payload.release.new.images import RepositoryOf

OpenTarget = Callable[[Location], Awaitable[Repository]]
"""Opens a place to write to."""


class Source(msgspec.Struct, frozen=True):
    """Where the release was found: a repository, and how it is written."""

    repository: Repository
    location: Location

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine, and so worth asking for every image first."""
        return isinstance(self.location, DiskLocation | LayoutLocation)


class MirrorCopy(msgspec.Struct, frozen=True, kw_only=True):
    """One image to bring: as planned, and as a copy between two open repositories."""

    item: MirrorItem
    copy: ImageCopy
    source: str
    """The pull spec that it is read by."""


class Mirrored(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: a report, and a line for every manifest that is at its target now."""

    report: MirrorReport
    lines: tuple[str, ...]


async def open_copies(
    plan: MirrorPlan, source: Source, *, repository_of: RepositoryOf, open_target: OpenTarget
) -> list[MirrorCopy]:
    """The copies that ``plan`` takes. Nothing is asked of any target."""
    targets: dict[Location, Repository] = {}
    copies = []
    for item in plan.items:
        place = without_tag(absolute(item.target))
        if place not in targets:
            targets[place] = await open_target(place)
        origin, shown = source.repository, source.location.repository
        if item.reference is not None:
            origin = await repository_of(item.reference)
            if not (source.is_local and origin is source.repository):
                shown = item.reference.repository
        copies.append(
            MirrorCopy(
                item=item,
                source=f"{shown}@{item.digest}",
                copy=ImageCopy(
                    source=origin,
                    reference=item.digest,
                    destination=targets[place],
                    tag=item.target.tag,
                    referrers=True,
                ),
            )
        )
    return copies


async def carry_out(
    plan: MirrorPlan, copies: Sequence[MirrorCopy], copier: ImageCopier
) -> Mirrored:
    """Bring everything to its target; what fails is in the report."""
    components = [each for each in copies if each.item.component != RELEASE]
    releases = [each for each in copies if each.item.component == RELEASE]
    outcomes, planned = await _bring(components, copier)
    missing = _count_missing(outcomes)
    ready = [each for each in releases if not missing]
    last_outcomes, last_planned = await _bring(ready, copier)
    outcomes |= last_outcomes | {
        each.copy: CopyOutcome(copy=each.copy, error=_withheld(missing))
        for each in releases
        if each not in ready
    }
    planned |= last_planned
    return Mirrored(
        report=MirrorReport(
            version=plan.version,
            digest=plan.digest,
            update_images=tuple(map(exact, plan.update_images)),
            images=tuple(
                mirrored_image(each.item, outcomes[each.copy], source=each.source)
                for each in copies
            ),
        ),
        lines=tuple(
            manifest_lines(
                [
                    (each.item.target, planned[each.copy])
                    for each in copies
                    if outcomes[each.copy].error is None
                ]
            )
        ),
    )


def preview(plan: MirrorPlan, copies: Sequence[MirrorCopy], transfer: TransferPlan) -> Mirrored:
    """What would be brought, as if all of it had to be sent."""
    planned = {image.copy: image for image in transfer.images}
    errors = {outcome.copy: str(outcome.error) for outcome in transfer.unreadable}
    images = [
        MirroredImage(
            name=each.item.component or "release",
            source=each.source,
            target=exact(each.item.target),
            digest=each.item.digest,
            copied_bytes=_size(planned[each.copy]) if each.copy in planned else 0,
            error=errors.get(each.copy, ""),
        )
        for each in copies
    ]
    return Mirrored(
        report=MirrorReport(
            version=plan.version,
            digest=plan.digest,
            update_images=tuple(map(exact, plan.update_images)),
            images=tuple(images),
        ),
        lines=tuple(
            manifest_lines(
                [(each.item.target, planned[each.copy]) for each in copies if each.copy in planned]
            )
        ),
    )


async def _bring(
    copies: Sequence[MirrorCopy], copier: ImageCopier
) -> tuple[dict[ImageCopy, CopyOutcome], dict[ImageCopy, PlannedImage]]:
    transfer = await copier.plan([each.copy for each in copies])
    report = await copier.carry_out(transfer)
    return (
        {outcome.copy: outcome for outcome in report.images},
        {image.copy: image for image in transfer.images},
    )


def _count_missing(outcomes: dict[ImageCopy, CopyOutcome]) -> int:
    return sum(outcome.error is not None for outcome in outcomes.values())


def _withheld(missing: int) -> PartlyDone:
    images = "1 of its images is" if missing == 1 else f"{missing} of its images are"
    return PartlyDone(
        f"the release image comes last, and {images} not there yet",
        hint="the same command goes on with the rest",
    )


def _size(image: PlannedImage) -> int:
    blobs = {blob.digest: blob.size for node in image.walk() for blob in node.blobs}
    return sum(blobs.values())
