# SPDX-License-Identifier: Apache-2.0
"""Interfaces of web servers: asked once, answered as they are, tokens never in the clear."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from okd_payload.errors import InputError, RegistryUnavailable, TooLarge
from okd_payload.oci.registry import RegistryClient
from okd_payload.oci.web_requests import WebRequest


class Echo(BaseHTTPRequestHandler):
    """Says what it was asked, with the status that the path names."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(int(self.path.rpartition("/")[2]))
        self.send_header("X-Token", self.headers.get("Authorization", ""))
        self.send_header("Location", "/200")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.do_POST()

    def do_PATCH(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("method", "status"), [("GET", 200), ("POST", 302), ("PATCH", 404), ("POST", 500)]
)
async def test_every_answer_is_an_answer(
    client: RegistryClient, server: str, method: str, status: int
) -> None:
    """Redirects are not followed and nothing is tried again: the caller decides."""
    request = WebRequest(
        method=method,
        url=f"{server}/{status}",
        headers={"Authorization": "Bearer t"},
        body=b"content" if method != "GET" else b"",
    )
    answer = await client.ask_web(request, limit=100)
    assert (answer.status, answer.body) == (status, request.body)
    assert answer.headers["x-token"] == "Bearer t"
    assert answer.good is (status == 200)


async def test_answers_are_bounded(client: RegistryClient, server: str) -> None:
    """A server that sends more than anybody wants is left."""
    request = WebRequest(method="POST", url=f"{server}/200", body=b"x" * 1000)
    with pytest.raises(TooLarge):
        await client.ask_web(request, limit=999)


async def test_tokens_do_not_go_through_networks_in_the_clear(client: RegistryClient) -> None:
    """Without TLS only to this machine."""
    request = WebRequest(url="http://forge.test/", headers={"authorization": "Bearer t"})
    with pytest.raises(InputError, match="in the clear"):
        await client.ask_web(request, limit=100)
    with pytest.raises(InputError, match="no address"):
        await client.ask_web(WebRequest(url="file:///etc/passwd"), limit=100)


async def test_a_server_that_is_away_is_an_error(client: RegistryClient) -> None:
    """It says which."""
    with pytest.raises(RegistryUnavailable, match=r"127\.0\.0\.1"):
        await client.ask_web(WebRequest(url="http://127.0.0.1:1/"), limit=100)
