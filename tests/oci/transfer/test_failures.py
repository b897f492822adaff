# SPDX-License-Identifier: Apache-2.0
"""What fails on the way stops no other copy, and is told."""

from __future__ import annotations

import asyncio

import pytest
from transfer_rig import BASE, OtherKind, copies, count_of, push_payload

from okd_payload.errors import (
    ContentError,
    DigestMismatch,
    NotFound,
    PartlyDone,
    StorageError,
    UnsupportedContent,
)
from okd_payload.oci.digest import digest_of
from okd_payload.oci.image import MAX_INDEX_DEPTH
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.manifest import Index, Manifest, encode_manifest
from okd_payload.oci.transfer import ImageCopier, ImageCopy, copy_image
from okd_payload.progress import Failed
from okd_payload.testing.images import push_image


class SpoiledOnce:
    """Blobs of which one comes damaged when it is read for the first time."""

    def __init__(self, blobs, digest):
        self._blobs = blobs
        self._damaged = {digest}

    async def read(self, descriptor):
        damaged = descriptor.digest in self._damaged
        self._damaged.discard(descriptor.digest)
        async for chunk in self._blobs.read(descriptor):
            yield bytes(len(chunk)) if damaged else chunk


async def test_one_failure_stops_no_other(source, destination):
    """Images that cannot be copied are reported, each with its reason; the rest arrives."""
    tags = await push_payload(source, 4)
    bad = (await source.manifests.get(tags[1])).image().layers[1]
    source.blobs.contents[bad.digest] = b"damaged"
    report = await ImageCopier().copy(copies(OtherKind(source), destination, *tags, "absent"))
    errors = {image.copy.tag: type(image.error) for image in report.failed}
    assert errors == {tags[1]: DigestMismatch, "absent": NotFound}
    assert await destination.manifests.tags() == [tags[0], *tags[2:]]
    with pytest.raises(PartlyDone, match="2 of 5 images"):
        report.require_all()


async def test_a_damaged_blob_is_read_twice_and_no_more(source, destination):
    """Of images that share a damaged layer, only the first tries to copy it."""
    tags = await push_payload(source, 5)
    source.blobs.contents[digest_of(BASE)] = b"damaged"
    report = await ImageCopier().copy(copies(OtherKind(source), destination, *tags))
    assert len(report.failed) == 5
    assert count_of(source, "read")[digest_of(BASE)] == 2
    (told,) = {image.error.message for image in report.failed}
    assert told.startswith("source.test/images gave it damaged, twice: content of sha256:")


async def test_what_is_damaged_on_the_way_is_read_again(source, destination):
    """A proxy that spoils one answer fails no image."""
    (tag,) = await push_payload(source, 1)
    spoiled = OtherKind(source)
    spoiled.blobs = SpoiledOnce(source.blobs, digest_of(BASE))
    report = await ImageCopier().copy(copies(spoiled, destination, tag))
    assert report.failed == ()
    assert destination.blobs.contents[digest_of(BASE)] == BASE


async def test_a_lone_copy_raises_its_own_error(source, destination):
    """Whoever copies one image sees what went wrong, not a summary."""
    copy = ImageCopy(source=source, reference="absent", destination=destination)
    with pytest.raises(NotFound, match="absent"):
        await copy_image(copy)


async def test_a_full_disk_fails_the_copy(source, tmp_path):
    """Errors of the destination are reported like those of the source."""
    (tmp_path / "file").touch()
    await push_image(source, tag="etcd")
    report = await ImageCopier().copy(
        copies(source, LayoutRepository(tmp_path / "file" / "x"), "etcd")
    )
    assert isinstance(report.failed[0].error, StorageError)


async def test_progress_names_what_failed(source, destination):
    """A failure is an event with its reason."""
    await push_payload(source, 1)
    source.blobs.contents[digest_of(BASE)] = b"damaged"
    events = []
    copier = ImageCopier(progress=events.append)
    await copier.copy(copies(OtherKind(source), destination, "component-000"))
    (failed,) = (event for event in events if isinstance(event, Failed))
    assert digest_of(BASE) in failed.reason


@pytest.mark.parametrize("steps", range(8))
async def test_a_cancelled_transfer_leaves_the_copier_usable(source, destination, steps):
    """Wherever a transfer is cancelled, the same copier finishes the work afterwards."""
    tags = await push_payload(source, 5)
    copier = ImageCopier(parallel=2)
    task = asyncio.create_task(copier.copy(copies(OtherKind(source), destination, *tags)))
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    (await copier.copy(copies(OtherKind(source), destination, *tags))).require_all()
    assert await destination.manifests.tags() == tags


async def test_indexes_without_end_are_refused(source, destination):
    """Nesting is bounded."""
    manifest = await push_image(source)
    for _ in range(MAX_INDEX_DEPTH + 1):
        manifest = encode_manifest(Index(manifests=(manifest.descriptor,)))
        await source.manifests.put(manifest, tag="deep")
    report = await ImageCopier().copy(copies(source, destination, "deep"))
    assert isinstance(report.failed[0].error, ContentError)


async def test_members_of_unknown_kinds_are_refused(source, destination):
    """An index that lists what nobody here understands is not copied in part."""
    content = b'{"schemaVersion":2,"mediaType":"application/x-strange"}'
    strange = Manifest("application/x-strange", content, digest_of(content))
    source.manifests.images[strange.digest] = strange
    index = encode_manifest(Index(manifests=(strange.descriptor,)))
    await source.manifests.put(index, tag="all")
    report = await ImageCopier().copy(copies(source, destination, "all"))
    assert isinstance(report.failed[0].error, ContentError | UnsupportedContent)
