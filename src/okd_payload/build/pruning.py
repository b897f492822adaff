# SPDX-License-Identifier: Apache-2.0
"""Taking away images that nothing needs any more.

Kept are the images of the stream's own tags, those of every release that is still there, and
whatever was brought in from elsewhere. Older builds lose the tag of their key, and with it the
protection from garbage collection; building them again is all that it costs.
"""

from __future__ import annotations

from okd_payload.build.key import KEY_LABEL, KEY_TAG_PREFIX, key_tag
from okd_payload.oci.digest import Digest
from okd_payload.oci.image import read_image
from okd_payload.oci.layout import GarbageReport, LayoutRepository
from okd_payload.oci.reference import parse_reference
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.load import load_release


async def prune_images(images: LayoutRepository, releases: LayoutRepository) -> GarbageReport:
    """Remove from ``images`` what neither its tags nor any of ``releases`` needs.

    Blobs that a running build has stored or relies on stay. Raises StorageError and ContentError.
    """
    needed = await _released(releases)
    tags = await images.manifests.tags()
    keys = [tag for tag in tags if tag.startswith(KEY_TAG_PREFIX)]
    for tag in sorted(set(tags).difference(keys)):
        needed.add((await images.manifests.get(tag)).digest)
    for tag in keys:
        if await _is_old_build(images, tag, needed):
            await images.manifests.untag(tag)
    return await images.collect_garbage()


async def _released(releases: LayoutRepository) -> set[Digest]:
    """The digests of all images that the releases name."""
    digests: set[Digest] = set()
    for tag in await releases.manifests.tags():
        release = await load_release(releases, tag)
        references = [parse_reference(pull_spec_of(item)) for item in release.tags]
        digests |= {reference.digest for reference in references if reference.digest}
    return digests


async def _is_old_build(images: LayoutRepository, tag: str, needed: set[Digest]) -> bool:
    image = await read_image(images, tag)
    is_build = key_tag(image.config.labels.get(KEY_LABEL, "")) == tag
    return is_build and image.referenced.digest not in needed
