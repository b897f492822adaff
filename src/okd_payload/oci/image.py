# SPDX-License-Identifier: Apache-2.0
"""Reading one image, or one small blob, whole.

What most readers want of a repository in one call: the manifest for their machine, found
through indexes where needed, and the configuration, both verified and decoded. Layers are
never read here.
"""

from __future__ import annotations

import msgspec

from okd_payload.errors import ContentError, TooLarge
from okd_payload.oci.config import MAX_CONFIG_BYTES, ImageConfig, read_config
from okd_payload.oci.digest import Digest
from okd_payload.oci.manifest import Descriptor, ImageManifest, Manifest, Platform
from okd_payload.oci.platform import choose_member
from okd_payload.oci.repository import Repository

MAX_INDEX_DEPTH = 8
"""Indexes may hold indexes; nobody nests them deeper than twice."""


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """One image of one platform, all but its layers."""

    referenced: Manifest
    """What the reference means: this image's manifest, or the index that it was chosen from."""
    manifest: Manifest
    content: ImageManifest
    """What ``manifest`` says."""
    config: ImageConfig
    config_bytes: bytes

    @property
    def digest(self) -> Digest:
        """The digest of the image's manifest."""
        return self.manifest.digest

    @property
    def descriptor(self) -> Descriptor:
        """The pointer to the image's manifest."""
        return self.manifest.descriptor

    @property
    def layers(self) -> tuple[Descriptor, ...]:
        """The layers, lowest first."""
        return self.content.layers


async def read_image(
    repository: Repository, reference: str, *, platform: Platform | None = None
) -> Image:
    """The image with this tag or digest; of an index, the member for ``platform``.

    Without a platform it is the only member, or the one for this machine. Raises NotFound and
    ContentError.
    """
    referenced = await repository.manifests.get(reference)
    manifest = await _descend(repository, referenced, platform)
    return await describe_image(repository, manifest, referenced=referenced)


async def describe_image(
    repository: Repository, manifest: Manifest, *, referenced: Manifest
) -> Image:
    """The image with ``manifest``, which ``referenced`` led to. Raises NotFound, ContentError."""
    content = manifest.image()
    config_bytes = await read_blob(repository, content.config, max_bytes=MAX_CONFIG_BYTES)
    return Image(
        referenced=referenced,
        manifest=manifest,
        content=content,
        config=read_config(config_bytes),
        config_bytes=config_bytes,
    )


async def read_blob(repository: Repository, descriptor: Descriptor, *, max_bytes: int) -> bytes:
    """The whole verified content of a blob. Raises NotFound, DigestMismatch, TooLarge."""
    if descriptor.size > max_bytes:
        raise TooLarge(
            f"{descriptor.digest} in {repository.name} has {descriptor.size} bytes,"
            f" more than the {max_bytes} allowed here",
            hint="is it an image? what such a blob holds is never that large",
        )
    return b"".join([chunk async for chunk in repository.blobs.read(descriptor)])


async def _descend(
    repository: Repository, manifest: Manifest, platform: Platform | None
) -> Manifest:
    for _ in range(MAX_INDEX_DEPTH):
        if not manifest.is_index:
            return manifest
        name = f"{repository.name}@{manifest.digest}"
        member = choose_member(manifest.index(), platform, name=name)
        manifest = await repository.manifests.get(member.digest)
    raise ContentError(
        f"{repository.name}: indexes are nested deeper than {MAX_INDEX_DEPTH}",
        hint="push the image again without indexes inside of indexes",
    )
