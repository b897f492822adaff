# SPDX-License-Identifier: Apache-2.0
"""TLS through a proxy: the proxy opens a tunnel, and sees the name of the host and nothing else."""

from __future__ import annotations

import asyncio
import base64
import contextlib

import pytest
from certificate_keys import make_keys, server_context

from okd_payload.errors import RegistryUnavailable
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.testing.images import push_image
from okd_payload.testing.registry_server import RegistryServer


class Proxy:
    """A proxy that knows one host, by any name; notes what it was asked for."""

    def __init__(self, host, *, tls=None, answer=b"HTTP/1.1 200 Connection established\r\n\r\n"):
        self._address, _, self._port = host.partition(":")
        self._tls = tls
        self._answer = answer
        self.asked = []
        self._serving = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.host = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        if self._serving:
            await asyncio.wait(self._serving)

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(self._answer)
        there_reader, there_writer = await asyncio.open_connection(self._address, int(self._port))
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))
        for end in (writer, there_writer):
            end.transport.abort()


async def pump(reader, writer):
    """Carry bytes until one side has hung up."""
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()
    raise ConnectionResetError


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """An authority, and certificates of a server and a client."""
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def tls(keys):
    """What a server with the certificate speaks."""
    return server_context(keys)


async def use(keys, clock, host="registry.invalid"):
    """Push and pull something, trusting the authority of the tests."""
    settings = RegistrySettings(certificate_folders=(), certificate_authority=keys / "ca.crt")
    async with RegistryClient(settings, clock=clock) as client:
        repository = client.repository(parse_reference(f"{host}/okd/a"))
        image = await push_image(repository, tag="v1")
        assert await repository.manifests.get("v1") == image


async def test_tls_goes_through_a_tunnel(tls, keys, clock, monkeypatch) -> None:
    """The proxy is asked for the host by name and port, with its login; the rest is TLS."""
    async with RegistryServer(tls=tls) as server, Proxy(server.host) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:p%40ss@{proxy.host}")
        await use(keys, clock)
        login = base64.b64encode(b"me:p@ss").decode()
        assert proxy.asked[0] == (
            "CONNECT registry.invalid:443 HTTP/1.1\r\nHost: registry.invalid:443\r\n"
            f"Proxy-Authorization: Basic {login}\r\n\r\n"
        )
        assert {request.host for request in server.requests} == {"registry.invalid"}
        assert not any("proxy-authorization" in request.headers for request in server.requests)


async def test_the_proxy_may_speak_tls_itself(tls, keys, clock, monkeypatch) -> None:
    """With an https proxy there is TLS to the proxy, and TLS through it."""
    async with RegistryServer(tls=tls) as server, Proxy(server.host, tls=tls) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"https://{proxy.host}")
        await use(keys, clock)
        assert len(server.requests) > 1


async def test_a_proxy_cannot_be_the_host(tls, keys, clock, monkeypatch) -> None:
    """At the end of the tunnel the certificate must be for the name that was asked for."""
    async with RegistryServer(tls=tls) as server, Proxy(server.host) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.host}")
        with pytest.raises(RegistryUnavailable, match=r"certificate of other\.invalid is not"):
            await use(keys, clock, host="other.invalid")
        assert server.requests == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n", r"the proxy refuses .*status 407"),
        (b"HTTP/1.1 200 OK\r\n\r\nmore", "the proxy says more than it should"),
        (b"nonsense\r\n\r\n", "does not speak HTTP"),
    ],
)
async def test_a_tunnel_that_does_not_open(tls, keys, clock, monkeypatch, answer, words) -> None:
    """Whatever the proxy says instead, nothing of the request goes to it."""
    async with RegistryServer(tls=tls) as server, Proxy(server.host, answer=answer) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.host}")
        with pytest.raises(RegistryUnavailable, match=words):
            await use(keys, clock)
        assert server.requests == []
