# SPDX-License-Identifier: Apache-2.0
"""Layouts that are damaged, cut, foreign or on a disk that is full or cannot be written."""

from __future__ import annotations

import msgspec
import pytest
from layout_rig import BIG, blob_path, read_blob, run_program, scratch_of

from okd_payload.errors import (
    ContentError,
    DigestMismatch,
    NotFound,
    StorageError,
    TooLarge,
    UnsupportedContent,
)
from okd_payload.oci.blob_sources import BytesSource
from okd_payload.oci.digest import digest_of
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.manifest import MAX_MANIFEST_BYTES
from okd_payload.oci.media_types import OCI_LAYER, OCI_MANIFEST
from okd_payload.testing.images import push_blob, push_image, push_index


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"manifests":{}}'])
async def test_a_damaged_index_is_named(layout, content):
    """The error says which file cannot be read."""
    await push_image(layout, tag="etcd")
    (layout.path / "index.json").write_bytes(content)
    with pytest.raises(ContentError, match=r"index\.json"):
        await layout.manifests.tags()


@pytest.mark.parametrize(
    "content", [b"{", b'{"schemaVersion":1}', b'{"schemaVersion":2}', b'{"mediaType":"a/b"}']
)
async def test_what_is_no_manifest_is_named(layout, content):
    """The error says in which layout and by which digest it is, and what to do."""
    blob = await push_blob(layout, content, OCI_MANIFEST)
    with pytest.raises(ContentError) as caught:
        await layout.manifests.get(blob.digest)
    assert caught.value.message.startswith(f"oci:{layout.path}@{blob.digest}: ")
    assert "again" in caught.value.hint


async def test_garbage_is_only_collected_where_all_is_understood(layout):
    """The error names the file; what an entry leads to that is no descriptor is unknown."""
    await push_image(layout, tag="etcd")
    (layout.path / "index.json").write_bytes(b'{"schemaVersion":2,"manifests":[{}]}')
    with pytest.raises(ContentError, match=r"index\.json") as caught:
        await layout.collect_garbage()
    assert "removed" in caught.value.hint


async def test_a_missing_blob_is_named_with_what_to_do(layout):
    """A layout that lost a blob says which, and how to get it again."""
    blob = await push_blob(layout, b"content", OCI_LAYER)
    blob_path(layout, blob.digest).unlink()
    with pytest.raises(NotFound, match=blob.digest) as caught:
        await read_blob(layout, blob)
    assert "again" in caught.value.hint


async def test_an_unknown_version_is_refused(layout):
    """A layout of the future is not touched."""
    await push_image(layout, tag="etcd")
    (layout.path / "oci-layout").write_text('{"imageLayoutVersion":"2.0.0"}')
    with pytest.raises(UnsupportedContent, match=r"2\.0\.0"):
        await LayoutRepository(layout.path).manifests.tags()


async def test_a_folder_with_other_things_is_refused(tmp_path):
    """Images are not scattered among somebody's files."""
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(StorageError, match=r"thesis\.tex") as caught:
        await push_image(LayoutRepository(tmp_path))
    assert "empty folder" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


async def test_a_file_is_no_folder(tmp_path):
    """A path through a file is a storage error with advice, and holds no images."""
    (tmp_path / "file").touch()
    layout = LayoutRepository(tmp_path / "file" / "layout")
    assert await layout.manifests.tags() == []
    assert await layout.blobs.stat(digest_of(b"")) is None
    with pytest.raises(StorageError) as caught:
        await push_image(layout)
    assert "choose another folder" in caught.value.hint


@pytest.mark.parametrize("content", [b"short", BIG], ids=["small", "big"])
async def test_a_damaged_blob_is_noticed_and_makes_way(layout, content):
    """Wrong bytes on the disk are never handed out whole; writing the blob again mends it."""
    blob = await push_blob(layout, content, OCI_LAYER)
    blob_path(layout, blob.digest).write_bytes(content[:-1] + b"!")
    with pytest.raises(DigestMismatch) as caught:
        await read_blob(layout, blob)
    assert "run the command again" in caught.value.hint
    assert await layout.blobs.stat(blob.digest) is None
    await layout.blobs.write(blob, BytesSource(content))
    assert await read_blob(layout, blob) == content


async def test_a_cut_blob_is_written_again(layout):
    """A file of the wrong size does not count as the blob."""
    blob = await push_blob(layout, BIG, OCI_LAYER)
    blob_path(layout, blob.digest).write_bytes(BIG[:1000])
    await layout.blobs.write(blob, BytesSource(BIG))
    assert await read_blob(layout, blob) == BIG


async def test_a_wrong_size_asked_for_removes_nothing(layout):
    """When it is the descriptor that is wrong, the blob stays."""
    blob = await push_blob(layout, BIG, OCI_LAYER)
    with pytest.raises(DigestMismatch):
        await read_blob(layout, msgspec.structs.replace(blob, size=blob.size - 1))
    assert await read_blob(layout, blob) == BIG


async def test_a_tag_needs_blobs_of_the_right_size(layout):
    """A manifest whose blob is cut short is not tagged."""
    image = await push_image(layout)
    blob_path(layout, image.image().layers[0].digest).write_bytes(b"")
    with pytest.raises(DigestMismatch):
        await layout.manifests.put(image, tag="etcd")
    assert await layout.manifests.tags() == []


async def test_an_index_needs_the_blobs_of_its_members(layout):
    """Completeness is looked for through members, down to their blobs."""
    image = await push_image(layout)
    blob_path(layout, image.image().layers[0].digest).unlink()
    with pytest.raises(NotFound):
        await push_index(layout, {"amd64": image}, tag="all")
    assert await layout.manifests.tags() == []


async def test_what_is_too_large_is_no_manifest(layout):
    """A layer asked for as a manifest is refused before it is read."""
    content = bytes(MAX_MANIFEST_BYTES + 1)
    blob = await push_blob(layout, content, OCI_LAYER)
    with pytest.raises(TooLarge):
        await layout.manifests.get(blob.digest)


async def test_a_full_disk_is_a_clear_error(small_disk):
    """No space is a StorageError that says what to do; nothing half-written stays."""
    layout = LayoutRepository(small_disk / "layout")
    image = await push_image(layout, tag="kept")
    with pytest.raises(StorageError) as caught:
        await push_blob(layout, BIG, OCI_LAYER)
    assert "No space left" in str(caught.value)
    assert "free some space" in caught.value.hint
    assert [path.name for path in scratch_of(layout)] == ["lease"]
    assert await layout.blobs.stat(digest_of(BIG)) is None
    assert await layout.manifests.get("kept") == image


async def test_a_full_disk_keeps_the_index(small_disk):
    """When the index does not fit any more, the old one stays whole."""
    layout = LayoutRepository(small_disk / "layout")
    image = await push_image(layout, tag="kept")
    with (small_disk / "ballast").open("wb", buffering=0) as ballast, pytest.raises(OSError):
        while True:
            ballast.write(bytes(4096))
    with pytest.raises(StorageError):
        for number in range(10_000):
            await layout.manifests.put(image, tag=f"tag-{number:05}")
    assert "kept" in await LayoutRepository(layout.path).manifests.tags()
    assert await layout.manifests.get("kept") == image


async def test_a_read_only_disk_can_be_read(small_disk):
    """Reading and asking work where nothing can be written; writing says why it does not."""
    layout = LayoutRepository(small_disk / "layout")
    image = await push_image(layout, tag="etcd")
    layout.close()
    await run_program("mount", "-o", "remount,ro", small_disk)
    layer = image.image().layers[0]
    assert await layout.manifests.get("etcd") == image
    assert await layout.blobs.stat(layer.digest) == layer.size
    with pytest.raises(StorageError) as caught:
        await layout.manifests.put(image, tag="new")
    assert "read only" in caught.value.hint
    other = LayoutRepository(small_disk.parent / "other")
    assert not await other.blobs.mount(layer, layout), "another file system cannot be linked to"
