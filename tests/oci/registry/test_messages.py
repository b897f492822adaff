# SPDX-License-Identifier: Apache-2.0
"""Messages go where their address leads, and never where they may not lead."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import pytest

from okd_payload.errors import InputError, RegistryError
from okd_payload.oci.messages import OutgoingMessage
from okd_payload.oci.registry.messages import (
    Address,
    PinnedMessenger,
    parse_target,
    require_allowed,
)
from okd_payload.testing.document_server import DocumentServer


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "ff02::1",
    ],
)
def test_networks_of_ours_are_refused(address):
    """Loopback, private, link-local and whatever means one of them."""
    with pytest.raises(InputError, match="nothing is sent to"):
        require_allowed(ipaddress.ip_address(address), (), host="ci.test")


def test_public_and_allowed_networks_are_taken():
    """A listed network is a decision of whoever runs the site."""
    require_allowed(ipaddress.ip_address("8.8.8.8"), (), host="ci.test")
    require_allowed(ipaddress.ip_address("2606:4700::1111"), (), host="ci.test")
    require_allowed(ipaddress.ip_address("10.1.2.3"), ("10.0.0.0/8",), host="ci.test")
    require_allowed(ipaddress.ip_address("::ffff:10.1.2.3"), ("10.0.0.0/8",), host="ci.test")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x/",
        "file:///etc/passwd",
        "https://",
        "//x",
        "",
        "https://a:b@x/",
        "http://[::1",
        "gopher://x",
        "https://a..b/",
        "https://xn--a/",
        f"https://{'a' * 64}.test/",
    ],
)
def test_only_addresses_of_http_are_taken(url):
    """And none with a password in it, or a name that no name server could know."""
    with pytest.raises(InputError):
        parse_target(url)


async def test_a_name_is_judged_by_where_it_leads():
    """A server of this machine is not spoken to, unless its network is allowed."""
    messenger = PinnedMessenger()
    with DocumentServer() as server:
        message = OutgoingMessage(url=server.url.replace("127.0.0.1", "localhost"), body=b"{}")
        with pytest.raises(InputError, match="nothing is sent to"):
            await messenger.send(message, allowed=())
        assert server.requests == []
        allowed = ("127.0.0.0/8", "::1/128")
        assert await messenger.send(message, allowed=allowed) in (404, 501)


async def test_a_server_that_is_not_there_is_an_error_of_ours():
    """Told without details of the network."""
    with DocumentServer() as server:
        gone = server.url
    with pytest.raises(RegistryError, match="does not answer") as caught:
        await PinnedMessenger().send(OutgoingMessage(url=gone, body=b""), allowed=("127.0.0.0/8",))
    assert "address" in caught.value.hint


class Hook:
    """A web server at an address of this machine that remembers what it was sent."""

    def __init__(self, address: str, *, port: int = 0, location: str = "") -> None:
        self.bodies: list[bytes] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(302 if location else 200)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Tests look at ``bodies``."""

        self._server = ThreadingHTTPServer((address, port), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class ChangingName:
    """A name server of whoever owns the name: each question has another answer."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)

    def __call__(self, _host: str, _port: int) -> Sequence[Address]:
        return [ipaddress.ip_address(each) for each in self._answers.pop(0).split()]


async def test_a_name_that_means_something_else_later_leads_nowhere():
    """What is connected to is what was judged; the next message is judged anew."""
    with Hook("127.0.0.2") as meant, Hook("127.0.0.1", port=meant.port) as ours:
        messenger = PinnedMessenger(ChangingName("127.0.0.2", "127.0.0.1", "127.0.0.2 10.0.0.1"))
        message = OutgoingMessage(url=f"http://ci.test:{meant.port}/hook", body=b"{}")
        allowed = ("127.0.0.2/32",)
        assert await messenger.send(message, allowed=allowed) == 200
        for _ in range(2):
            with pytest.raises(InputError, match="nothing is sent to"):
                await messenger.send(message, allowed=allowed)
    assert (meant.bodies, ours.bodies) == ([b"{}"], [])


async def test_redirects_are_not_followed():
    """Not even to an address that would be allowed: the answer is told, and that is all."""
    with (
        Hook("127.0.0.1") as ours,
        Hook("127.0.0.1", location=f"http://127.0.0.1:{ours.port}/admin") as hook,
    ):
        message = OutgoingMessage(url=f"http://127.0.0.1:{hook.port}/hook", body=b"{}")
        assert await PinnedMessenger().send(message, allowed=("127.0.0.0/8",)) == 302
    assert (hook.bodies, ours.bodies) == ([b"{}"], [])
