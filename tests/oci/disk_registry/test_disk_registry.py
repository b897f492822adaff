# SPDX-License-Identifier: Apache-2.0
"""Directories of ``oc image mirror``: what lies where, and what damage does."""

from __future__ import annotations

import shutil

import pytest

from okd_payload.errors import DigestMismatch, NotFound, StorageError
from okd_payload.oci.disk_registry import DiskRepository
from okd_payload.oci.image import read_image
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.referrers import list_tag
from okd_payload.oci.transfer import ImageCopy, copy_image
from okd_payload.testing.images import push_image, push_index


@pytest.fixture
def repository(tmp_path):
    """An empty repository."""
    return DiskRepository(tmp_path, "openshift/release")


@pytest.fixture
def folder(tmp_path):
    """Where the repository is."""
    return tmp_path / "v2" / "openshift" / "release"


async def test_files_lie_where_oc_looks(repository, folder):
    """Blobs and manifests are below blobs, manifests have a second name, tags link to that."""
    image = await push_image(repository, tag="4.20.0", layers=[b"1", b"2"])
    blobs = {path.name for path in (folder / "blobs").iterdir() if path.is_file()}
    assert blobs == {image.digest, *(blob.digest for blob in image.image().blobs)}
    manifest = folder / "manifests" / image.digest
    assert manifest.read_bytes() == image.content
    assert manifest.samefile(folder / "blobs" / image.digest)
    assert str((folder / "manifests" / "4.20.0").readlink()) == image.digest
    assert {path.name for path in (folder / "manifests").iterdir()} == {image.digest, "4.20.0"}


async def test_nothing_half_written_stays(repository, folder):
    """A writer that ends leaves no file of its own, and no lock that anybody waits for."""
    await push_image(repository, tag="a")
    repository.close()
    assert [path.name for path in (folder / "blobs" / ".writers").iterdir()] == ["content.lock"]


async def test_a_damaged_blob_is_found_and_fetched_again(repository, folder):
    """What a disk made of a blob is never handed out; the same copy mends it."""
    origin = LayoutRepository(folder.parents[3] / "origin")
    image = await push_image(origin, tag="a", layers=[b"layer" * 1000])
    copy = ImageCopy(source=origin, reference="a", destination=repository, tag="a")
    await copy_image(copy)
    layer = image.image().layers[0]
    path = folder / "blobs" / layer.digest
    path.unlink()
    path.write_bytes(b"other" * 1000)
    with pytest.raises(DigestMismatch):
        async for _ in repository.blobs.read(layer):
            pass
    assert await repository.manifests.stat("a") is None
    again = DiskRepository(folder.parents[2], "openshift/release")
    await again.blobs.write(layer, _Source(b"layer" * 1000))
    assert await again.manifests.stat("a") == image.descriptor


async def test_a_damaged_manifest_is_found_and_written_again(repository, folder):
    """A manifest whose bytes changed is refused, under both its names."""
    image = await push_image(repository, tag="a")
    (folder / "manifests" / image.digest).write_bytes(b"{}")
    with pytest.raises(DigestMismatch):
        await repository.manifests.get("a")
    with pytest.raises(NotFound):
        await repository.manifests.get(image.digest)
    await repository.manifests.put(image, tag="a")
    assert await repository.manifests.get("a") == image


async def test_what_lacks_a_part_does_not_count_as_there(repository, folder):
    """An index of which a member is gone can be read, and is not said to be there."""
    member = await push_image(repository)
    index = await push_index(repository, {"amd64": member}, tag="all")
    assert await repository.manifests.stat("all") == index.descriptor
    (folder / "manifests" / member.digest).unlink()
    assert await repository.manifests.get("all") == index
    assert await repository.manifests.stat("all") is None


async def test_a_copy_without_links_is_explained(repository, folder):
    """A directory that was copied with its links resolved says how it should be copied."""
    image = await push_image(repository, tag="a")
    (folder / "manifests" / "a").unlink()
    shutil.copy(folder / "manifests" / image.digest, folder / "manifests" / "a")
    with pytest.raises(StorageError) as caught:
        await repository.manifests.get("a")
    assert "cp -a" in caught.value.hint
    assert await repository.manifests.tags() == []


async def test_links_to_anywhere_are_refused(repository, folder):
    """A tag that leads out of the directory leads nowhere."""
    await push_image(repository, tag="a")
    (folder / "manifests" / "b").symlink_to("/etc/hostname")
    with pytest.raises(StorageError):
        await repository.manifests.get("b")


async def test_absent_tags_are_told_with_what_there_is(repository):
    """A mistyped tag gets the nearest one as a hint; an absent directory says so."""
    with pytest.raises(NotFound) as caught:
        await repository.manifests.get("4.20.0")
    assert "right directory" in caught.value.hint
    await push_image(repository, tag="4.20.0-x86_64")
    with pytest.raises(NotFound) as caught:
        await repository.manifests.get("4.20.0-x86-64")
    assert "4.20.0-x86_64" in caught.value.hint


async def test_it_can_be_read_where_nobody_may_write(repository, folder, tmp_path):
    """A directory on a read-only medium needs no locks to be read."""
    image = await push_image(repository, tag="a")
    repository.close()
    shutil.rmtree(folder / "blobs" / ".writers")
    (folder / "blobs" / ".writers").write_bytes(b"in the way of any writer")
    reader = DiskRepository(tmp_path, "openshift/release")
    assert (await read_image(reader, "a")).digest == image.digest
    assert await reader.blobs.stat(image.image().config.digest) == image.image().config.size


async def test_lists_of_referrers_are_tags_for_others_only(repository, folder):
    """A referrer is found by its subject; oc sees the list as a tag, we do not."""
    image = await push_image(repository, tag="a")
    signature = await push_image(repository, layers=[b"s"], subject=image.descriptor)
    listed = await repository.manifests.referrers(image.digest)
    assert [item.digest for item in listed] == [signature.digest]
    assert (folder / "manifests" / list_tag(image.digest)).is_symlink()
    assert await repository.manifests.tags() == ["a"]


async def test_blobs_are_linked_from_a_layout(repository, folder, tmp_path):
    """What lies in a layout on the same disk takes no second place."""
    layout = LayoutRepository(tmp_path / "layout")
    image = await push_image(layout, tag="a", layers=[b"x" * 100_000])
    await copy_image(ImageCopy(source=layout, reference="a", destination=repository, tag="a"))
    layer = folder / "blobs" / image.image().layers[0].digest
    assert layer.stat().st_nlink == 2


class _Source:
    def __init__(self, content):
        self._content = content

    async def open(self, offset=0):
        yield self._content[offset:]
