# SPDX-License-Identifier: Apache-2.0
"""Small images for tests: real manifests and configurations over layers of any bytes.

The same arguments give the same digests. Layers are stored as they are given, uncompressed, so a
test that looks into layers passes tar archives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from okd_payload.oci.blob_sources import BytesSource
from okd_payload.oci.digest import digest_of
from okd_payload.oci.manifest import (
    Descriptor,
    ImageManifest,
    Index,
    Manifest,
    Platform,
    encode_manifest,
)
from okd_payload.oci.media_types import DOCKER_LAYER, OCI_LAYER, Family
from okd_payload.oci.repository import Repository

CREATED = "2025-01-02T03:04:05Z"


def blob_of(content: bytes, media_type: str) -> Descriptor:
    """The pointer to ``content``."""
    return Descriptor(media_type=media_type, digest=digest_of(content), size=len(content))


def config_of(
    layers: Sequence[bytes],
    *,
    labels: Mapping[str, str] | None = None,
    architecture: str = "amd64",
    entrypoint: Sequence[str] = (),
) -> bytes:
    """The configuration of an image with these uncompressed layers."""
    run: dict[str, object] = {"Labels": dict(labels)} if labels else {}
    if entrypoint:
        run["Entrypoint"] = list(entrypoint)
    return msgspec.json.encode(
        {
            "created": CREATED,
            "architecture": architecture,
            "os": "linux",
            "config": run or None,
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
            "history": [{"created": CREATED, "created_by": "test"} for _ in layers],
        }
    )


async def push_blob(repository: Repository, content: bytes, media_type: str) -> Descriptor:
    """Store ``content`` and return the pointer to it."""
    descriptor = blob_of(content, media_type)
    await repository.blobs.write(descriptor, BytesSource(content))
    return descriptor


async def push_image(
    repository: Repository,
    *,
    tag: str | None = None,
    layers: Sequence[bytes] = (b"layer",),
    labels: Mapping[str, str] | None = None,
    architecture: str = "amd64",
    family: Family = Family.OCI,
    subject: Descriptor | None = None,
    artifact_type: str = "",
    entrypoint: Sequence[str] = (),
) -> Manifest:
    """Store an image, blobs first, and return its manifest."""
    layer_type = OCI_LAYER if family is Family.OCI else DOCKER_LAYER
    stored = [await push_blob(repository, layer, layer_type) for layer in layers]
    config = config_of(layers, labels=labels, architecture=architecture, entrypoint=entrypoint)
    manifest = encode_manifest(
        ImageManifest(
            media_type=family.manifest,
            config=await push_blob(repository, config, family.config),
            layers=tuple(stored),
            subject=subject,
            artifact_type=artifact_type,
        )
    )
    await repository.manifests.put(manifest, tag=tag)
    return manifest


async def push_index(
    repository: Repository,
    members: Mapping[str, Manifest],
    *,
    tag: str | None = None,
    family: Family = Family.OCI,
) -> Manifest:
    """Store an index of images that are there already, by architecture, and return it."""
    listed = tuple(
        msgspec.structs.replace(member.descriptor, platform=Platform(architecture))
        for architecture, member in members.items()
    )
    index = encode_manifest(Index(media_type=family.index, manifests=listed))
    await repository.manifests.put(index, tag=tag)
    return index
