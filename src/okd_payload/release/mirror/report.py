# SPDX-License-Identifier: Apache-2.0
"""What mirroring did, as lines for people and as a value for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from okd_payload.oci.digest import Digest
from okd_payload.oci.location import DiskLocation, LayoutLocation, Location, RegistryLocation
from okd_payload.oci.transfer import CopyOutcome, PlannedImage
from okd_payload.release.mirror.plan import MirrorItem, MirrorPlan
from okd_payload.release.mirror.targets import MirrorTarget, without_tag

_TOLD = 3
"""Images that failed for one reason and are told one by one."""


class MirroredImage(msgspec.Struct, frozen=True, kw_only=True):
    """One image: whence, whither, and how its bytes came there."""

    name: str
    source: str
    target: str
    digest: Digest
    copied_bytes: int = 0
    mounted_bytes: int = 0
    present_bytes: int = 0
    error: str = ""


class MirrorReport(msgspec.Struct, frozen=True, kw_only=True):
    """A release and all its images, and where they are now."""

    version: str
    digest: Digest
    update_images: tuple[str, ...]
    images: tuple[MirroredImage, ...]
    files: tuple[str, ...] = ()
    """Instructions and signatures that were written."""

    @property
    def failed(self) -> tuple[MirroredImage, ...]:
        """The images that are not where they should be."""
        return tuple(image for image in self.images if image.error)


def failure_lines(report: MirrorReport) -> list[str]:
    """What failed and why; of many images that failed for one reason, the first ones."""
    reasons = Counter(_reason(image) for image in report.failed)
    told: Counter[str] = Counter()
    lines = []
    for image in report.failed:
        reason = _reason(image)
        told[reason] += 1
        if told[reason] <= _TOLD:
            lines.append(f"{image.name} to {image.target}: {image.error}")
    lines += [
        f"{number - _TOLD} more images: {reason}"
        for reason, number in reasons.items()
        if number > _TOLD
    ]
    return lines


def mirrored_image(item: MirrorItem, outcome: CopyOutcome, *, source: str) -> MirroredImage:
    """What became of ``item``."""
    return MirroredImage(
        name=item.component or "release",
        source=source,
        target=exact(item.target),
        digest=item.digest,
        copied_bytes=outcome.copied.bytes,
        mounted_bytes=outcome.mounted.bytes,
        present_bytes=outcome.present.bytes,
        error=str(outcome.error) if outcome.error else "",
    )


def manifest_lines(images: Sequence[tuple[Location, PlannedImage]]) -> list[str]:
    """A line ``DIGEST TARGET`` for every manifest of ``images``, sorted."""
    return sorted({line for target, image in images for line in _lines(target, image)})


def _lines(target: Location, image: PlannedImage) -> Iterator[str]:
    repository = str(without_tag(target))
    for node in image.walk():
        if node is not image.root:
            yield f"{node.manifest.digest} {repository}"
    for attachment in image.attachments:
        if attachment.tag:
            yield f"{attachment.planned.manifest.digest} {repository}:{attachment.tag}"
    yield f"{image.root.manifest.digest} {target}"


def summary(plan: MirrorPlan, targets: Sequence[MirrorTarget], *, typed: Sequence[str]) -> str:
    """The end of the output: the release to update to, and what ``typed`` options named."""
    lines = ["", "Success"]
    lines += [f"Update image:  {exact(place)}" for place in plan.update_images]
    prefix = "Mirrored to:" if any(target.has_own_tags for target in targets) else "Mirror prefix:"
    lines += [f"{prefix} {text}" for text in typed]
    for place in plan.update_images:
        if isinstance(place, DiskLocation):
            folder = f"--from-dir={place.folder} " if str(place.folder) != "." else ""
            lines += [
                "",
                "To upload local images to a registry, run:",
                "",
                f"    oc image mirror {folder}'file://{exact(place)}*' REGISTRY/REPOSITORY",
                "",
            ]
    return "".join(f"{line}\n" for line in lines)


def exact(location: Location) -> str:
    """``location`` as ``oc`` shows it: without the scheme of a directory."""
    return str(location).removeprefix("file://")


def mirror_repositories(locations: Sequence[Location]) -> list[str]:
    """The repositories of ``locations`` that a cluster can pull from."""
    return [place.repository for place in locations if isinstance(place, RegistryLocation)]


def absolute(location: Location) -> Location:
    """``location`` wherever the program runs: a journal must not take one folder for another."""
    if isinstance(location, DiskLocation):
        return msgspec.structs.replace(location, folder=location.folder.absolute())
    if isinstance(location, LayoutLocation):
        return msgspec.structs.replace(location, path=location.path.absolute())
    return location


def _reason(image: MirroredImage) -> str:
    """The last part of an error, which is the same when a host is to blame."""
    return image.error.rpartition(": ")[2]
