# SPDX-License-Identifier: Apache-2.0
"""Pruning: old builds go, everything that is needed stays."""

from __future__ import annotations

from pathlib import Path

from releases import make_release
from workshop import Workshop

from okd_payload.build.key import KEY_LABEL, key_tag
from okd_payload.build.pruning import prune_images
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.transfer import ImageCopier, ImageCopy
from okd_payload.testing.images import push_image

OLD, CURRENT, FOREIGN = "a" * 64, "b" * 64, "c" * 64


async def test_old_builds_go_and_the_rest_stays(tmp_path: Path):
    """A build whose tag has moved on is removed; current and imported images are not."""
    images = LayoutRepository(tmp_path / "images")
    releases = LayoutRepository(tmp_path / "releases")
    for key in (OLD, CURRENT):
        image = await push_image(images, labels={KEY_LABEL: key}, tag=key_tag(key))
        await images.manifests.put(image, tag="etcd")
    await push_image(images, labels={"imported": "yes"}, tag=key_tag(FOREIGN))
    images.close()

    report = await prune_images(images, releases)
    assert report.removed > 0
    assert await images.manifests.tags() == sorted([key_tag(CURRENT), key_tag(FOREIGN), "etcd"])
    assert (await prune_images(images, releases)).removed == 0


async def test_images_of_releases_stay(tmp_path: Path, workshop: Workshop):
    """What a release names is needed, whatever tags have moved on."""
    made = await make_release(workshop, tmp_path)
    images = LayoutRepository(tmp_path / "images")
    releases = LayoutRepository(tmp_path / "releases")
    copies = [
        ImageCopy(source=workshop.content, reference=tag, destination=images, tag=tag)
        for tag in await workshop.content.manifests.tags()
        if tag.startswith("build-")
    ]
    copies.append(
        ImageCopy(
            source=workshop.releases, reference=made.name, destination=releases, tag=made.name
        )
    )
    await ImageCopier().copy(copies)
    images.close()

    await prune_images(images, releases)
    kept = {(await images.manifests.get(tag)).digest for tag in await images.manifests.tags()}
    assert kept == {image.reference.partition("@")[2] for image in made.images}
