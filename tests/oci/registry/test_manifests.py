# SPDX-License-Identifier: Apache-2.0
"""Manifests and tags over HTTP."""

from __future__ import annotations

import hashlib
import json

import pytest

from okd_payload.errors import (
    ContentError,
    DigestMismatch,
    InvalidReference,
    NotFound,
    RegistryUnavailable,
    TooLarge,
    UnsupportedContent,
)
from okd_payload.oci import media_types
from okd_payload.oci.manifest import ImageManifest, encode_manifest
from okd_payload.oci.reference import parse_reference
from okd_payload.testing.images import blob_of, push_image, push_index
from okd_payload.testing.registry_faults import CorruptAnswer, CutAnswer, Reply
from okd_payload.testing.registry_server import RegistryServer, ServerOptions


@pytest.fixture
def place(open_path):
    """The repository okd/a through the client."""
    return open_path("okd/a")


def _image(number=0):
    """A small image manifest whose blobs nobody needs."""
    config = blob_of(b"%d" % number, media_types.OCI_CONFIG)
    return encode_manifest(ImageManifest(media_type=media_types.OCI_MANIFEST, config=config))


def _answer(body, **headers):
    return Reply(path="/manifests/", status=200, body=body, headers=headers, times=2)


async def test_all_known_types_are_asked_for(server, place):
    """Without the header registries convert manifests to what nobody wants."""
    server.repository("okd/a").add_manifest(_image(), tag="v1")
    assert await place.manifests.get("v1") == _image()
    assert server.requests[-1].headers["accept"] == ", ".join(media_types.ACCEPTED)


async def test_a_manifest_that_arrives_damaged_is_fetched_again(server, place):
    """One damaged answer costs a second request, by tag as by digest."""
    server.repository("okd/a").add_manifest(_image(), tag="v1")
    for reference in ("v1", _image().digest):
        server.faults.add(CorruptAnswer(path="/manifests/", at=-3))
        assert await place.manifests.get(reference) == _image()


@pytest.mark.parametrize("at", [0, 20, -3])
async def test_a_manifest_that_stays_damaged_is_refused(server, place, at):
    """No manifest is handed out whose bytes are not what they should be."""
    server.repository("okd/a").add_manifest(_image())
    server.faults.add(CorruptAnswer(path="/manifests/", at=at, times=2))
    with pytest.raises(DigestMismatch, match=rf"okd/a@{_image().digest} arrives with the digest"):
        await place.manifests.get(_image().digest)


async def test_another_manifest_than_asked_for_is_refused(server, place):
    """A whole and valid manifest with another digest is damage too."""
    server.faults.add(_answer(_image(1).content, **{"Content-Type": _image(1).media_type}))
    with pytest.raises(DigestMismatch, match=_image(1).digest):
        await place.manifests.get(_image().digest)


async def test_a_truncated_manifest_is_fetched_again(server, place):
    """A connection that breaks within a manifest costs a second request."""
    server.repository("okd/a").add_manifest(_image(), tag="v1")
    server.faults.add(CutAnswer(path="/manifests/", after=10))
    assert await place.manifests.get("v1") == _image()


async def test_a_tag_needs_no_digest_header(server, place):
    """Registries that do not state a digest are believed by tag."""
    server.faults.add(_answer(_image().content, **{"Content-Type": _image().media_type}))
    assert await place.manifests.get("v1") == _image()


async def test_schema_1_is_refused_with_an_explanation(server, place):
    """The error names the image and says what to do."""
    old = json.dumps({"schemaVersion": 1, "fsLayers": []}).encode()
    server.faults.add(_answer(old, **{"Content-Type": media_types.DOCKER_SCHEMA1_SIGNED}))
    with pytest.raises(UnsupportedContent, match=r"okd/a:v1: .*schema 1") as caught:
        await place.manifests.get("v1")
    assert caught.value.hint


async def test_what_is_no_manifest_is_refused(server, place):
    """The page of a captive portal is named as what it is not."""
    server.faults.add(_answer(b"<html>please log in</html>"))
    with pytest.raises(ContentError, match="okd/a:v1"):
        await place.manifests.get("v1")


async def test_size_is_bounded_while_reading(server, place):
    """A huge answer is broken off, not kept in memory."""
    server.faults.add(_answer(b" " * (5 * 1024 * 1024)))
    with pytest.raises(TooLarge, match=r"reading the manifest .*: .* more than 4194304 bytes"):
        await place.manifests.get("v1")


@pytest.mark.parametrize("reference", ["", "../../x", "a b", "v1?x=y", "sha256:12", "a" * 129])
async def test_only_tags_and_digests_are_asked_for(server, place, reference):
    """What is neither never becomes part of an address."""
    with pytest.raises(InvalidReference, match="neither a tag nor a digest"):
        await place.manifests.get(reference)
    assert server.requests == []


async def test_a_look_costs_no_content(server, place):
    """Where only existence matters, HEAD tells type, size and digest."""
    server.repository("okd/a").add_manifest(_image(), tag="v1")
    assert await place.manifests.stat("v1") == _image().descriptor
    assert await place.manifests.stat("v2") is None
    assert {item.method for item in server.requests} == {"HEAD"}


async def test_a_look_falls_back_to_reading(server, place):
    """A registry that tells nothing in the headers is asked for the content."""
    server.repository("okd/a").add_manifest(_image(), tag="v1")
    server.faults.add(Reply(method="HEAD", status=200))
    assert await place.manifests.stat("v1") == _image().descriptor


async def test_a_registry_that_changes_manifests_is_found_out(server, place):
    """What is stored under another digest is not what was written."""
    other = "sha256:" + hashlib.sha256(b"other").hexdigest()
    server.faults.add(Reply(method="PUT", status=201, headers={"Docker-Content-Digest": other}))
    with pytest.raises(DigestMismatch, match=r"where .* was written"):
        await place.manifests.put(_image(), tag="v1")


async def test_a_write_is_tried_again(server, place, clock):
    """Writing the same bytes twice does no harm, so overload is waited out."""
    server.faults.add(Reply(method="PUT", path="/manifests/", status=503, times=2))
    pushed = await push_image(place, tag="v1")
    assert server.repository("okd/a").tags == {"v1": pushed.digest}
    assert len(clock.waits) == 2


async def test_a_registry_that_does_not_see_its_own_blobs_yet_is_waited_for(server, place):
    """An answer of "blob unknown" is doubted when all blobs are there."""
    unknown = b'{"errors": [{"code": "MANIFEST_BLOB_UNKNOWN"}]}'
    server.faults.add(Reply(method="PUT", path="/manifests/", status=400, body=unknown))
    pushed = await push_image(place, tag="v1")
    server.faults.add(Reply(method="PUT", path="/manifests/", status=400, body=unknown))
    index = await push_index(place, {"amd64": pushed}, tag="all")
    assert server.repository("okd/a").tags == {"v1": pushed.digest, "all": index.digest}


async def test_a_registry_that_never_sees_its_blobs_is_given_up(server, place, clock):
    """The doubt ends before long."""
    unknown = b'{"errors": [{"code": "MANIFEST_BLOB_UNKNOWN"}]}'
    server.faults.add(Reply(method="PUT", path="/manifests/", status=400, body=unknown, times=-1))
    with pytest.raises(RegistryUnavailable, match="writing the manifest"):
        await push_image(place, tag="v1")
    assert clock.monotonic() <= 15


async def test_a_really_incomplete_image_is_refused_at_once(server, place, clock):
    """A manifest whose blobs are absent is an error without a second try."""
    with pytest.raises(NotFound, match="blob unknown to registry"):
        await place.manifests.put(_image(), tag="v1")
    assert clock.waits == []


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
async def test_all_pages_of_tags_are_read(client, links, count):
    """However many tags, with links to the next page or without, all of them are listed."""
    async with RegistryServer(ServerOptions(page=1000, links=links)) as server:
        repository = server.repository("okd/a")
        names = [f"t{number:05}" for number in range(count)]
        for name in names:
            repository.add_manifest(_image(), tag=name)
        place = client.repository(parse_reference(f"{server.host}/okd/a"))
        assert await place.manifests.tags() == names
        assert len(server.requests) <= count // 1000 + 1


async def test_small_pages_are_followed(client):
    """A registry may make its pages smaller than asked for."""
    async with RegistryServer(ServerOptions(page=2)) as server:
        repository = server.repository("okd/a")
        for name in "edcba":
            repository.add_manifest(_image(), tag=name)
        place = client.repository(parse_reference(f"{server.host}/okd/a"))
        assert await place.manifests.tags() == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("link", ["/v2/okd/a/tags/list?n=1000", "?last=x"])
async def test_pages_in_a_circle_end(server, place, link):
    """A registry whose pages lead back to themselves is read once round."""
    body = json.dumps({"tags": ["b", "a"]}).encode()
    links = {"Link": f'<{link}>; rel="next"'}
    server.faults.add(Reply(path="/tags/", status=200, body=body, headers=links, times=-1))
    assert await place.manifests.tags() == ["a", "b"]
    assert len(server.requests) <= 3


@pytest.mark.parametrize("body", [b'{"tags": null}', b'{"name": "okd/a"}', b'{"tags": []}'])
async def test_no_tags_is_an_empty_list(server, place, body):
    """Registries say in different ways that there are no tags."""
    server.faults.add(Reply(path="/tags/", status=200, body=body))
    assert await place.manifests.tags() == []


async def test_what_is_no_tag_is_not_listed(server, place):
    """Names that no reference can hold, and lists of referrers, are left out."""
    names = ["v1", "", "a b", "-x", "sha256-" + "0" * 64, "sha256-" + "0" * 64 + ".sig"]
    server.faults.add(Reply(path="/tags/", status=200, body=json.dumps({"tags": names}).encode()))
    assert await place.manifests.tags() == ["sha256-" + "0" * 64 + ".sig", "v1"]


async def test_a_damaged_list_is_an_error(server, place):
    """A list that cannot be read is not an empty list."""
    server.faults.add(Reply(path="/tags/", status=200, body=b"<html>"))
    with pytest.raises(ContentError, match=r"the tag list of .*/okd/a"):
        await place.manifests.tags()
