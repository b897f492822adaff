# SPDX-License-Identifier: Apache-2.0
"""A journal saves requests, and never makes a target look whole that is not."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import NotFound
from okd_payload.oci.referrers import list_tag
from okd_payload.oci.transfer import ImageCopier, ImageCopy, JournalFile
from okd_payload.testing.images import push_image, push_index
from okd_payload.testing.memory_repository import MemoryRepository


@pytest.fixture
def source():
    """Where images come from."""
    return MemoryRepository("source.test/images")


@pytest.fixture
def target():
    """Where images go."""
    return MemoryRepository("target.test/images")


@pytest.fixture
def path(tmp_path):
    """The file of the journal."""
    return tmp_path / "journals" / "one"


@pytest.fixture
def mirror(source, target, path):
    """Copies all tags of the source with the journal, as one run of a program does."""

    async def run(*tags):
        source.operations.clear()
        target.operations.clear()
        copies = [
            ImageCopy(
                source=source,
                reference=source.manifests.tagged[tag],
                destination=target,
                tag=tag,
                referrers=True,
            )
            for tag in tags
        ]
        with JournalFile(path) as journal:
            return await ImageCopier(journal=journal).copy(copies)

    return run


def _asked(repository):
    return Counter(verb for verb, _ in repository.operations)


async def test_a_second_run_reads_back_and_does_nothing_else(source, target, mirror):
    """Neither manifests of the source nor blobs of the target are asked for again."""
    image = await push_image(source, tag="a", layers=[b"1"])
    index = await push_index(source, {"amd64": image}, tag="all")
    (await mirror("a", "all")).require_all()
    report = await mirror("a", "all")
    report.require_all()
    assert [outcome.was_present for outcome in report.images] == [True, True]
    assert (image.digest, "get") not in {(what, verb) for verb, what in source.operations}
    assert _asked(target) == {"get": 4}
    assert {what for _, what in target.operations} == {"a", "all", image.digest, index.digest}


@pytest.mark.parametrize("gone", ["manifest", "tag", "everything", "moved tag"])
async def test_what_was_lost_is_brought_again(source, target, mirror, gone):
    """A manifest collected, a tag removed or moved, a repository deleted: the run mends it."""
    image = await push_image(source, tag="a", layers=[b"1"])
    other = await push_image(source, tag="b", layers=[b"2"])
    (await mirror("a", "b")).require_all()
    match gone:
        case "manifest":
            del target.manifests.images[image.digest]
        case "tag":
            del target.manifests.tagged["a"]
        case "everything":
            target.blobs.contents.clear()
            target.manifests.images.clear()
            target.manifests.tagged.clear()
        case "moved tag":
            target.manifests.tagged["a"] = other.digest
    report = await mirror("a", "b")
    report.require_all()
    assert await target.manifests.get("a") == image
    assert await target.manifests.get("b") == other
    assert target.blobs.contents == source.blobs.contents
    assert (await mirror("a", "b")).images[0].was_present


async def test_blobs_lost_with_the_manifest_are_brought_too(source, target, mirror):
    """Nothing is believed of an image that was not given back."""
    image = await push_image(source, tag="a", layers=[b"1"])
    (await mirror("a")).require_all()
    del target.manifests.images[image.digest]
    del target.blobs.contents[image.image().layers[0].digest]
    (await mirror("a")).require_all()
    assert target.blobs.contents == source.blobs.contents


async def test_new_signatures_come_along_later(source, target, mirror):
    """An image that is long there gets the signature that its source got since."""
    image = await push_image(source, tag="a")
    (await mirror("a")).require_all()
    tag = f"{list_tag(image.digest)}.sig"
    signature = await push_image(source, layers=[b"signature"], tag=tag)
    note = await push_image(source, layers=[b"note"], subject=image.descriptor)
    (await mirror("a")).require_all()
    assert await target.manifests.get(tag) == signature
    assert await target.manifests.get(note.digest) == note


async def test_a_target_that_forgets_is_an_error(source, target, mirror):
    """What the target took and does not give back is told, and not remembered as whole."""
    image = await push_image(source, tag="a")
    real = target.manifests.get

    async def forget(reference):
        if reference == "a":
            raise NotFound("gone")
        return await real(reference)

    target.manifests.get = forget
    report = await mirror("a")
    assert isinstance(report.failed[0].error, NotFound)
    assert report.failed[0].digest == image.digest
    target.manifests.get = real
    (await mirror("a")).require_all()


async def test_another_target_is_another_matter(source, target, path, mirror):
    """What is whole at one target is not believed of another."""
    await push_image(source, tag="a")
    (await mirror("a")).require_all()
    elsewhere = MemoryRepository("elsewhere.test/images")
    with JournalFile(path) as journal:
        copy = ImageCopy(
            source=source,
            reference=source.manifests.tagged["a"],
            destination=elsewhere,
            tag="a",
        )
        report = await ImageCopier(journal=journal).copy([copy])
    report.require_all()
    assert await elsewhere.manifests.tags() == ["a"]


async def test_a_manifest_is_read_once_for_many_targets(source, target, path):
    """However many copies need an image, its manifest is fetched one time."""
    image = await push_image(source, tag="a")
    source.operations.clear()
    others = [MemoryRepository(f"other.test/{number}") for number in range(3)]
    copies = [
        ImageCopy(source=source, reference=image.digest, destination=other, tag="a")
        for other in (target, *others)
    ]
    with JournalFile(path) as journal:
        (await ImageCopier(journal=journal).copy(copies)).require_all()
    assert source.operations.count(("get", image.digest)) == 1


async def test_every_way_is_counted_for_its_image(source, target, mirror):
    """Each outcome says how its own bytes came: mounted, and the second time present."""
    image = await push_image(source, tag="a", layers=[b"12345"])
    size = sum(blob.size for blob in image.image().blobs)
    first, second = (await mirror("a")).images[0], (await mirror("a")).images[0]
    assert (first.mounted.bytes, first.present.bytes, first.copied.bytes) == (size, 0, 0)
    assert (second.mounted.bytes, second.present.bytes, second.copied.bytes) == (0, size, 0)


async def test_a_torn_journal_costs_requests_only(source, target, mirror, path):
    """A last line that was cut off is passed over, and the next line begins anew."""
    await push_image(source, tag="a")
    await push_image(source, tag="b", layers=[b"b"])
    (await mirror("a", "b")).require_all()
    content = path.read_bytes()
    for end in (len(content) - 1, len(content) - 30, len(content) // 2, 3):
        path.write_bytes(content[:end])
        (await mirror("a", "b")).require_all()
        assert (await mirror("a", "b")).images[1].was_present


async def test_a_forged_journal_proves_nothing(source, target, mirror, path):
    """Manifests are checked against their digests, and images against the target."""
    image = await push_image(source, tag="a")
    wrong = image.content.replace(b"sha256:", b"sha256:", 1) + b"\n"
    path.parent.mkdir()
    lines = [
        {
            "line": "manifest",
            "digest": image.digest,
            "media_type": image.media_type,
            "content": wrong,
        },
        {
            "line": "image",
            "target": target.name,
            "tag": "a",
            "digest": image.digest,
            "attached": [],
            "whole": True,
        },
    ]
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    (await mirror("a")).require_all()
    assert await target.manifests.get("a") == image


@given(st.binary(max_size=200) | st.text('{}"line:manifest,image\n[]', max_size=80).map(str.encode))
def test_any_file_is_a_journal(tmp_path_factory, content):
    """Whatever stands in the file, it can be opened and written to."""
    path = tmp_path_factory.mktemp("journal") / "file"
    path.write_bytes(content)
    with JournalFile(path) as journal:
        assert journal.manifest("sha256:" + "0" * 64) is None
