# SPDX-License-Identifier: Apache-2.0
"""Where images are read: here when they are here, else where their pull specs say."""

from __future__ import annotations

import pytest

from okd_payload.build.places import Places
from okd_payload.errors import NotFound
from okd_payload.oci.digest import digest_of
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.oci.repository import Repository
from okd_payload.testing.images import push_image
from okd_payload.testing.memory_repository import MemoryRepository


@pytest.fixture
def registry() -> MemoryRepository:
    """The repository that every pull spec means."""
    return MemoryRepository("quay.io/okd/content")


@pytest.fixture
def near() -> MemoryRepository:
    """A repository of this machine."""
    return MemoryRepository()


@pytest.fixture
def places(registry: MemoryRepository, near: MemoryRepository) -> Places:
    """An empty place, the near one, and registries behind them."""

    async def open_repository(_: Reference) -> Repository:
        return registry

    return Places([MemoryRepository(), near], open_repository)


async def test_what_is_near_is_read_here(places: Places, near: MemoryRepository):
    """An image by digest is the same everywhere, so it need not be published to be read."""
    image = await push_image(near)
    reference = parse_reference(f"localhost/nobody/content@{image.digest}")
    assert await places.repository_of(reference) is near
    assert await places.resolve(reference) == image.descriptor


async def test_tags_are_never_read_here(
    places: Places, near: MemoryRepository, registry: MemoryRepository
):
    """Here a tag means something else than in the registry that is named."""
    await push_image(near, tag="etcd", layers=[b"ours"])
    theirs = await push_image(registry, tag="etcd", layers=[b"theirs"])
    reference = parse_reference("quay.io/okd/content:etcd")
    assert await places.resolve(reference) == theirs.descriptor


async def test_a_reference_without_tag_means_latest(places: Places, registry: MemoryRepository):
    """As every client has it."""
    image = await push_image(registry, tag="latest")
    assert await places.resolve(parse_reference("quay.io/okd/content")) == image.descriptor


async def test_what_nobody_has_is_not_found(places: Places):
    """The registry has the last word."""
    with pytest.raises(NotFound):
        await places.resolve(parse_reference(f"quay.io/okd/content@{digest_of(b'x')}"))
