# SPDX-License-Identifier: Apache-2.0
"""Labels put on an image that somebody else's definition made.

A BuildConfig that is used as it is does not know of build keys, so its image carries none. The
same layers with the labels added are the image that the stream takes.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from okd_payload.catalog.component import Argument
from okd_payload.oci.blob_sources import BytesSource
from okd_payload.oci.config import change_config
from okd_payload.oci.digest import Digest, digest_of
from okd_payload.oci.image import read_image
from okd_payload.oci.manifest import Descriptor, Platform, encode_manifest
from okd_payload.oci.repository import Repository


async def label_image(
    repository: Repository, digest: Digest, labels: Iterable[Argument], *, platform: Platform
) -> Digest:
    """Store the image ``digest`` of ``repository`` with ``labels`` too; its manifest's digest.

    Raises NotFound and RegistryError.
    """
    image = await read_image(repository, digest, platform=platform)
    named = {label.name: label.value for label in labels}
    if named.items() <= image.config.labels.items():
        return image.digest
    content = change_config(image.config_bytes, labels=image.config.labels | named)
    config = Descriptor(
        media_type=image.content.config.media_type, digest=digest_of(content), size=len(content)
    )
    await repository.blobs.write(config, BytesSource(content))
    manifest = encode_manifest(msgspec.structs.replace(image.content, config=config))
    await repository.manifests.put(manifest)
    return manifest.digest
