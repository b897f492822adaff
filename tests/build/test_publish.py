# SPDX-License-Identifier: Apache-2.0
"""Publishing: the same bytes elsewhere, the release last."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from releases import CONTENT, make_release
from workshop import Workshop

from okd_payload.build.publish import Published, publish_release
from okd_payload.errors import NotFound, PartlyDone, ReleaseError
from okd_payload.progress import ignore_progress
from okd_payload.release.load import Release, load_release
from okd_payload.testing.memory_repository import MemoryRepository


class Targets:
    """Two empty repositories of a server."""

    def __init__(self) -> None:
        self.content = MemoryRepository(CONTENT)
        self.releases = MemoryRepository("quay.io/me/release")


@pytest.fixture
def targets() -> Targets:
    """Where everything goes."""
    return Targets()


async def publish(release: Release, workshop: Workshop, targets: Targets) -> Published:
    """Publish ``release`` of ``workshop``."""
    return await publish_release(
        release,
        repository_of=workshop.places.repository_of,
        releases=workshop.releases,
        content_target=targets.content,
        releases_target=targets.releases,
        content_repository=CONTENT,
        progress=ignore_progress,
    )


async def test_all_of_a_release_is_published(workshop: Workshop, targets: Targets, tmp_path: Path):
    """Every image by its digest, protected by a tag, and the release under its name."""
    made = await make_release(workshop, tmp_path)
    release = await load_release(workshop.releases, made.name)
    published = await publish(release, workshop, targets)
    assert published.digest == made.digest
    assert published.reference == f"quay.io/me/release@{made.digest}"
    for image in made.images:
        tagged = await targets.content.manifests.get(f"{made.name}-{image.name}")
        assert image.reference == f"{CONTENT}@{tagged.digest}"
    assert (await targets.releases.manifests.get(made.name)).digest == made.digest


async def test_publishing_again_sends_nothing(workshop: Workshop, targets: Targets, tmp_path: Path):
    """What is there already stays as it is."""
    made = await make_release(workshop, tmp_path)
    release = await load_release(workshop.releases, made.name)
    await publish(release, workshop, targets)
    again = await publish(release, workshop, targets)
    assert (again.images.copied.blobs, again.images.mounted.blobs) == (0, 0)


async def test_a_release_is_published_after_its_images(
    workshop: Workshop, targets: Targets, tmp_path: Path
):
    """When images are missing, nobody finds a release that has holes."""
    made = await make_release(workshop, tmp_path)
    release = await load_release(workshop.releases, made.name)
    workshop.content.manifests.images.clear()
    with pytest.raises(PartlyDone):
        await publish(release, workshop, targets)
    with pytest.raises(NotFound):
        await targets.releases.manifests.get(made.name)


async def test_what_an_earlier_release_brought_is_taken_from_there(
    workshop: Workshop, targets: Targets, tmp_path: Path
):
    """A release on top of a published one needs none of its images on this machine."""
    made = await make_release(workshop, tmp_path)
    release = await load_release(workshop.releases, made.name)
    await publish(release, workshop, targets)
    workshop.content.manifests.images.clear()
    workshop.registries[CONTENT] = targets.content
    again = await publish(release, workshop, targets)
    assert [image.was_present for image in again.images.images] == [True, True, True]


async def test_images_of_other_repositories_stay_there(
    workshop: Workshop, targets: Targets, tmp_path: Path
):
    """Only what is named in the stream's own repository is copied."""
    made = await make_release(workshop, tmp_path)
    release = await load_release(workshop.releases, made.name)
    published = await publish_release(
        release,
        repository_of=workshop.places.repository_of,
        releases=workshop.releases,
        content_target=targets.content,
        releases_target=targets.releases,
        content_repository="quay.io/somebody/else",
        progress=ignore_progress,
    )
    assert published.images.images == ()
    assert await targets.content.manifests.tags() == []


async def test_a_payload_that_no_cluster_can_pull_is_refused(
    workshop: Workshop, targets: Targets, tmp_path: Path
):
    """A payload names its images for good: one that names nowhere cannot be published."""
    made = await make_release(workshop, tmp_path, stream="")
    release = await load_release(workshop.releases, made.name)
    with pytest.raises(ReleaseError) as caught:
        await publish(release, workshop, targets)
    assert "localhost/test/content" in caught.value.message
    assert "publish.content" in caught.value.hint
    assert await targets.content.manifests.tags() == []


async def test_a_folder_is_no_release_to_publish(
    workshop: Workshop, targets: Targets, tmp_path: Path
):
    """Files alone have no digest that a cluster could pull."""
    made = await make_release(workshop, tmp_path)
    release = await load_release(workshop.releases, made.name)
    files = msgspec.structs.replace(release.content, image=None)
    with pytest.raises(ReleaseError):
        await publish(msgspec.structs.replace(release, content=files), workshop, targets)
