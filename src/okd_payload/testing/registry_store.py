# SPDX-License-Identifier: Apache-2.0
"""What a registry in memory holds: repositories with blobs, manifests, tags and open uploads."""

from __future__ import annotations

from okd_payload.oci import media_types
from okd_payload.oci.digest import Digest, digest_of
from okd_payload.oci.manifest import Descriptor, Manifest
from okd_payload.oci.referrers import referrer_of


class StoredRepository:
    """One repository. Tests fill it and look into it directly."""

    def __init__(self) -> None:
        self.blobs: dict[Digest, bytes] = {}
        self.manifests: dict[Digest, Manifest] = {}
        self.tags: dict[str, Digest] = {}
        self.uploads: dict[str, bytearray] = {}

    def add_blob(self, content: bytes, *, media_type: str = media_types.OCI_LAYER) -> Descriptor:
        """Put a blob in, and describe it."""
        digest = digest_of(content)
        self.blobs[digest] = content
        return Descriptor(media_type=media_type, digest=digest, size=len(content))

    def add_manifest(self, manifest: Manifest, *, tag: str = "") -> Manifest:
        """Put a manifest in, under ``tag`` if given; its blobs need not be there."""
        self.manifests[manifest.digest] = manifest
        if tag:
            self.tags[tag] = manifest.digest
        return manifest

    def find(self, reference: str) -> Manifest | None:
        """The manifest with a tag or digest."""
        return self.manifests.get(self.tags.get(reference, Digest(reference)))

    def referrers(self, digest: str) -> list[Descriptor]:
        """Descriptors of the manifests whose subject has this digest."""
        found = (referrer_of(manifest) for manifest in self.manifests.values())
        return [referrer.entry for referrer in found if referrer and referrer.subject == digest]

    def lacks(self, manifest: Manifest) -> list[Digest]:
        """What the manifest leads to and is not here."""
        held = self.manifests if manifest.is_index else self.blobs
        return [item.digest for item in manifest.needs() if item.digest not in held]
