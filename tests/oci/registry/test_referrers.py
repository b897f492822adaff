# SPDX-License-Identifier: Apache-2.0
"""Referrers, with the API and without."""

from __future__ import annotations

import asyncio

import pytest

from okd_payload.errors import ContentError, RegistryUnavailable
from okd_payload.oci import media_types
from okd_payload.oci.manifest import Index, encode_manifest
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.referrers import list_tag
from okd_payload.testing.images import push_image
from okd_payload.testing.registry_faults import Reply
from okd_payload.testing.registry_server import RegistryServer, ServerOptions


def _place(client, server):
    return client.repository(parse_reference(f"{server.host}/okd/a"))


async def _sign(repository, subject, number=0):
    return await push_image(
        repository,
        layers=[b"%d" % number],
        subject=subject.descriptor,
        artifact_type="example/signature",
    )


@pytest.mark.parametrize("api", [True, False])
async def test_referrers_are_listed_with_and_without_the_api(client, api):
    """What is written with a subject is found, whoever keeps the list."""
    async with RegistryServer(ServerOptions(referrers=api)) as server:
        repository = _place(client, server)
        image = await push_image(repository, tag="v1")
        signatures = [await _sign(repository, image, number) for number in range(3)]
        listed = await repository.manifests.referrers(image.digest)
        assert [item.digest for item in listed] == [item.digest for item in signatures]
        assert {item.artifact_type for item in listed} == {"example/signature"}
        assert (list_tag(image.digest) in server.repository("okd/a").tags) != api
        assert await repository.manifests.tags() == ["v1"]


async def test_writers_at_once_lose_no_entry(client):
    """Tasks that sign one image together all end up in the list."""
    async with RegistryServer(ServerOptions(referrers=False)) as server:
        repository = _place(client, server)
        image = await push_image(repository)
        await asyncio.gather(*(_sign(repository, image, number) for number in range(8)))
        assert len(await repository.manifests.referrers(image.digest)) == 8


async def test_writing_twice_lists_once(client):
    """A repeated write changes nothing in the list."""
    async with RegistryServer(ServerOptions(referrers=False)) as server:
        repository = _place(client, server)
        image = await push_image(repository)
        signature = await _sign(repository, image)
        before = dict(server.repository("okd/a").tags)
        await repository.manifests.put(signature)
        assert server.repository("okd/a").tags == before


@pytest.mark.parametrize(
    "missing",
    [
        Reply(path="/referrers/", status=404),
        Reply(path="/referrers/", status=400),
        Reply(path="/referrers/", status=405),
        Reply(
            path="/referrers/", status=200, body=b"<html>", headers={"Content-Type": "text/html"}
        ),
    ],
)
async def test_a_missing_api_has_many_faces(server, client, missing):
    """However a registry says that it lacks the API, the list under the tag counts."""
    repository = _place(client, server)
    image = await push_image(repository)
    signature = await _sign(repository, image)
    listed = encode_manifest(Index(manifests=(signature.descriptor,)))
    server.repository("okd/a").add_manifest(listed, tag=list_tag(image.digest))
    server.faults.add(missing)
    found = await repository.manifests.referrers(image.digest)
    assert [item.digest for item in found] == [signature.digest]


async def test_an_unavailable_api_is_no_missing_api(server, client):
    """Overload must not make signatures disappear."""
    repository = _place(client, server)
    image = await push_image(repository)
    server.faults.add(Reply(path="/referrers/", status=503, times=-1))
    with pytest.raises(RegistryUnavailable):
        await repository.manifests.referrers(image.digest)


def _page(*manifests, link=""):
    index = encode_manifest(Index(manifests=tuple(item.descriptor for item in manifests)))
    headers = {"Content-Type": media_types.OCI_INDEX}
    if link:
        headers["Link"] = f'<{link}>; rel="next"'
    return Reply(path="/referrers/", status=200, body=index.content, headers=headers)


async def test_a_list_that_is_damaged_is_named(server, client):
    """The error says of which manifest the registry lists what refers to it."""
    repository = _place(client, server)
    image = await push_image(repository)
    headers = {"Content-Type": media_types.OCI_INDEX}
    server.faults.add(Reply(path="/referrers/", status=200, body=b"{}", headers=headers))
    with pytest.raises(ContentError, match=f"refers to .*/okd/a@{image.digest}: ") as caught:
        await repository.manifests.referrers(image.digest)
    assert caught.value.hint


async def test_pages_are_followed(server, client):
    """A long list comes in pages, which may overlap."""
    repository = _place(client, server)
    image = await push_image(repository)
    signatures = [await _sign(repository, image, number) for number in range(3)]
    more = f"/v2/okd/a/referrers/{image.digest}?page=2"
    server.faults.add(_page(*signatures[:2], link=more), _page(*signatures[1:]))
    found = await repository.manifests.referrers(image.digest)
    assert [item.digest for item in found] == [item.digest for item in signatures]


async def test_a_list_that_breaks_off_is_an_error(server, client):
    """Half of a list must not be taken for the whole."""
    repository = _place(client, server)
    image = await push_image(repository)
    server.faults.add(
        _page(image, link="/v2/okd/a/referrers/x"), Reply(path="/referrers/", status=404)
    )
    with pytest.raises(ContentError, match="does not list to its end"):
        await repository.manifests.referrers(image.digest)


async def test_a_list_without_end_is_an_error(server, client):
    """Pages that lead on for ever are left."""
    repository = _place(client, server)
    image = await push_image(repository)
    page = _page(image, link="/v2/okd/a/referrers/x")
    server.faults.add(*[page] * 1001)
    with pytest.raises(ContentError, match="does not list to its end"):
        await repository.manifests.referrers(image.digest)
