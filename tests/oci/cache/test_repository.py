# SPDX-License-Identifier: Apache-2.0
"""What is asked by digest is asked of the place once; everything else each time."""

from __future__ import annotations

import pytest

from okd_payload.errors import NotFound
from okd_payload.oci.cache import CachedRepository, place_behind
from okd_payload.oci.cache.repository import MAX_BLOB_BYTES
from okd_payload.oci.image import read_image
from okd_payload.oci.media_types import OCI_LAYER, Family
from okd_payload.oci.repository import stat_manifest
from okd_payload.testing.images import push_blob, push_image
from okd_payload.testing.memory_repository import MemoryRepository


async def _read(repository, descriptor) -> bytes:
    return b"".join([chunk async for chunk in repository.blobs.read(descriptor)])


@pytest.mark.parametrize("family", list(Family))
async def test_an_image_by_digest_is_asked_for_once(cached, place, family) -> None:
    """The second reading asks for nothing and gives the same, media type included."""
    pushed = await push_image(place, layers=[b"layer"], family=family)
    first = await read_image(cached, pushed.digest)
    place.operations.clear()

    again = await read_image(cached, pushed.digest)

    assert again == first
    assert again.manifest.media_type == pushed.media_type
    assert place.operations == []


async def test_a_tag_is_always_asked_for(cached, place) -> None:
    """Tags move, so what they mean is never remembered; what they led to is."""
    pushed = await push_image(place, layers=[b"one"], tag="latest")
    await cached.manifests.get("latest")
    moved = await push_image(place, layers=[b"two"], tag="latest")

    assert (await cached.manifests.get("latest")).digest == moved.digest
    place.operations.clear()
    await cached.manifests.get(pushed.digest)
    assert place.operations == []


async def test_existence_is_never_remembered(cached, place) -> None:
    """Whether something is there is the place's to say, even where the content is kept."""
    pushed = await push_image(place, layers=[b"layer"])
    image = await read_image(cached, pushed.digest)
    place.manifests.images.clear()
    place.blobs.contents.clear()

    assert await stat_manifest(cached.manifests, pushed.digest) is None
    assert await cached.blobs.stat(image.content.config.digest) is None
    assert await cached.manifests.tags() == []


async def test_large_blobs_pass(cached, place, folder) -> None:
    """Layers are read from the place each time, and take no room."""
    layer = await push_blob(place, b"x" * (MAX_BLOB_BYTES + 1), OCI_LAYER)

    assert await _read(cached, layer) == await _read(cached, layer)
    assert [verb for verb, _ in place.operations].count("read") == 2
    assert not folder.exists()


async def test_what_is_absent_is_not_remembered(cached, place) -> None:
    """An image that comes later is found when it is there."""
    other = MemoryRepository()
    pushed = await push_image(other, layers=[b"layer"])
    with pytest.raises(NotFound):
        await cached.manifests.get(pushed.digest)
    await push_image(place, layers=[b"layer"])

    assert (await cached.manifests.get(pushed.digest)).digest == pushed.digest


async def test_content_under_a_wrong_digest_is_not_believed(cached, place, shelves) -> None:
    """Whole files that hold something else, however they got there, are asked for again."""
    pushed = await push_image(place, layers=[b"layer"])
    image = await read_image(cached, pushed.digest)
    config = image.content.config
    shelves.blobs.put(config.digest.removeprefix("sha256:"), b"{}" + b" " * (config.size - 2))
    shelves.manifests.put(pushed.digest.removeprefix("sha256:"), b"text/html\n<html>")

    assert await read_image(cached, pushed.digest) == image


async def test_mounts_go_to_the_place_behind(place, shelves) -> None:
    """A cache in front of origin or target does not turn a mount into a copy."""
    layer = await push_blob(place, b"layer", OCI_LAYER)
    origin = CachedRepository(place, shelves)
    target = CachedRepository(MemoryRepository(), shelves)

    assert await target.blobs.mount(layer, origin)
    assert await target.blobs.stat(layer.digest) == layer.size
    assert place_behind(origin) is place
    assert place_behind(place) is place
