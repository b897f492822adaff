# SPDX-License-Identifier: Apache-2.0
"""Layout directories: what is on the disk, what foreign ones may hold, and what goes wrong."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import time

import msgspec
import pytest

from okd_payload import process
from okd_payload.errors import (
    ContentError,
    DigestMismatch,
    NotFound,
    StorageError,
    TooLarge,
    UnsupportedContent,
)
from okd_payload.oci.blob_sources import BytesSource
from okd_payload.oci.digest import digest_of, hex_of
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.layout.folder import Folder
from okd_payload.oci.layout.writer import Writer
from okd_payload.oci.manifest import MAX_MANIFEST_BYTES, Index, encode_manifest
from okd_payload.oci.media_types import OCI_LAYER
from okd_payload.oci.referrers import list_tag
from okd_payload.testing.images import blob_of, push_blob, push_image, push_index
from okd_payload.testing.memory_repository import MemoryRepository

BIG = random.Random(7).randbytes(3 * 1024 * 1024 + 17)
NAME = "org.opencontainers.image.ref.name"


def _blob_path(layout, digest):
    return layout.path / "blobs" / "sha256" / hex_of(digest)


def _index(layout):
    return json.loads((layout.path / "index.json").read_bytes())


def _scratch(layout):
    """Every file of a writer that is neither a lock nor a lease."""
    files = (layout.path / ".writers").rglob("*")
    return [path for path in files if path.is_file() and path.suffix != ".lock"]


async def _read(layout, descriptor):
    return b"".join([chunk async for chunk in layout.blobs.read(descriptor)])


async def _run(*command):
    outcome = await process.run(command)
    assert outcome.code == 0, outcome.errors
    return outcome.output


class SlowSource:
    """A source that stops in the middle and never goes on."""

    def __init__(self, content, stopped):
        self._content = content
        self._stopped = stopped

    async def open(self, offset=0):
        yield self._content
        self._stopped.set()
        await asyncio.Event().wait()


async def test_the_folder_is_an_image_layout(layout):
    """What is written has the names and fields of the specification."""
    image = await push_image(layout, tag="etcd")
    assert json.loads((layout.path / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    assert _index(layout) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                "mediaType": image.media_type,
                "digest": image.digest,
                "size": len(image.content),
                "annotations": {NAME: "etcd"},
            }
        ],
    }
    assert _blob_path(layout, image.digest).read_bytes() == image.content
    assert layout.name == f"oci:{layout.path}"


async def test_reading_makes_nothing(layout):
    """A layout that nobody wrote to is not made by looking at it."""
    assert await layout.manifests.tags() == []
    assert await layout.blobs.stat(digest_of(b"")) is None
    with pytest.raises(NotFound):
        await layout.manifests.get("etcd")
    with pytest.raises(NotFound):
        await layout.manifests.untag("etcd")
    assert not layout.path.exists()


async def test_a_mistyped_tag_gets_an_offer(layout):
    """The hint of NotFound names the tag that looks most like it."""
    await push_image(layout, tag="machine-config-operator")
    with pytest.raises(NotFound) as caught:
        await layout.manifests.get("machine-config-operater")
    assert "machine-config-operator" in caught.value.hint
    with pytest.raises(NotFound) as caught:
        await layout.manifests.get("xyz")
    assert caught.value.hint == "there is machine-config-operator"


async def test_a_folder_without_images_is_told_from_no_folder(layout):
    """The hint of NotFound says whether the path or the content surprises."""
    with pytest.raises(NotFound, match="has no image 'etcd'") as caught:
        await layout.manifests.get("etcd")
    assert "check the path" in caught.value.hint
    await push_image(layout)
    with pytest.raises(NotFound) as caught:
        await layout.manifests.get("etcd")
    assert "no tags" in caught.value.hint


async def test_a_tag_that_is_not_there_costs_nothing(layout):
    """Builds look for thousands of tags in vain; offers are sought for people only."""
    await push_image(layout, tag="a")
    index = _index(layout)
    entry = index["manifests"].pop()
    for number in range(2000):
        tag = {NAME: f"key-{number:064x}"}
        index["manifests"].append(entry | {"annotations": tag})
    (layout.path / "index.json").write_text(json.dumps(index))
    assert len(await layout.manifests.tags()) == 2000
    started = time.process_time()
    for number in range(50):
        with pytest.raises(NotFound):
            await layout.manifests.get(f"key-{number:x}".ljust(68, "f"))
    assert time.process_time() - started < 1.0


async def test_a_lone_image_needs_no_name(layout):
    """Without a tag the only image is meant, named or not; several need a choice."""
    with pytest.raises(NotFound) as caught:
        await layout.manifests.get("")
    assert "no image layout" in caught.value.hint
    image = await push_image(layout, tag="a")
    await push_image(layout, layers=[b"s"], subject=image.descriptor)
    assert await layout.manifests.get("") == image
    await push_image(layout, tag="b", layers=[b"2"])
    with pytest.raises(NotFound, match="2 tags") as caught:
        await layout.manifests.get("")
    assert "there is a, b" in caught.value.hint


async def test_untagging_leaves_the_image(layout):
    """A removed tag is gone, others and the image stay until garbage is collected."""
    image = await push_image(layout, tag="a")
    await layout.manifests.put(image, tag="b")
    await layout.manifests.untag("a")
    assert await layout.manifests.tags() == ["b"]
    assert await layout.manifests.get(image.digest) == image
    with pytest.raises(NotFound):
        await layout.manifests.untag("a")


async def test_a_retagged_image_writes_nothing_twice(layout):
    """Putting what is there already leaves the file as it is."""
    image = await push_image(layout, tag="a")
    before = (layout.path / "index.json").stat()
    await layout.manifests.put(image, tag="a")
    assert (layout.path / "index.json").stat() == before


async def test_foreign_entries_survive(layout):
    """Entries and fields that mean nothing here are kept as they are, names of any kind read."""
    image = await push_image(layout, tag="etcd")
    entry = {**_index(layout)["manifests"][0], "annotations": {NAME: "docker.io/library/x:1"}}
    strange = {"mediaType": "text/plain", "digest": "sha512:00", "size": 1, "data": [1.50]}
    unnamed = {**entry, "annotations": None}
    (layout.path / "index.json").write_text(
        json.dumps(
            {"annotations": {"a": "b"}, "manifests": [strange, entry, unnamed], "more": None}
        )
    )
    assert await layout.manifests.tags() == ["docker.io/library/x:1"]
    assert await layout.manifests.get("docker.io/library/x:1") == image
    await layout.manifests.put(image, tag="new")
    await layout.manifests.untag("new")
    assert _index(layout) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "annotations": {"a": "b"},
        "manifests": [strange, entry, unnamed],
        "more": None,
    }


async def test_a_tag_set_by_others_is_seen_at_once(layout):
    """Another writer's change shows in the next answer, however quickly it follows."""
    other = LayoutRepository(layout.path)
    images = [await push_image(layout, layers=[b"%d" % number]) for number in range(10)]
    for image in images:
        await other.manifests.put(image, tag="x")
        assert await layout.manifests.get("x") == image


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"manifests":{}}'])
async def test_a_damaged_index_is_named(layout, content):
    """The error says which file cannot be read."""
    await push_image(layout, tag="etcd")
    (layout.path / "index.json").write_bytes(content)
    with pytest.raises(ContentError, match=r"index\.json"):
        await layout.manifests.tags()


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
    _blob_path(layout, blob.digest).write_bytes(content[:-1] + b"!")
    with pytest.raises(DigestMismatch) as caught:
        await _read(layout, blob)
    assert "run the command again" in caught.value.hint
    assert await layout.blobs.stat(blob.digest) is None
    await layout.blobs.write(blob, BytesSource(content))
    assert await _read(layout, blob) == content


async def test_a_cut_blob_is_written_again(layout):
    """A file of the wrong size does not count as the blob."""
    blob = await push_blob(layout, BIG, OCI_LAYER)
    _blob_path(layout, blob.digest).write_bytes(BIG[:1000])
    await layout.blobs.write(blob, BytesSource(BIG))
    assert await _read(layout, blob) == BIG


async def test_a_wrong_size_asked_for_removes_nothing(layout):
    """When it is the descriptor that is wrong, the blob stays."""
    blob = await push_blob(layout, BIG, OCI_LAYER)
    with pytest.raises(DigestMismatch):
        await _read(layout, msgspec.structs.replace(blob, size=blob.size - 1))
    assert await _read(layout, blob) == BIG


async def test_a_tag_needs_blobs_of_the_right_size(layout):
    """A manifest whose blob is cut short is not tagged."""
    image = await push_image(layout)
    _blob_path(layout, image.image().layers[0].digest).write_bytes(b"")
    with pytest.raises(DigestMismatch):
        await layout.manifests.put(image, tag="etcd")
    assert await layout.manifests.tags() == []


async def test_an_index_needs_the_blobs_of_its_members(layout):
    """Completeness is looked for through members, down to their blobs."""
    image = await push_image(layout)
    _blob_path(layout, image.image().layers[0].digest).unlink()
    with pytest.raises(NotFound):
        await push_index(layout, {"amd64": image}, tag="all")
    assert await layout.manifests.tags() == []


async def test_what_is_too_large_is_no_manifest(layout):
    """A layer asked for as a manifest is refused before it is read."""
    content = bytes(MAX_MANIFEST_BYTES + 1)
    blob = await push_blob(layout, content, OCI_LAYER)
    with pytest.raises(TooLarge):
        await layout.manifests.get(blob.digest)


async def test_a_cancelled_write_leaves_nothing(layout):
    """Neither the blob nor a half-written file is there after a cancelled write."""
    stopped = asyncio.Event()
    source = SlowSource(BIG, stopped)
    task = asyncio.create_task(layout.blobs.write(blob_of(BIG + b"x", OCI_LAYER), source))
    await stopped.wait()
    assert [path.stat().st_size for path in _scratch(layout) if path.name != "lease"] == [len(BIG)]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [path.name for path in _scratch(layout)] == ["lease"]
    assert await layout.blobs.stat(digest_of(BIG + b"x")) is None


async def test_closing_takes_the_writers_folder_away(layout):
    """After closing nothing of the writer is left, and the repository can be used again."""
    await push_image(layout, tag="a")
    layout.close()
    assert _scratch(layout) == []
    await push_image(layout, tag="b", layers=[b"2"])
    assert await layout.manifests.tags() == ["a", "b"]


def test_forgetting_takes_the_writers_folder_away(layout):
    """A writer that nobody holds any more gives its lease back by itself."""
    writer = Writer(Folder(layout.path))
    writer.enter()
    assert [path.name for path in _scratch(layout)] == ["lease"]
    del writer
    gc.collect()
    assert _scratch(layout) == []


async def test_mounting_links_instead_of_copying(layout, tmp_path):
    """A mounted blob is the same file on the disk."""
    other = LayoutRepository(tmp_path / "other")
    blob = await push_blob(other, BIG, OCI_LAYER)
    assert await layout.blobs.mount(blob, other)
    assert _blob_path(layout, blob.digest).samefile(_blob_path(other, blob.digest))
    assert [path.name for path in _scratch(layout)] == ["lease"]


async def test_a_mounted_blob_replaces_a_cut_one(layout, tmp_path):
    """What stands in the way with the wrong size is replaced."""
    other = LayoutRepository(tmp_path / "other")
    blob = await push_blob(other, BIG, OCI_LAYER)
    await push_blob(layout, BIG, OCI_LAYER)
    _blob_path(layout, blob.digest).write_bytes(b"cut")
    assert await layout.blobs.mount(blob, other)
    assert await _read(layout, blob) == BIG


async def test_what_does_not_fit_is_not_mounted(layout, tmp_path):
    """A cut blob of the origin is not taken, nor is anything from another kind of place."""
    other = LayoutRepository(tmp_path / "other")
    blob = await push_blob(other, BIG, OCI_LAYER)
    _blob_path(other, blob.digest).write_bytes(BIG[:-1])
    assert not await layout.blobs.mount(blob, other)
    assert not await layout.blobs.mount(blob, MemoryRepository())
    assert await layout.blobs.stat(blob.digest) is None


async def test_a_full_disk_is_a_clear_error(small_disk):
    """No space is a StorageError that says what to do; nothing half-written stays."""
    layout = LayoutRepository(small_disk / "layout")
    image = await push_image(layout, tag="kept")
    with pytest.raises(StorageError) as caught:
        await push_blob(layout, BIG, OCI_LAYER)
    assert "No space left" in str(caught.value)
    assert "free some space" in caught.value.hint
    assert [path.name for path in _scratch(layout)] == ["lease"]
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
    await _run("mount", "-o", "remount,ro", small_disk)
    layer = image.image().layers[0]
    assert await layout.manifests.get("etcd") == image
    assert await layout.blobs.stat(layer.digest) == layer.size
    with pytest.raises(StorageError) as caught:
        await layout.manifests.put(image, tag="new")
    assert "read only" in caught.value.hint
    other = LayoutRepository(small_disk.parent / "other")
    assert not await other.blobs.mount(layer, layout), "another file system cannot be linked to"


async def test_lists_of_referrers_are_no_tags(layout):
    """The list is where other programs look for it, and out of people's way."""
    image = await push_image(layout, tag="etcd")
    signature = await push_image(layout, layers=[b"s"], subject=image.descriptor)
    assert await layout.manifests.tags() == ["etcd"]
    listed = await layout.manifests.get(list_tag(image.digest))
    assert [item.digest for item in listed.index().manifests] == [signature.digest]


async def test_lists_of_referrers_made_by_others_are_read(layout):
    """A list that another program left under the tag of the specification counts."""
    image = await push_image(layout, tag="etcd")
    note = await push_image(layout, layers=[b"n"])
    foreign = encode_manifest(Index(manifests=(note.descriptor,)))
    await layout.manifests.put(foreign, tag=list_tag(image.digest))
    signature = await push_image(layout, layers=[b"s"], subject=image.descriptor)
    listed = await layout.manifests.referrers(image.digest)
    assert [item.digest for item in listed] == [note.digest, signature.digest]


@pytest.mark.integration
async def test_skopeo_reads_and_writes_the_same_layout(layout, tmp_path):
    """Tags are where skopeo looks for them, and what it adds is found here."""
    layer = tmp_path / "layer.tar"
    (tmp_path / "hello").write_text("hello")
    await _run("tar", "-cf", layer, "-C", tmp_path, "hello")
    image = await push_image(
        layout, tag="4.21.0-okd.9", layers=[layer.read_bytes()], labels={"a": "b"}
    )
    source = f"oci:{layout.path}:4.21.0-okd.9"
    found = json.loads(await _run("skopeo", "inspect", source))
    assert found["Digest"] == image.digest
    assert found["Labels"] == {"a": "b"}
    await _run("skopeo", "copy", "--quiet", source, f"oci:{layout.path}:copied")
    assert await layout.manifests.tags() == ["4.21.0-okd.9", "copied"]
    copied = (await layout.manifests.get("copied")).image()
    assert (await _read(layout, copied.config)) == await _read(layout, image.image().config)
    await layout.manifests.untag("copied")
    await layout.collect_garbage()
    await _run("skopeo", "copy", "--quiet", source, f"dir:{tmp_path / 'out'}")
