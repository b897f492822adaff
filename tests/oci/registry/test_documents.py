# SPDX-License-Identifier: Apache-2.0
"""Documents of web servers, read with the means of the registry client."""

from __future__ import annotations

import pytest

from okd_payload.errors import (
    InputError,
    NotFound,
    RegistryRefused,
    RegistryUnavailable,
    TooLarge,
    Unauthorized,
)
from okd_payload.oci.documents import DocumentAnswer
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.testing.document_server import Answer, DocumentServer


@pytest.fixture
def documents():
    """A web server."""
    with DocumentServer() as server:
        yield server


async def test_a_document_is_read_whole(documents, client):
    """What lies at the address comes back byte for byte."""
    documents.documents["/graph?arch=arm64"] = b"\x00content"
    assert await client.fetch_document(f"{documents.url}/graph?arch=arm64") == b"\x00content"


async def test_redirects_are_followed(documents, client):
    """Release pages lead to where their files are."""
    documents.documents["/a"] = Answer(status=302, headers={"Location": "/b"})
    documents.documents["/b"] = b"there"
    assert await client.fetch_document(f"{documents.url}/a") == b"there"


async def test_redirects_end(documents, client):
    """A server that leads in a circle is left."""
    documents.documents["/a"] = Answer(status=302, headers={"Location": "/a"})
    with pytest.raises(RegistryRefused, match="redirects more than 5 times"):
        await client.fetch_document(f"{documents.url}/a")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, NotFound),
        (410, NotFound),
        (401, Unauthorized),
        (403, Unauthorized),
        (400, RegistryRefused),
    ],
)
async def test_other_answers_are_errors(status, error, documents, client):
    """The status decides about the error, and the query, which may be signed, is not told."""
    documents.documents["/a"] = Answer(status=status)
    with pytest.raises(error, match=rf"reading http://127.0.0.1:\d+/a: .* {status}") as raised:
        await client.fetch_document(f"{documents.url}/a?secret=1")
    assert "secret" not in str(raised.value)


async def test_overload_is_waited_for(documents, client, clock):
    """A busy server is asked again when it says so."""
    busy = iter([Answer(status=503, headers={"Retry-After": "7"}), Answer(body=b"now")])
    documents.answer = lambda _: next(busy)
    before = clock.now()
    assert await client.fetch_document(f"{documents.url}/a") == b"now"
    assert clock.now() - before >= 7


async def test_waiting_ends(documents, client):
    """A server that fails for good is given up."""
    documents.documents["/a"] = Answer(status=500)
    with pytest.raises(RegistryUnavailable, match="given up after"):
        await client.fetch_document(f"{documents.url}/a")


async def test_documents_are_bounded(documents, client):
    """What is too large is an error, not a full memory."""
    documents.documents["/a"] = b"x" * 11
    with pytest.raises(TooLarge):
        await client.fetch_document(f"{documents.url}/a", limit=10)


@pytest.mark.parametrize(
    "text", ["", "x", "ftp://x.test/", "https://", "https://me:pw@x.test/a", "http://[1"]
)
async def test_only_addresses_of_the_web(text, client):
    """What is no address of http or https is refused before anything is sent."""
    with pytest.raises(InputError, match="no address of a document"):
        await client.fetch_document(text)


async def test_nobody_is_logged_in(documents, tmp_path, clock):
    """A password for the host's registry is not shown to its web server."""
    host = documents.url.removeprefix("http://")
    auth = tmp_path / "auth.json"
    auth.write_text(f'{{"auths": {{"{host}": {{"auth": "dTpw"}}}}}}')
    documents.documents["/a"] = Answer(status=401, headers={"WWW-Authenticate": "Basic"})
    async with RegistryClient(RegistrySettings(auth_file=auth), clock=clock) as client:
        with pytest.raises(Unauthorized):
            await client.fetch_document(f"{documents.url}/a")
    assert documents.requests == ["/a"]


@pytest.mark.parametrize("status", [200, 206, 204, 304, 404, 410, 429, 500])
async def test_asking_once_tells_the_status(status, documents, client):
    """Who judges answers himself gets each, and nothing is tried a second time."""
    body = b"" if status in (204, 304) else b"said"
    documents.documents["/a"] = Answer(status=status, body=body)
    answer = await client.ask_document(f"{documents.url}/a", limit=10)
    assert answer == DocumentAnswer(status, body)
    assert documents.requests == ["/a"]


async def test_asking_follows_redirects_within_bounds(documents, client):
    """The answer comes from where the server leads, and may not be too long."""
    documents.documents["/a"] = Answer(status=307, headers={"Location": "/b"})
    documents.documents["/b"] = b"four"
    assert await client.ask_document(f"{documents.url}/a", limit=4) == DocumentAnswer(200, b"four")
    with pytest.raises(TooLarge):
        await client.ask_document(f"{documents.url}/a", limit=3)


async def test_asking_nobody_is_an_error(client):
    """A port where nobody listens gives no answer, at once."""
    with pytest.raises(RegistryUnavailable):
        await client.ask_document("http://127.0.0.1:1/a", limit=10)
