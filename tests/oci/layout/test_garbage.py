# SPDX-License-Identifier: Apache-2.0
"""Garbage collection removes what nobody leads to, and never what somebody relies on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import warnings

import pytest

from okd_payload.errors import ContentError, NotFound
from okd_payload.oci.blob_sources import BytesSource
from okd_payload.oci.digest import digest_of, hex_of
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.manifest import Index, encode_manifest
from okd_payload.oci.media_types import OCI_LAYER
from okd_payload.oci.referrers import list_tag
from okd_payload.testing.images import push_blob, push_image, push_index


@pytest.fixture
def reopen(layout):
    """Another user of the same layout, as another process would be."""
    return lambda: LayoutRepository(layout.path)


def _digests(layout):
    return {f"sha256:{path.name}" for path in (layout.path / "blobs" / "sha256").iterdir()}


def _parts(image):
    return {image.digest, *(blob.digest for blob in image.needs())}


def _close_in_a_fork(layout):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child does nothing with threads
        child = os.fork()
    if child == 0:
        try:
            layout.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


async def test_only_what_a_tag_leads_to_stays(layout):
    """Untagged images and stray blobs go, with an exact account; shared blobs stay."""
    kept = await push_image(layout, tag="kept", layers=[b"shared", b"1"])
    gone = await push_image(layout, tag="gone", layers=[b"shared", b"22"])
    stray = await push_blob(layout, b"stray", OCI_LAYER)
    await layout.manifests.untag("gone")
    layout.close()
    report = await layout.collect_garbage()
    assert _digests(layout) == _parts(kept)
    removed = [stray.size, len(gone.content), gone.image().config.size, 2]
    assert (report.removed, report.removed_bytes) == (len(removed), sum(removed))
    assert report.kept == len(_parts(kept))


async def test_members_of_indexes_stay(layout):
    """An index keeps its members and their blobs, however deep."""
    member = await push_image(layout)
    index = await push_index(layout, {"amd64": member})
    outer = encode_manifest(Index(manifests=(index.descriptor,)))
    await layout.manifests.put(outer, tag="all")
    layout.close()
    await layout.collect_garbage()
    assert _digests(layout) == {outer.digest, index.digest} | _parts(member)


async def test_unnamed_entries_are_kept(layout):
    """What another program lists without a name is an image all the same."""
    image = await push_image(layout, tag="etcd")
    path = layout.path / "index.json"
    index = json.loads(path.read_bytes())
    del index["manifests"][0]["annotations"]
    path.write_text(json.dumps(index))
    layout.close()
    await layout.collect_garbage()
    assert _digests(layout) == _parts(image)


async def test_what_a_live_writer_stored_is_spared(layout, reopen):
    """Blobs and manifests without a tag stay until their writer leaves."""
    image = await push_image(layout)
    blob = await push_blob(layout, b"first of many", OCI_LAYER)
    expected = {blob.digest} | _parts(image)
    assert (await reopen().collect_garbage()).removed == 0
    assert _digests(layout) == expected
    assert (await layout.collect_garbage()).removed == 0, "its own collection spares them too"
    layout.close()
    assert (await reopen().collect_garbage()).removed == len(expected)


async def test_what_a_writer_was_told_is_there_is_spared(layout, reopen):
    """A blob that was looked for and found is not taken away before it is used."""
    with contextlib.closing(reopen()) as other:
        await push_blob(other, b"left behind", OCI_LAYER)
        await push_blob(other, b"not looked for", OCI_LAYER)
    digest = digest_of(b"left behind")
    assert await layout.blobs.stat(digest) == len(b"left behind")
    await reopen().collect_garbage()
    assert _digests(layout) == {digest}
    assert await layout.blobs.stat(digest) == len(b"left behind")


async def test_what_an_untagged_index_leads_to_is_spared(layout, reopen):
    """Putting an index protects the members' blobs, although another writer stored them."""
    with contextlib.closing(reopen()) as other:
        member = await push_image(other)
    index = await push_index(layout, {"amd64": member})
    assert (await reopen().collect_garbage()).removed == 0
    await layout.manifests.put(index, tag="all")
    layout.close()
    assert (await reopen().collect_garbage()).removed == 0


async def test_a_write_across_a_collection_succeeds(layout, reopen):
    """Collection between a blob and its manifest, again and again, breaks no image."""

    async def write(number):
        mine = reopen()
        image = await push_image(mine, layers=[b"%d" % number, b"shared"])
        await asyncio.sleep(0)
        await mine.manifests.put(image, tag=f"t{number}")

    async with asyncio.TaskGroup() as tasks:
        for number in range(20):
            tasks.create_task(write(number))
            tasks.create_task(reopen().collect_garbage())
    for tag in await layout.manifests.tags():
        await layout.manifests.put(await layout.manifests.get(tag), tag="complete")


async def test_writers_may_leave_while_garbage_is_collected(layout, reopen):
    """A writer that closes at the very moment its lease is read is no error."""

    async def come_and_go(number):
        for _ in range(40):
            with contextlib.closing(reopen()) as mine:
                await push_blob(mine, b"%d" % number, OCI_LAYER)

    async def collect():
        for _ in range(60):
            with contextlib.closing(reopen()) as mine:
                await mine.collect_garbage()

    await asyncio.gather(*(come_and_go(number) for number in range(3)), collect(), collect())
    layout.close()
    await layout.collect_garbage()
    assert _digests(layout) == set()


async def test_referrers_stay_with_their_subject(layout):
    """A signature, and a signature of the signature, live exactly as long as the image."""
    image = await push_image(layout, tag="etcd")
    signature = await push_image(layout, layers=[b"s"], subject=image.descriptor)
    second = await push_image(layout, layers=[b"ss"], subject=signature.descriptor)
    layout.close()
    await layout.collect_garbage()
    assert _digests(layout) >= _parts(image) | _parts(signature) | _parts(second)
    assert len(await layout.manifests.referrers(image.digest)) == 1
    await layout.manifests.untag("etcd")
    layout.close()
    report = await layout.collect_garbage()
    assert report.kept == 0
    assert _digests(layout) == set()
    assert await layout.manifests.referrers(image.digest) == []
    with pytest.raises(NotFound):
        await layout.manifests.get(list_tag(image.digest))


async def test_sparse_indexes_of_others_do_not_hinder(layout):
    """An index that another program stored without all its members keeps what there is."""
    image = await push_image(layout, tag="etcd")
    absent = encode_manifest(Index())
    index = encode_manifest(Index(manifests=(image.descriptor, absent.descriptor)))
    path = layout.path / "blobs" / "sha256" / hex_of(index.digest)
    path.write_bytes(index.content)
    entries = {"manifests": [{"digest": index.digest, "size": 1, "mediaType": index.media_type}]}
    (layout.path / "index.json").write_text(json.dumps(entries))
    layout.close()
    await layout.collect_garbage()
    assert _digests(layout) == {index.digest} | _parts(image)


async def test_an_entry_that_leads_nowhere_does_not_hinder(layout):
    """A tag whose manifest was lost keeps nothing and stops nothing."""
    lost = await push_image(layout, tag="lost", layers=[b"1"])
    kept = await push_image(layout, tag="kept", layers=[b"2"])
    (layout.path / "blobs" / "sha256" / hex_of(lost.digest)).unlink()
    layout.close()
    await layout.collect_garbage()
    assert _digests(layout) == _parts(kept)


@pytest.mark.parametrize(
    "entry",
    [
        {"mediaType": "application/x-strange", "digest": digest_of(b"stray"), "size": 5},
        {"mediaType": "text/plain", "digest": "sha512:00", "size": 1},
    ],
)
async def test_nothing_goes_where_an_entry_is_not_understood(layout, entry):
    """What leads to unknown things might lead to anything."""
    await push_blob(layout, b"stray", OCI_LAYER)
    (layout.path / "index.json").write_text(json.dumps({"manifests": [entry]}))
    layout.close()
    with pytest.raises(ContentError):
        await layout.collect_garbage()
    assert _digests(layout) == {digest_of(b"stray")}


async def test_other_files_among_the_blobs_stay(layout):
    """Only files named by a digest are ours to remove."""
    await push_blob(layout, b"stray", OCI_LAYER)
    other = layout.path / "blobs" / "sha256" / "README"
    other.touch()
    layout.close()
    assert (await layout.collect_garbage()).removed == 1
    assert other.exists()


async def test_the_dead_leave_nothing(layout, reopen):
    """Folders of writers that died at any stage are removed by the next one, live ones stay."""
    await push_blob(layout, b"1", OCI_LAYER)
    writers = layout.path / ".writers"
    (writers / "1-died-early").mkdir()
    late = writers / "2-died-late"
    late.mkdir()
    (late / "lease").write_text("sha256:cut off in the mid")
    (late / "0").write_bytes(b"half of a bl")
    (writers / "a file").touch()
    other = reopen()
    await push_blob(other, b"2", OCI_LAYER)
    assert len([path for path in writers.iterdir() if path.is_dir()]) == 2
    assert not late.exists()


async def test_a_fork_leaves_the_lease_to_the_original(layout, reopen):
    """A child that ends does not take its parent's protection away."""
    await push_blob(layout, b"mine", OCI_LAYER)
    _close_in_a_fork(layout)
    await reopen().collect_garbage()
    assert _digests(layout) == {digest_of(b"mine")}


async def test_a_blob_written_again_after_collection_is_there(layout, reopen):
    """A writer that comes back after its blob was collected stores it anew."""
    blob = await push_blob(layout, b"x", OCI_LAYER)
    layout.close()
    await reopen().collect_garbage()
    await layout.blobs.write(blob, BytesSource(b"x"))
    assert await layout.blobs.stat(blob.digest) == 1
