# SPDX-License-Identifier: Apache-2.0
"""Layout directories: what is on the disk, and what others may have put there."""

from __future__ import annotations

import asyncio
import gc
import json

import pytest
from layout_rig import BIG, NAME, blob_path, index_of, read_blob, run_program, scratch_of

from okd_payload.errors import (
    NotFound,
)
from okd_payload.oci.digest import digest_of
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.layout.folder import Folder
from okd_payload.oci.layout.writer import Writer
from okd_payload.oci.manifest import Index, encode_manifest
from okd_payload.oci.media_types import OCI_LAYER
from okd_payload.oci.referrers import list_tag
from okd_payload.testing.images import blob_of, push_blob, push_image
from okd_payload.testing.memory_repository import MemoryRepository
from okd_payload.testing.yardstick import attempt_below


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
    assert index_of(layout) == {
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
    assert blob_path(layout, image.digest).read_bytes() == image.content
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
    index = index_of(layout)
    entry = index["manifests"].pop()
    for number in range(2000):
        tag = {NAME: f"key-{number:064x}"}
        index["manifests"].append(entry | {"annotations": tag})
    (layout.path / "index.json").write_text(json.dumps(index))
    assert len(await layout.manifests.tags()) == 2000
    for cost in attempt_below(1.0):
        for number in range(50):
            with cost, pytest.raises(NotFound):
                await layout.manifests.get(f"key-{number:x}".ljust(68, "f"))


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
    entry = {**index_of(layout)["manifests"][0], "annotations": {NAME: "docker.io/library/x:1"}}
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
    assert index_of(layout) == {
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


async def test_a_cancelled_write_leaves_nothing(layout):
    """Neither the blob nor a half-written file is there after a cancelled write."""
    stopped = asyncio.Event()
    source = SlowSource(BIG, stopped)
    task = asyncio.create_task(layout.blobs.write(blob_of(BIG + b"x", OCI_LAYER), source))
    await stopped.wait()
    assert [path.stat().st_size for path in scratch_of(layout) if path.name != "lease"] == [
        len(BIG)
    ]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [path.name for path in scratch_of(layout)] == ["lease"]
    assert await layout.blobs.stat(digest_of(BIG + b"x")) is None


async def test_closing_takes_the_writers_folder_away(layout):
    """After closing nothing of the writer is left, and the repository can be used again."""
    await push_image(layout, tag="a")
    layout.close()
    assert scratch_of(layout) == []
    await push_image(layout, tag="b", layers=[b"2"])
    assert await layout.manifests.tags() == ["a", "b"]


def test_forgetting_takes_the_writers_folder_away(layout):
    """A writer that nobody holds any more gives its lease back by itself."""
    writer = Writer(Folder(layout.path))
    writer.enter()
    assert [path.name for path in scratch_of(layout)] == ["lease"]
    del writer
    gc.collect()
    assert scratch_of(layout) == []


async def test_mounting_links_instead_of_copying(layout, tmp_path):
    """A mounted blob is the same file on the disk."""
    other = LayoutRepository(tmp_path / "other")
    blob = await push_blob(other, BIG, OCI_LAYER)
    assert await layout.blobs.mount(blob, other)
    assert blob_path(layout, blob.digest).samefile(blob_path(other, blob.digest))
    assert [path.name for path in scratch_of(layout)] == ["lease"]


async def test_a_mounted_blob_replaces_a_cut_one(layout, tmp_path):
    """What stands in the way with the wrong size is replaced."""
    other = LayoutRepository(tmp_path / "other")
    blob = await push_blob(other, BIG, OCI_LAYER)
    await push_blob(layout, BIG, OCI_LAYER)
    blob_path(layout, blob.digest).write_bytes(b"cut")
    assert await layout.blobs.mount(blob, other)
    assert await read_blob(layout, blob) == BIG


async def test_what_does_not_fit_is_not_mounted(layout, tmp_path):
    """A cut blob of the origin is not taken, nor is anything from another kind of place."""
    other = LayoutRepository(tmp_path / "other")
    blob = await push_blob(other, BIG, OCI_LAYER)
    blob_path(other, blob.digest).write_bytes(BIG[:-1])
    assert not await layout.blobs.mount(blob, other)
    assert not await layout.blobs.mount(blob, MemoryRepository())
    assert await layout.blobs.stat(blob.digest) is None


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
    await run_program("tar", "-cf", layer, "-C", tmp_path, "hello")
    image = await push_image(
        layout, tag="4.21.0-okd.9", layers=[layer.read_bytes()], labels={"a": "b"}
    )
    source = f"oci:{layout.path}:4.21.0-okd.9"
    found = json.loads(await run_program("skopeo", "inspect", source))
    assert found["Digest"] == image.digest
    assert found["Labels"] == {"a": "b"}
    await run_program("skopeo", "copy", "--quiet", source, f"oci:{layout.path}:copied")
    assert await layout.manifests.tags() == ["4.21.0-okd.9", "copied"]
    copied = (await layout.manifests.get("copied")).image()
    assert (await read_blob(layout, copied.config)) == await read_blob(layout, image.image().config)
    await layout.manifests.untag("copied")
    await layout.collect_garbage()
    await run_program("skopeo", "copy", "--quiet", source, f"dir:{tmp_path / 'out'}")
