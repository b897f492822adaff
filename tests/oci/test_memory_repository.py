# SPDX-License-Identifier: Apache-2.0
"""The repository in memory: what it offers to tests beyond the protocol."""

from __future__ import annotations

import pytest

from okd_payload.errors import DigestMismatch
from okd_payload.oci.manifest import Manifest
from okd_payload.testing.images import push_image
from okd_payload.testing.memory_repository import MemoryRepository


async def test_operations_are_recorded_in_order():
    """A test can read what was asked of the repository."""
    repository = MemoryRepository()
    image = await push_image(repository, tag="etcd")
    await repository.manifests.get("etcd")
    layer, config = image.image().layers[0], image.image().config
    assert repository.operations == [
        ("write", layer.digest),
        ("write", config.digest),
        ("put", "etcd"),
        ("get", "etcd"),
    ]


async def test_damaged_content_is_noticed():
    """What a test damages is refused as a real repository refuses it."""
    repository = MemoryRepository()
    image = await push_image(repository, tag="etcd")
    layer = image.image().layers[0]
    repository.blobs.contents[layer.digest] = b"LAYER"
    with pytest.raises(DigestMismatch):
        async for _ in repository.blobs.read(layer):
            pass
    damaged = Manifest(image.media_type, image.content + b" ", image.digest)
    repository.manifests.images[image.digest] = damaged
    with pytest.raises(DigestMismatch):
        await repository.manifests.get("etcd")


def test_names_tell_repositories_apart():
    """Two repositories never have the same name, unless a test gives it to both."""
    assert MemoryRepository().name != MemoryRepository().name
    assert MemoryRepository("quay.io/okd/scos").name == "quay.io/okd/scos"
