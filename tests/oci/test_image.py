# SPDX-License-Identifier: Apache-2.0
"""Reading images whole, and choosing the member of an index that fits a machine."""

from __future__ import annotations

import msgspec
import pytest

from okd_payload.errors import ContentError, InvalidReference, NotFound, TooLarge
from okd_payload.oci.image import MAX_INDEX_DEPTH, read_blob, read_image
from okd_payload.oci.manifest import Index, Platform, encode_manifest
from okd_payload.oci.media_types import OCI_LAYER
from okd_payload.oci.platform import choose_member, host_platform, parse_platform
from okd_payload.testing.images import config_of, push_blob, push_image, push_index
from okd_payload.testing.memory_repository import MemoryRepository


@pytest.fixture
def repository():
    """An empty repository."""
    return MemoryRepository()


async def test_an_image_comes_with_manifest_and_configuration(repository):
    """One call gives everything but the layers."""
    manifest = await push_image(repository, tag="etcd", labels={"a": "1"})
    image = await read_image(repository, "etcd")
    assert image.referenced == image.manifest == manifest
    assert image.descriptor == manifest.descriptor
    assert image.digest == manifest.digest
    assert image.layers == manifest.image().layers
    assert image.config.labels == {"a": "1"}
    assert image.config_bytes == config_of([b"layer"], labels={"a": "1"})
    assert ("read", image.layers[0].digest) not in repository.operations


async def test_the_member_for_the_platform_is_chosen(repository):
    """Of an index, the image for the wanted platform is read, and the index is kept beside it."""
    arm = await push_image(repository, architecture="arm64")
    amd = await push_image(repository, architecture="amd64")
    index = await push_index(repository, {"amd64": amd, "arm64": arm}, tag="all")
    image = await read_image(repository, "all", platform=Platform("arm64"))
    assert (image.referenced, image.manifest) == (index, arm)
    assert image.config.platform == Platform("arm64")


async def test_a_lone_member_needs_no_platform(repository):
    """An index with one member means that member, whatever machine this is."""
    member = await push_image(repository, architecture="s390x")
    await push_index(repository, {"s390x": member}, tag="one")
    assert (await read_image(repository, "one")).manifest == member


async def test_a_platform_that_nobody_offers_is_not_found(repository):
    """The error names what was wanted, and its hint what there is."""
    amd = await push_image(repository)
    await push_index(repository, {"amd64": amd, "arm64": amd}, tag="all")
    with pytest.raises(NotFound, match="linux/s390x") as caught:
        await read_image(repository, "all", platform=Platform("s390x"))
    assert "linux/amd64, linux/arm64" in caught.value.hint


async def test_nested_indexes_are_followed_so_far(repository):
    """An index within an index is followed, indexes without end are not."""
    manifest = image = await push_image(repository)
    for _ in range(MAX_INDEX_DEPTH):
        manifest = encode_manifest(Index(manifests=(manifest.descriptor,)))
        await repository.manifests.put(manifest, tag="deep")
        if len(repository.manifests.images) < MAX_INDEX_DEPTH:
            assert (await read_image(repository, "deep")).manifest == image
    with pytest.raises(ContentError, match="nested"):
        await read_image(repository, "deep")


async def test_small_blobs_are_read_whole_and_large_ones_refused(repository):
    """The bound is checked before anything is read."""
    blob = await push_blob(repository, b"12345", OCI_LAYER)
    assert await read_blob(repository, blob, max_bytes=5) == b"12345"
    repository.operations.clear()
    with pytest.raises(TooLarge, match="5 bytes"):
        await read_blob(repository, blob, max_bytes=4)
    assert repository.operations == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linux/amd64", Platform("amd64")),
        ("x86_64", Platform("amd64")),
        ("linux/aarch64", Platform("arm64")),
        ("linux/arm/v7", Platform("arm", variant="v7")),
        ("windows/amd64", Platform("amd64", os="windows")),
    ],
)
def test_platforms_are_parsed(text, expected):
    """Go's names and Linux's names for a processor are both understood."""
    assert parse_platform(text) == expected


@pytest.mark.parametrize("text", ["", "linux/", "linux/amd64/v8/x", "Linux/AMD64", "a b/c"])
def test_what_is_no_platform_is_refused(text):
    """The refusal shows the form."""
    with pytest.raises(InvalidReference) as caught:
        parse_platform(text)
    assert "linux/amd64" in caught.value.hint


def _index(*platforms):
    member = encode_manifest(Index()).descriptor
    return Index(manifests=tuple(msgspec.structs.replace(member, platform=p) for p in platforms))


@pytest.mark.parametrize(
    ("offered", "wanted", "chosen"),
    [
        ([Platform("arm64", variant="v8")], Platform("arm64"), 0),
        ([Platform("arm64")], Platform("arm64", variant="v8"), 0),
        ([Platform("arm", variant="v6"), Platform("arm")], Platform("arm", variant="v7"), 1),
        ([Platform("amd64"), Platform("amd64", variant="v3")], Platform("amd64"), 0),
        ([Platform("amd64", os="windows"), Platform("amd64")], Platform("amd64"), 1),
        ([None, Platform("amd64")], Platform("amd64"), 1),
        ([Platform("arm64"), None], Platform("amd64"), 1),
        ([Platform("unknown", os="unknown"), Platform("amd64")], None, 1),
    ],
)
def test_the_first_member_that_fits_is_chosen(offered, wanted, chosen):
    """Variants default as in Go, attestations are no images, no platform fits at last."""
    index = _index(*offered)
    assert choose_member(index, wanted, name="x") is index.manifests[chosen]


def test_the_platform_of_this_machine_has_a_go_name():
    """Without a wish, the choice is for this machine."""
    assert host_platform().architecture not in ("x86_64", "aarch64")
    index = _index(host_platform(), Platform("other"))
    assert choose_member(index, None, name="x") is index.manifests[0]


def test_an_empty_index_offers_nothing():
    """An index without images has none for anybody."""
    with pytest.raises(NotFound) as caught:
        choose_member(_index(), None, name="quay.io/x@sha256:1")
    assert caught.value.hint == "it has: nothing"
