# SPDX-License-Identifier: Apache-2.0
"""Repositories seen as image streams."""

from __future__ import annotations

import pytest

from okd_payload.errors import RegistryUnavailable, UnknownName
from okd_payload.imagestream.model import ImageStream
from okd_payload.imagestream.repository import read_repository
from okd_payload.oci import media_types
from okd_payload.oci.digest import digest_of
from okd_payload.oci.manifest import Index, Manifest, encode_manifest
from okd_payload.testing.memory_repository import MemoryManifests, MemoryRepository


def manifest(name: str) -> Manifest:
    """A manifest that is different for every name."""
    index = Index(manifests=(), media_type=media_types.OCI_INDEX, annotations={"name": name})
    return encode_manifest(index)


@pytest.fixture
async def repository() -> MemoryRepository:
    """A repository with two images and an attachment."""
    repository = MemoryRepository("registry.test/okd")
    kept = [f"{word}-{'0' * 64}" for word in ("sha256", "build", "kept", "snapshot")]
    for tag in ("etcd", "cli", f"sha256-{'0' * 64}.sig", *kept):
        await repository.manifests.put(manifest(tag), tag=tag)
    return repository


async def test_tags_become_pinned_references(repository: MemoryRepository) -> None:
    """Every tag is in the stream with its digest; attachments are not."""
    stream = await read_repository(repository, name="next")
    assert stream.name == "next"
    assert [(tag.name, tag.digest, tag.reference) for tag in stream.tags] == [
        (name, manifest(name).digest, f"registry.test/okd@{manifest(name).digest}")
        for name in ("cli", "etcd")
    ]
    assert stream.tag("cli").digest == manifest("cli").digest


async def test_references_can_name_another_repository(repository: MemoryRepository) -> None:
    """What is built here is published elsewhere."""
    stream = await read_repository(repository, name="next", published_as="quay.test/okd")
    assert stream.tag("etcd").reference == f"quay.test/okd@{manifest('etcd').digest}"


async def test_an_unknown_tag_offers_the_nearest(repository: MemoryRepository) -> None:
    """A mistyped tag is answered with those that exist."""
    stream = await read_repository(repository, name="next")
    with pytest.raises(UnknownName, match="'etc'") as caught:
        stream.tag("etc")
    assert caught.value.hint == "did you mean etcd?"


async def test_an_empty_repository_is_an_empty_stream() -> None:
    """Nothing pushed yet means no tags."""
    assert await read_repository(MemoryRepository(), name="n") == ImageStream(name="n")


class OtherManifests(MemoryRepository):
    """A repository in memory whose manifests are those given."""

    def __init__(self, manifests: MemoryManifests) -> None:
        super().__init__()
        self._given = manifests

    @property
    def manifests(self) -> MemoryManifests:
        """What was given."""
        return self._given


class OneTagTooMany(MemoryManifests):
    """Lists a tag that is gone when it is asked for."""

    async def tags(self) -> list[str]:
        """All tags, and one more."""
        return ["gone", *await super().tags()]


class Silent(MemoryManifests):
    """Lists tags and then no longer answers."""

    async def tags(self) -> list[str]:
        """Two tags."""
        return ["a", "b"]

    async def get(self, reference: str) -> Manifest:
        """Fail."""
        raise RegistryUnavailable(f"cannot read {reference}")


async def test_a_tag_that_vanishes_is_not_in_the_stream() -> None:
    """A tag removed between listing and reading is left out."""
    manifests = OneTagTooMany("", MemoryRepository().blobs, [])
    await manifests.put(manifest("cli"), tag="cli")
    stream = await read_repository(OtherManifests(manifests), name="next")
    assert [tag.name for tag in stream.tags] == ["cli"]


async def test_a_failure_is_the_repository_s_own() -> None:
    """An error of the registry arrives as itself."""
    silent = Silent("", MemoryRepository().blobs, [])
    with pytest.raises(RegistryUnavailable):
        await read_repository(OtherManifests(silent), name="next")


def test_digests_are_of_bytes() -> None:
    """The digest of a tag is that of the manifest's bytes."""
    assert manifest("a").digest == digest_of(manifest("a").content)
