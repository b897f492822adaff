# SPDX-License-Identifier: Apache-2.0
"""Documents put on web servers."""

from __future__ import annotations

import pytest

from okd_payload.errors import InputError, RegistryRefused, Unauthorized
from okd_payload.testing.document_server import DocumentServer


@pytest.fixture
def server():
    """A web server that takes documents from whoever has the token."""
    with DocumentServer() as found:
        found.writable = True
        found.token = "secret"
        yield found


async def test_a_document_is_stored_once(server, client):
    """What is there already stays as it is, and the caller is told."""
    url = f"{server.url}/a/signature-1"
    assert await client.put_document(url, b"first", token="secret")
    assert not await client.put_document(url, b"second", token="secret")
    assert await client.fetch_document(url) == b"first"


async def test_a_wrong_token_is_told(server, client):
    """Who may not write learns what is missing, and not what the token was."""
    with pytest.raises(Unauthorized, match="401 Unauthorized") as caught:
        await client.put_document(f"{server.url}/a", b"x", token="wrong")
    assert "token" in caught.value.hint
    assert "wrong" not in caught.value.message


async def test_a_server_that_takes_nothing_is_told(server, client):
    """A server without PUT is not tried again and again."""
    server.writable = False
    with pytest.raises(RegistryRefused, match="405 Method Not Allowed"):
        await client.put_document(f"{server.url}/a", b"x")


async def test_only_web_addresses_are_written(client):
    """A path on this machine is no address."""
    with pytest.raises(InputError, match="no address of a document"):
        await client.put_document("file:///tmp/a", b"x")


async def test_a_token_does_not_go_in_the_clear(client):
    """Plain http to another machine is refused before anything is sent, unless it was allowed."""
    with pytest.raises(InputError, match=r"store\.test:8080 would go there in the clear") as caught:
        await client.put_document("http://store.test:8080/a", b"x", token="secret")
    assert "--plain-http store.test:8080" in caught.value.hint
