# SPDX-License-Identifier: Apache-2.0
"""Copying images: byte for byte, each blob once, and resumable."""

from __future__ import annotations

import asyncio
from collections import Counter

import msgspec
import pytest
from transfer_rig import BASE, OtherKind, copies, count_of, push_payload

from okd_payload.errors import (
    NotFound,
)
from okd_payload.oci.digest import digest_of
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.manifest import ImageManifest, encode_manifest
from okd_payload.oci.media_types import DOCKER_FOREIGN_LAYER_GZIP, OCI_CONFIG, Family
from okd_payload.oci.referrers import list_tag
from okd_payload.oci.transfer import BlobCount, ImageCopier, ImageCopy, copy_image
from okd_payload.progress import Advanced, Finished, Started
from okd_payload.testing.images import blob_of, config_of, push_blob, push_image, push_index
from okd_payload.testing.memory_repository import MemoryRepository


async def test_an_image_arrives_byte_for_byte(source, destination):
    """Manifest, configuration and layers are the same under the same digest."""
    image = await push_image(source, tag="etcd", layers=[b"1", b"2"])
    outcome = await copy_image(
        ImageCopy(source=source, reference="etcd", destination=destination, tag="copy")
    )
    assert (outcome.digest, outcome.was_present, outcome.error) == (image.digest, False, None)
    assert await destination.manifests.get("copy") == image
    assert destination.blobs.contents == source.blobs.contents


async def test_without_a_tag_only_the_digest_leads_to_the_copy(source, destination):
    """An untagged copy is there by its digest."""
    image = await push_image(source)
    await copy_image(ImageCopy(source=source, reference=image.digest, destination=destination))
    assert await destination.manifests.get(image.digest) == image
    assert await destination.manifests.tags() == []


@pytest.mark.parametrize("family", list(Family))
async def test_an_index_comes_with_all_its_members(source, destination, family):
    """An index is copied whole and unchanged, one with a single member and nested ones too."""
    amd = await push_image(source, family=family)
    arm = await push_image(source, architecture="arm64", family=family)
    inner = await push_index(source, {"amd64": amd}, family=family)
    index = await push_index(source, {"amd64": inner, "arm64": arm}, tag="all", family=family)
    report = await ImageCopier().copy(copies(source, destination, "all"))
    report.require_all()
    for manifest in (amd, arm, inner, index):
        assert await destination.manifests.get(manifest.digest) == manifest
    assert (await destination.manifests.get("all")) == index
    puts = [subject for verb, subject in destination.operations if verb == "put"]
    assert puts[-1] == "all"
    assert puts.index(inner.digest) > puts.index(amd.digest)


async def test_a_shared_blob_is_sent_once(source, destination):
    """However many images share a layer, it is read once and written once."""
    tags = await push_payload(source, 20)
    report = await ImageCopier().copy(copies(OtherKind(source), destination, *tags))
    report.require_all()
    assert set(count_of(source, "read").values()) == {1}
    assert set(count_of(destination, "write").values()) == {1}
    assert report.copied == BlobCount(41, sum(map(len, source.blobs.contents.values())))
    assert await destination.manifests.tags() == tags


async def test_copies_under_way_at_once_share_their_blobs(source, destination):
    """Two transfers of one copier wait for each other instead of sending twice."""
    tags = await push_payload(source, 6)
    copier = ImageCopier()
    halves = [copies(OtherKind(source), destination, *tags[i::2]) for i in (0, 1)]
    await asyncio.gather(*(copier.copy(half) for half in halves))
    assert set(count_of(destination, "write").values()) == {1}
    assert await destination.manifests.tags() == tags


async def test_what_is_mounted_is_not_sent(source, destination):
    """Between repositories that can mount, no byte moves."""
    tags = await push_payload(source, 3)
    report = await ImageCopier().copy(copies(source, destination, *tags))
    assert report.mounted.blobs == 7
    assert (report.copied, report.present) == (BlobCount(), BlobCount())
    assert count_of(source, "read") == count_of(destination, "write") == Counter()


async def test_a_second_destination_mounts_from_the_first(source, destination):
    """What was sent to one repository is mounted from there into its neighbours."""
    tags = await push_payload(source, 2)
    neighbour = MemoryRepository("destination.test/more")
    copier = ImageCopier()
    await copier.copy(copies(OtherKind(source), destination, *tags))
    report = await copier.copy(copies(OtherKind(source), neighbour, *tags))
    assert (report.copied.blobs, report.mounted.blobs) == (0, 5)


async def test_what_is_there_is_not_sent_again(source, destination):
    """A second run looks at each manifest and touches no blob."""
    tags = await push_payload(source, 4)
    await ImageCopier().copy(copies(OtherKind(source), destination, *tags))
    source.operations.clear()
    destination.operations.clear()
    report = await ImageCopier().copy(copies(OtherKind(source), destination, *tags))
    assert all(image.was_present for image in report.images)
    for verb in ("read", "write", "stat", "mount"):
        assert count_of(source, verb) == count_of(destination, verb) == Counter()


async def test_a_cut_copy_goes_on_where_it_stopped(source, destination):
    """Blobs that arrived before are found and not sent again."""
    image = await push_image(source, tag="etcd", layers=[BASE, b"2"])
    await push_blob(destination, BASE, "any")
    source.operations.clear()
    report = await ImageCopier().copy(copies(OtherKind(source), destination, "etcd"))
    assert (report.present, report.copied.blobs) == (BlobCount(1, len(BASE)), 2)
    assert digest_of(BASE) not in count_of(source, "read")
    assert await destination.manifests.get("etcd") == image


async def test_an_image_whose_parts_are_lost_is_brought_again(source, tmp_path):
    """A destination that has the manifest but lost a blob gets the blob, not an error."""
    image = await push_image(source, tag="etcd", layers=[BASE, b"2"])
    await push_index(source, {"amd64": image}, tag="all")
    layout = LayoutRepository(tmp_path / "layout")
    copier = ImageCopier()
    await copier.copy(copies(source, layout, "etcd", "all"))
    lost = layout.path / "blobs" / "sha256" / digest_of(BASE).removeprefix("sha256:")
    for again in (copier, ImageCopier()):
        lost.unlink()
        for tag in ("etcd", "all"):
            (await again.copy(copies(source, layout, tag))).require_all()
        assert lost.exists()


async def test_a_plan_is_a_value_and_touches_no_destination(source, destination):
    """Planning reads manifests only, and tells what will be needed."""
    tags = await push_payload(source, 3)
    plan = await ImageCopier().plan(copies(source, destination, *tags, "absent"))
    assert destination.operations == []
    assert {verb for verb, _ in source.operations} == {"get"}
    assert len(plan.blobs) == 7
    assert plan.total_bytes == sum(map(len, source.blobs.contents.values()))
    assert [image.copy.tag for image in plan.images] == tags
    (unreadable,) = plan.unreadable
    assert isinstance(unreadable.error, NotFound)
    assert unreadable.digest is None


async def test_foreign_layers_stay_where_they_are(source, destination):
    """Layers that may not be distributed are skipped and counted; the manifest is unchanged."""
    config = await push_blob(source, config_of([]), OCI_CONFIG)
    foreign = msgspec.structs.replace(
        blob_of(b"windows", DOCKER_FOREIGN_LAYER_GZIP), urls=("https://example.com",)
    )
    image = encode_manifest(ImageManifest(config=config, layers=(foreign,)))
    await source.manifests.put(image, tag="w")
    report = await ImageCopier().copy(copies(source, destination, "w"))
    assert report.foreign_layers == 1
    assert await destination.manifests.get("w") == image
    assert foreign.digest not in destination.blobs.contents


async def test_signatures_come_along_when_asked_for(source, destination):
    """Referrers, referrers of referrers and cosign's tags are copied, before the tag."""
    image = await push_image(source, layers=[b"1"])
    index = await push_index(source, {"amd64": image}, tag="all")
    signature = await push_image(source, layers=[b"s"], subject=image.descriptor)
    second = await push_image(source, layers=[b"t"], subject=signature.descriptor)
    cosign = await push_image(source, layers=[b"c"], tag=list_tag(index.digest) + ".sig")
    await ImageCopier().copy(copies(source, destination, "all"))
    assert await destination.manifests.referrers(image.digest) == []
    destination.operations.clear()
    report = await ImageCopier().copy(copies(source, destination, "all", referrers=True))
    report.require_all()
    assert report.images[0].was_present
    assert [d.digest for d in await destination.manifests.referrers(image.digest)] == [
        signature.digest
    ]
    assert await destination.manifests.get(second.digest) == second
    assert await destination.manifests.get(list_tag(index.digest) + ".sig") == cosign
    assert [subject for verb, subject in destination.operations if verb == "put"][-1] == "all"


async def test_untagged_images_get_their_signatures_too(source, destination):
    """Signatures come along whether or not the image gets a tag."""
    image = await push_image(source)
    await push_image(source, layers=[b"s"], subject=image.descriptor)
    copy = ImageCopy(source=source, reference=image.digest, destination=destination, referrers=True)
    await copy_image(copy)
    assert len(await destination.manifests.referrers(image.digest)) == 1


async def test_two_tags_of_one_image_are_two_tags(source, destination):
    """The same image under two tags is brought once and tagged twice."""
    image = await push_image(source, tag="a")
    await source.manifests.put(image, tag="b")
    report = await ImageCopier().copy(copies(OtherKind(source), destination, "a", "b"))
    assert sorted(image.was_present for image in report.images) == [False, True]
    assert await destination.manifests.tags() == ["a", "b"]
    assert set(count_of(destination, "write").values()) == {1}


async def test_retagging_within_a_repository_moves_nothing(source):
    """A copy into the same repository is only a tag."""
    await push_image(source, tag="a")
    source.operations.clear()
    copy = ImageCopy(source=source, reference="a", destination=source, tag="b")
    assert (await copy_image(copy)).was_present
    assert await source.manifests.tags() == ["a", "b"]
    assert count_of(source, "read") == count_of(source, "write") == Counter()


async def test_progress_tells_the_truth_in_bytes(source, destination):
    """Bytes only grow, end at the total, and every image begins and ends once."""
    tags = await push_payload(source, 3)
    events = []
    copier = ImageCopier(progress=events.append)
    await copier.copy(copies(OtherKind(source), destination, *tags, "absent"))
    bytes_done = [event.done for event in events if isinstance(event, Advanced)]
    total = sum(map(len, source.blobs.contents.values()))
    assert bytes_done == sorted(bytes_done)
    assert len(bytes_done) > 2
    assert bytes_done[-1] == total
    assert {event.total for event in events if isinstance(event, Advanced)} == {total}
    assert sorted(e.subject for e in events if isinstance(e, Started)) == tags
    assert sorted((e.subject, e.outcome) for e in events if isinstance(e, Finished)) == [
        (tag, "copied") for tag in tags
    ]
    events.clear()
    await ImageCopier(progress=events.append).copy(copies(source, destination, *tags))
    assert {e.outcome for e in events if isinstance(e, Finished)} == {"present"}
    assert [e.done for e in events if isinstance(e, Advanced)][-1] == total


async def test_any_kind_of_repository_can_be_either_end(open_repository, source, tmp_path):
    """Copies go from every kind to every other kind."""
    image = await push_image(source, tag="etcd", layers=[BASE])
    middle, end = open_repository("middle"), LayoutRepository(tmp_path / "end")
    await copy_image(copies(source, middle, "etcd")[0])
    await copy_image(copies(middle, end, "etcd")[0])
    assert await end.manifests.get("etcd") == image
    layer = image.image().layers[0]
    assert b"".join([chunk async for chunk in end.blobs.read(layer)]) == BASE
