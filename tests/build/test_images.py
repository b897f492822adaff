# SPDX-License-Identifier: Apache-2.0
"""The images of a stream: found by key, published by tag."""

from __future__ import annotations

import pytest
from streams import AMD64

from okd_payload.build.images import NO_SOURCE_TIME, StreamImages, newest, read_moment
from okd_payload.build.key import KEY_LABEL, key_tag
from okd_payload.errors import NotFound
from okd_payload.oci.digest import digest_of
from okd_payload.testing.images import push_image, push_index
from okd_payload.testing.memory_repository import MemoryRepository

KEY = "a" * 64


@pytest.fixture
def images() -> StreamImages:
    """An empty content repository."""
    return StreamImages(MemoryRepository(), AMD64)


async def test_an_image_is_found_by_its_key(images: StreamImages):
    """What was built from a key is found with it, and nothing else is."""
    image = await push_image(images.repository, labels={KEY_LABEL: KEY}, tag=key_tag(KEY))
    found = await images.find(KEY)
    assert found is not None
    assert (found.digest, found.media_type, found.size) == (
        image.digest,
        image.media_type,
        len(image.content),
    )
    assert await images.find("b" * 64) is None


async def test_a_tag_that_lies_about_its_key_finds_nothing(images: StreamImages):
    """An image whose label says another key was put there by somebody else."""
    await push_image(images.repository, labels={KEY_LABEL: "b" * 64}, tag=key_tag(KEY))
    assert await images.find(KEY) is None


async def test_what_is_not_there(images: StreamImages):
    """Absent tags are None, absent digests an error."""
    assert await images.read_tag("etcd") is None
    assert await images.read_inputs("etcd") is None
    with pytest.raises(NotFound):
        await images.read(digest_of(b"nothing"))


async def test_foreign_images_have_no_inputs(images: StreamImages):
    """An image without our labels has been built from who knows what."""
    await push_image(images.repository, tag="etcd")
    assert await images.read_inputs("etcd") is None


async def test_a_tag_is_written_only_when_it_moves(images: StreamImages):
    """Publishing what is published already writes nothing."""
    image = await push_image(images.repository)
    await images.publish(image.digest, "etcd")
    repository = images.repository
    assert isinstance(repository, MemoryRepository)
    repository.operations.clear()
    await images.publish(image.digest, "etcd")
    assert "put" not in {verb for verb, _ in repository.operations}


async def test_an_index_counts_as_a_whole(images: StreamImages):
    """Of an image for several machines, the digest is that of the index."""
    members = {
        name: await push_image(images.repository, architecture=name, layers=[name.encode()])
        for name in ("amd64", "arm64")
    }
    index = await push_index(images.repository, members, tag="os")
    found = await images.read_tag("os")
    assert found is not None
    assert found.digest == index.digest


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2025-01-02T03:04:05Z", 1735787045),
        ("2025-01-02T03:04:05.123456789Z", 1735787045),
        ("2025-01-02T04:04:05+01:00", 1735787045),
        ("2025-01-02T03:04:05", NO_SOURCE_TIME),
        ("0001-01-01T00:00:00Z", NO_SOURCE_TIME),
        ("yesterday", NO_SOURCE_TIME),
        ("", NO_SOURCE_TIME),
    ],
)
def test_moments_are_the_same_on_every_machine(text: str, seconds: int):
    """A time without zone, or before any archive can hold it, is no time."""
    assert read_moment(text) == seconds


def test_no_images_are_as_old_as_can_be():
    """The newest of nothing is the time of images that no commit dates."""
    assert newest([]) == NO_SOURCE_TIME
