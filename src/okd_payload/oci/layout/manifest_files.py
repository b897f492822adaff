# SPDX-License-Identifier: Apache-2.0
"""Manifests as the blobs they are, and everything that one leads to."""

from __future__ import annotations

import contextlib

from okd_payload.errors import ContentError, DigestMismatch, NotFound
from okd_payload.oci import media_types
from okd_payload.oci.digest import Digest
from okd_payload.oci.layout.blob_files import BlobReader, IncomingBlob
from okd_payload.oci.layout.folder import Folder
from okd_payload.oci.layout.writer import Membership
from okd_payload.oci.manifest import MAX_MANIFEST_BYTES, Descriptor, Manifest, read_manifest


def read_stored(folder: Folder, digest: Digest, *, media_type: str = "") -> Manifest:
    """The manifest with ``digest``; its type is as the one inside, else ``media_type``.

    Raises NotFound, ContentError and StorageError.
    """
    with contextlib.closing(BlobReader(folder, digest, None)) as reader:
        content = reader.read_all(max_bytes=MAX_MANIFEST_BYTES)
    try:
        return read_manifest(content, media_type=media_type)
    except ContentError as error:
        raise error.about(
            f"{folder.name}@{digest}", hint="copy or build the image again"
        ) from error


def store(folder: Folder, member: Membership, manifest: Manifest) -> None:
    """Put ``manifest`` among the blobs. Raises StorageError."""
    if folder.blob_size(manifest.digest) == len(manifest.content):
        return
    with IncomingBlob(folder, member, manifest.descriptor) as incoming:
        incoming.finish([manifest.content])


def reachable(folder: Folder, manifest: Manifest, *, sparse: bool = False) -> list[Descriptor]:
    """All that ``manifest`` leads to: blobs, and the members of indexes with theirs.

    Raises NotFound where a member is absent, unless ``sparse`` indexes are fine.
    """
    found: dict[Digest, Descriptor] = {}
    waiting = [manifest]
    while waiting:
        parent = waiting.pop()
        for item in parent.needs():
            known = item.digest in found
            found[item.digest] = item
            if not known and parent.is_index and item.media_type in media_types.ACCEPTED:
                try:
                    member = read_stored(folder, item.digest, media_type=item.media_type)
                except NotFound:
                    if not sparse:
                        raise
                else:
                    waiting.append(member)
    return list(found.values())


def check_present(folder: Folder, needed: Descriptor) -> None:
    """Raise NotFound or DigestMismatch unless what a manifest needs is there, in full size."""
    size = folder.blob_size(needed.digest)
    if size is None:
        raise NotFound(
            f"oci:{folder.root} has no {needed.digest}, which an image needs",
            hint="copy or build the image again",
        )
    if size != needed.size:
        raise DigestMismatch(
            f"{needed.digest} has {size} bytes, and its image says {needed.size}",
            hint="one of them is damaged: copy or build the image again",
        )
