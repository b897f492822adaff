# SPDX-License-Identifier: Apache-2.0
"""What every repository promises, whatever it is made of.

Each test runs against every kind that the fixture ``open_repository`` knows.
"""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from okd_payload.errors import (
    ContentError,
    DigestMismatch,
    InvalidReference,
    NotFound,
    RegistryError,
)
from okd_payload.oci.blob_sources import BytesSource
from okd_payload.oci.digest import digest_of
from okd_payload.oci.manifest import (
    ImageManifest,
    Index,
    Manifest,
    encode_manifest,
)
from okd_payload.oci.media_types import DOCKER_FOREIGN_LAYER_GZIP, OCI_CONFIG, OCI_LAYER, Family
from okd_payload.testing.images import blob_of, config_of, push_blob, push_image, push_index

CONTENT = bytes(range(256)) * 3000
BLOB = blob_of(CONTENT, OCI_LAYER)
OTHER = digest_of(b"something else")


class BrokenSource:
    """A source that fails after some content, as a connection does."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def open(self, offset: int = 0):
        yield self._content[offset:]
        raise ConnectionError("the line is cut")


async def _read(repository, descriptor):
    return b"".join([chunk async for chunk in repository.blobs.read(descriptor)])


async def test_blobs_are_read_as_written(open_repository):
    """What was written is there, with its size, for everybody who opens the repository."""
    repository = open_repository("images")
    assert await repository.blobs.stat(BLOB.digest) is None
    await repository.blobs.write(BLOB, BytesSource(CONTENT))
    assert await repository.blobs.stat(BLOB.digest) == len(CONTENT)
    assert await _read(open_repository("images"), BLOB) == CONTENT


async def test_empty_blobs_are_blobs(open_repository):
    """A blob of no bytes is stored and read like any other."""
    repository = open_repository("images")
    empty = blob_of(b"", OCI_LAYER)
    await repository.blobs.write(empty, BytesSource(b""))
    assert await repository.blobs.stat(empty.digest) == 0
    assert await _read(repository, empty) == b""


@pytest.mark.parametrize(
    ("content", "announced"),
    [
        (CONTENT[:-1] + b"x", BLOB),
        (CONTENT[:-1], BLOB),
        (CONTENT + b"x", BLOB),
        (b"", BLOB),
        (CONTENT, msgspec.structs.replace(BLOB, size=len(CONTENT) - 1)),
        (CONTENT, msgspec.structs.replace(BLOB, digest=OTHER)),
    ],
    ids=["changed", "short", "long", "empty", "wrong size", "wrong digest"],
)
async def test_wrong_content_is_never_stored(open_repository, content, announced):
    """A write that does not fit its descriptor fails, and nothing is there afterwards."""
    repository = open_repository("images")
    with pytest.raises(DigestMismatch):
        await repository.blobs.write(announced, BytesSource(content))
    assert await repository.blobs.stat(announced.digest) is None
    assert await repository.blobs.stat(digest_of(content)) is None


async def test_a_failing_source_stores_nothing(open_repository):
    """When the source fails, its error reaches the caller and nothing is stored."""
    repository = open_repository("images")
    with pytest.raises(ConnectionError):
        await repository.blobs.write(BLOB, BrokenSource(CONTENT[:100]))
    assert await repository.blobs.stat(BLOB.digest) is None


async def test_reading_checks_the_size(open_repository):
    """Content of another size than the descriptor says is not handed out as whole."""
    repository = open_repository("images")
    await repository.blobs.write(BLOB, BytesSource(CONTENT))
    for size in (0, len(CONTENT) - 1, len(CONTENT) + 1):
        with pytest.raises(DigestMismatch):
            await _read(repository, msgspec.structs.replace(BLOB, size=size))
    assert await _read(repository, BLOB) == CONTENT


async def test_absent_content_is_not_found(open_repository):
    """Whatever is not there raises NotFound, also in a repository that does not exist."""
    repository = open_repository("nowhere")
    with pytest.raises(NotFound):
        await _read(repository, BLOB)
    for reference in ("latest", OTHER):
        with pytest.raises(NotFound):
            await repository.manifests.get(reference)
    assert await repository.manifests.tags() == []
    assert await repository.manifests.referrers(OTHER) == []


@pytest.mark.parametrize("family", list(Family))
async def test_manifests_keep_their_bytes(open_repository, family):
    """A manifest is read back byte for byte, by tag and by digest, with its media type."""
    repository = open_repository("images")
    image = await push_image(repository, tag="etcd", family=family)
    index = await push_index(repository, {"amd64": image}, tag="all", family=family)
    for reference, expected in (
        ("etcd", image),
        (image.digest, image),
        ("all", index),
        (index.digest, index),
    ):
        assert await open_repository("images").manifests.get(reference) == expected


async def test_foreign_formatting_survives(open_repository):
    """Bytes that no program of ours would write are kept as they are."""
    repository = open_repository("images")
    image = await push_image(repository)
    content = b"\n  " + image.content.replace(b",", b" ,\n\t") + b"\n"
    strange = Manifest(image.media_type, content, digest_of(content))
    await repository.manifests.put(strange, tag="strange")
    assert (await repository.manifests.get("strange")).content == content


async def test_a_manifest_whose_digest_lies_is_refused(open_repository):
    """A manifest is stored only under the digest of its bytes."""
    repository = open_repository("images")
    image = await push_image(repository)
    with pytest.raises(DigestMismatch):
        await repository.manifests.put(Manifest(image.media_type, image.content, OTHER), tag="x")
    assert await repository.manifests.tags() == []


async def test_tags_are_sorted_and_move(open_repository):
    """Tags come sorted; a tag leads to what was put last, and the former image stays."""
    repository = open_repository("images")
    first = await push_image(repository, tag="b", layers=[b"1"])
    second = await push_image(repository, tag="a", layers=[b"2"])
    await push_image(repository, layers=[b"3"])
    assert await repository.manifests.tags() == ["a", "b"]
    await repository.manifests.put(second, tag="b")
    await repository.manifests.put(second, tag="b")
    assert await repository.manifests.tags() == ["a", "b"]
    assert await repository.manifests.get("b") == second
    assert await repository.manifests.get(first.digest) == first


async def test_what_is_no_tag_is_refused(open_repository):
    """A tag outside the grammar is refused before anything is stored."""
    repository = open_repository("images")
    image = await push_image(repository)
    with pytest.raises(InvalidReference):
        await repository.manifests.put(image, tag="not a tag")
    assert await repository.manifests.tags() == []


async def test_no_tag_leads_to_an_incomplete_image(open_repository):
    """Blobs come before the manifest: one that needs an absent blob is refused."""
    repository = open_repository("images")
    config = await push_blob(repository, config_of([]), OCI_CONFIG)
    image = encode_manifest(ImageManifest(config=config, layers=(BLOB,)))
    with pytest.raises(RegistryError):
        await repository.manifests.put(image, tag="etcd")
    assert await repository.manifests.tags() == []
    with pytest.raises(NotFound):
        await repository.manifests.get(image.digest)


async def test_no_index_comes_before_its_members(open_repository):
    """An index that lists an absent manifest is refused."""
    repository = open_repository("images")
    absent = await push_image(open_repository("elsewhere"))
    index = encode_manifest(Index(manifests=(absent.descriptor,)))
    with pytest.raises(RegistryError):
        await repository.manifests.put(index, tag="all")
    assert await repository.manifests.tags() == []


async def test_foreign_layers_need_not_be_there(open_repository):
    """Layers that may not be distributed stay where their URLs say."""
    repository = open_repository("images")
    config = await push_blob(repository, config_of([]), Family.DOCKER.config)
    foreign = msgspec.structs.replace(
        BLOB, media_type=DOCKER_FOREIGN_LAYER_GZIP, urls=("https://example.com/layer",)
    )
    image = encode_manifest(
        ImageManifest(media_type=Family.DOCKER.manifest, config=config, layers=(foreign,))
    )
    await repository.manifests.put(image, tag="windows")
    assert await repository.manifests.get("windows") == image


async def test_mounting_moves_what_the_origin_has(open_repository):
    """A mounted blob is there and whole; one that the origin lacks is not mounted."""
    origin, repository = open_repository("origin"), open_repository("images")
    await origin.blobs.write(BLOB, BytesSource(CONTENT))
    assert await repository.blobs.mount(BLOB, origin)
    assert await repository.blobs.mount(BLOB, origin)
    assert await _read(repository, BLOB) == CONTENT
    absent = blob_of(b"absent", OCI_LAYER)
    assert not await repository.blobs.mount(absent, origin)
    assert await repository.blobs.stat(absent.digest) is None


async def test_referrers_are_listed_by_subject(open_repository):
    """A signature is found through its subject, with its type and annotations, and is no tag."""
    repository = open_repository("images")
    image = await push_image(repository, tag="etcd")
    assert await repository.manifests.referrers(image.digest) == []
    signature = await push_image(
        repository, layers=[b"s"], subject=image.descriptor, artifact_type="example/signature"
    )
    note = await push_image(
        repository, layers=[b"n"], subject=image.descriptor, artifact_type="example/note"
    )
    await repository.manifests.put(note)
    listed = await repository.manifests.referrers(image.digest)
    assert {(item.digest, item.artifact_type) for item in listed} == {
        (signature.digest, "example/signature"),
        (note.digest, "example/note"),
    }
    assert len(listed) == 2
    assert await repository.manifests.referrers(signature.digest) == []


async def test_writers_at_once_do_not_disturb_each_other(open_repository):
    """Many tasks storing shared blobs and tags leave all of them whole."""

    async def write(number: int) -> None:
        repository = open_repository("images")
        await push_image(repository, tag=f"t{number:02}", layers=[CONTENT, b"%d" % (number % 3)])

    async with asyncio.TaskGroup() as tasks:
        for number in range(12):
            tasks.create_task(write(number))
    repository = open_repository("images")
    assert await repository.manifests.tags() == [f"t{number:02}" for number in range(12)]
    for tag in await repository.manifests.tags():
        for layer in (await repository.manifests.get(tag)).image().blobs:
            assert len(await _read(repository, layer)) == layer.size


async def test_what_is_no_manifest_is_refused(open_repository):
    """A blob that is no manifest cannot be read as one."""
    repository = open_repository("images")
    await repository.blobs.write(BLOB, BytesSource(CONTENT))
    with pytest.raises((RegistryError, ContentError)):
        await repository.manifests.get(BLOB.digest)
