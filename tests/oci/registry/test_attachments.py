# SPDX-License-Identifier: Apache-2.0
"""Attachments of many images are found with few requests, on every kind of registry."""

from __future__ import annotations

import asyncio

import pytest

from okd_payload.oci.attachments import Attached, open_finder
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.referrers import list_tag
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.testing.images import push_image
from okd_payload.testing.registry_server import RegistryServer, ServerOptions


@pytest.fixture(params=[True, False], ids=["with the API", "without the API"])
async def server(request):
    """A registry that knows the referrers API, or does not."""
    async with RegistryServer(ServerOptions(referrers=request.param)) as running:
        yield running


@pytest.fixture
async def repository(server):
    """A repository with ten images, one signed in both ways."""
    async with RegistryClient(RegistrySettings(doubtful_deadline=1.0)) as client:
        yield client.repository(parse_reference(f"{server.host}/okd/images"))


async def _fill(repository):
    images = [await push_image(repository, layers=[b"%d" % i], tag=f"t{i}") for i in range(10)]
    signed = images[3]
    note = await push_image(repository, layers=[b"note"], subject=signed.descriptor)
    tag = f"{list_tag(signed.digest)}.sig"
    await push_image(repository, layers=[b"signature"], tag=tag)
    return images, note, tag


async def _find(repository, images, *, expected):
    finder = open_finder(repository.manifests, expected=expected)
    return await asyncio.gather(*(finder.find(image.digest) for image in images))


@pytest.mark.parametrize("expected", [10, 1000])
async def test_attachments_are_found_in_both_ways(server, repository, expected):
    """The referrer and cosign's tag of the signed image are found, and none for the others."""
    images, note, tag = await _fill(repository)
    found = await _find(repository, images, expected=expected)
    assert [item.digest for item in found[3].referrers] == [note.digest]
    assert found[3].tags == (tag,)
    assert [item for number, item in enumerate(found) if number != 3] == [Attached()] * 9


async def test_few_requests_answer_for_all(server, repository):
    """One list of tags, and questions to the API only where there is one."""
    images, _, _ = await _fill(repository)
    server.requests.clear()
    await _find(repository, images, expected=10)
    assert server.count("GET", "/tags/list") == 1
    assert server.count("HEAD") == 0
    asked = server.count("GET", "/referrers/")
    fallback = server.count("GET", "/manifests/")
    assert (asked, fallback) in {(10, 0), (1, 1)}


async def test_long_lists_of_tags_are_not_read_to_their_end():
    """Where there are more pages than the images are worth, single tags are asked for."""
    async with (
        RegistryServer(ServerOptions(page=3)) as server,
        RegistryClient(RegistrySettings(doubtful_deadline=1.0)) as client,
    ):
        repository = client.repository(parse_reference(f"{server.host}/okd/images"))
        images, note, tag = await _fill(repository)
        server.requests.clear()
        found = await _find(repository, images, expected=10)
        assert (found[3].referrers[0].digest, found[3].tags) == (note.digest, (tag,))
        assert server.count("GET", "/tags/list") == 1
        assert server.count("HEAD", "/manifests/") == 30
