# SPDX-License-Identifier: Apache-2.0
"""What is to be copied, what that takes, and what came of it.

A plan knows every manifest and asked nothing of a destination yet. A report has an outcome for each
copy, those that failed included: nothing is raised before all of them have ended.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from okd_payload.errors import OkdPayloadError, PartlyDone
from okd_payload.oci.digest import Digest
from okd_payload.oci.manifest import Descriptor, Manifest
from okd_payload.oci.repository import Repository


class ImageCopy(msgspec.Struct, frozen=True, kw_only=True):
    """One image to copy, or one index with all its members."""

    source: Repository
    reference: str
    """Tag or digest at the source."""
    destination: Repository
    tag: str = ""
    """The tag at the destination; without one the image is there by its digest only."""
    referrers: bool = False
    """Whether signatures and all else that refers to the image comes along."""

    @property
    def subject(self) -> str:
        """What progress events call it."""
        return self.tag or self.reference

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.source.name} {self.reference} to {self.destination.name}{tag}"


class PlannedManifest(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest, and what must be at the destination before it."""

    manifest: Manifest
    blobs: tuple[Descriptor, ...] = ()
    members: tuple[PlannedManifest, ...] = ()
    foreign_layers: int = 0
    """Layers that are not copied, because they may not be distributed."""

    def walk(self) -> Iterator[PlannedManifest]:
        """This one and all below it, each digest once, members before their index."""
        return iter(_by_digest(self, {}).values())


class Attachment(msgspec.Struct, frozen=True):
    """Something that refers to the image: by its ``subject``, or by a tag as cosign makes them."""

    planned: PlannedManifest
    tag: str = ""


class PlannedImage(msgspec.Struct, frozen=True, kw_only=True):
    """One copy, with everything known that it takes."""

    copy: ImageCopy
    root: PlannedManifest
    attachments: tuple[Attachment, ...] = ()

    def walk(self) -> Iterator[PlannedManifest]:
        """Every manifest of the image and of what is attached to it."""
        for attachment in self.attachments:
            yield from attachment.planned.walk()
        yield from self.root.walk()


class BlobCount(msgspec.Struct, frozen=True):
    """A number of blobs, and of bytes."""

    blobs: int = 0
    bytes: int = 0

    def plus(self, blob: Descriptor) -> BlobCount:
        """With ``blob`` counted in."""
        return BlobCount(self.blobs + 1, self.bytes + blob.size)


class CopyOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one copy."""

    copy: ImageCopy
    digest: Digest | None = None
    """What the reference meant; None when even that could not be found out."""
    was_present: bool = False
    """Whether the destination had the image already."""
    copied: BlobCount = BlobCount()
    """Blobs that were sent for this image; what images share is sent for one of them."""
    mounted: BlobCount = BlobCount()
    present: BlobCount = BlobCount()
    """Blobs that were there already, when the image was there all of them."""
    error: OkdPayloadError | None = None


class TransferPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a set of copies takes. Nothing was asked of any destination yet."""

    images: tuple[PlannedImage, ...]
    unreadable: tuple[CopyOutcome, ...] = ()
    """The copies whose source could not be read."""

    @property
    def blobs(self) -> dict[tuple[str, Digest], Descriptor]:
        """Every blob that must be at a destination, by the destination's name and digest."""
        return {
            (image.copy.destination.name, blob.digest): blob
            for image in self.images
            for node in image.walk()
            for blob in node.blobs
        }

    @property
    def total_bytes(self) -> int:
        """The size of all blobs, each counted once for each destination."""
        return sum(blob.size for blob in self.blobs.values())


class TransferReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a set of copies; those whose source could not be read come last."""

    images: tuple[CopyOutcome, ...]
    copied: BlobCount = BlobCount()
    mounted: BlobCount = BlobCount()
    present: BlobCount = BlobCount()
    """Blobs that were looked for and found; those of images that were present are not counted."""
    foreign_layers: int = 0

    @property
    def failed(self) -> tuple[CopyOutcome, ...]:
        """The copies that are not done."""
        return tuple(image for image in self.images if image.error is not None)

    def require_all(self) -> None:
        """Raise the error of a lone copy, PartlyDone when some of several are not done."""
        errors = [image.error for image in self.images if image.error is not None]
        if len(self.images) == 1 and errors:
            raise errors[0]
        if errors:
            raise PartlyDone(
                f"{len(errors)} of {len(self.images)} images were not copied, the first because:"
                f" {errors[0]}",
                hint=errors[0].hint or "the same command goes on with the rest",
            )


def _by_digest(
    node: PlannedManifest, found: dict[Digest, PlannedManifest]
) -> dict[Digest, PlannedManifest]:
    if node.manifest.digest not in found:
        for member in node.members:
            _by_digest(member, found)
        found[node.manifest.digest] = node
    return found
