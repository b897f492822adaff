# SPDX-License-Identifier: Apache-2.0
"""What ``release verify`` prints."""

from __future__ import annotations

import msgspec

from okd_payload.cli.issues import count_of
from okd_payload.issues import Issue
from okd_payload.release.verify.attachments import Attachment
from okd_payload.release.verify.signatures import VerifiedDigest


class PrintedImages(msgspec.Struct, frozen=True, kw_only=True):
    """How much was looked at."""

    images: int
    manifests: int
    blobs: int
    bytes: int


class PrintedArtifacts(msgspec.Struct, frozen=True, kw_only=True):
    """The archives that were compared, and who signed their checksums."""

    files: int
    signers: tuple[str, ...]


class PrintedVerification(msgspec.Struct, frozen=True, kw_only=True):
    """What ``-o json`` prints."""

    release: str
    name: str
    digest: str
    sound: bool
    images: PrintedImages
    signatures: tuple[VerifiedDigest, ...]
    artifacts: PrintedArtifacts | None
    attachments: tuple[Attachment, ...] | None
    issues: tuple[Issue, ...]


def describe_verification(printed: PrintedVerification) -> list[str]:
    """The lines for people."""
    images = printed.images
    counts = (
        count_of(images.images, "image"),
        count_of(images.manifests, "manifest"),
        count_of(images.blobs, "blob"),
    )
    lines = [
        f"Release:     {printed.name} {printed.digest}".rstrip(),
        f"Images:      {', '.join(counts)}, {images.bytes / 1e9:.2f} GB",
    ]
    lines += [
        f"Signatures:  {item.platform or 'release'}: "
        + (", ".join(item.keys) if item.accepted else "none that counts")
        for item in printed.signatures
    ]
    if printed.artifacts:
        signers = ", ".join(printed.artifacts.signers) or "nobody that is trusted"
        files = count_of(printed.artifacts.files, "file")
        lines.append(f"Archives:    {files}, signed by {signers}")
    if printed.attachments is not None:
        lines.append(f"Attachments: {len(printed.attachments)} listed, none of them verified")
        lines += [
            f"  {item.component or 'release'} {item.subject} {item.tag or item.artifact_type}"
            for item in printed.attachments
        ]
    verdict = "verified" if printed.sound else "NOT verified"
    return [*lines, f"{printed.release}: {verdict}"]
