# SPDX-License-Identifier: Apache-2.0
"""Copying images between any two repositories.

Byte for byte: manifests and indexes keep their digests, and an index comes with all its members.
First a plan (a value), then the work. Each blob is sent once, however many images share it and
however many copies are under way; mounted where the repositories can; not sent when it is there.
Blobs come before manifests, members before their index, tags last, so whatever interrupts a copy,
the same copy finishes it. One image that fails does not stop the others. A journal, where there
is one, remembers what was whole at a destination; then everything is read back in the end.
"""

from okd_payload.oci.transfer.copier import ImageCopier, copy_image
from okd_payload.oci.transfer.journal import Journal
from okd_payload.oci.transfer.journal_file import JournalFile
from okd_payload.oci.transfer.model import (
    BlobCount,
    CopyOutcome,
    ImageCopy,
    PlannedImage,
    PlannedManifest,
    TransferPlan,
    TransferReport,
)

__all__ = [
    "BlobCount",
    "CopyOutcome",
    "ImageCopier",
    "ImageCopy",
    "Journal",
    "JournalFile",
    "PlannedImage",
    "PlannedManifest",
    "TransferPlan",
    "TransferReport",
    "copy_image",
]
