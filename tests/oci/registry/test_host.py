# SPDX-License-Identifier: Apache-2.0
"""What stands at the other end: wrong names, wrong ports, what is no registry at all."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from okd_payload.errors import (
    ContentError,
    NotFound,
    RegistryRefused,
    RegistryUnavailable,
)
from okd_payload.oci.mirrors.rules import Mirror, MirrorRule, MirrorRules
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.oci.registry.settings import EVERY_HOST, host_name, lists_host
from okd_payload.testing.images import blob_of, push_image
from okd_payload.testing.registry_faults import Reply, Silence


@contextlib.asynccontextmanager
async def _raw_server(answer):
    """Says ``answer`` to everybody who says anything, and hangs up."""

    async def serve(reader, writer):
        if not (await reader.read(1)).startswith(b"\x16"):  # a TLS handshake is only dropped
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        else:
            writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
    ],
)
async def test_what_does_not_speak_http_is_given_up(client, answer, clock):
    """A port that belongs to something else is an error before long."""
    async with _raw_server(answer) as host:
        place = client.repository(parse_reference(f"{host}/okd/a"))
        with pytest.raises(RegistryUnavailable, match="given up after"):
            await place.manifests.tags()
    assert clock.monotonic() <= 300


async def test_content_that_ends_too_early_is_doubted(client, clock):
    """A registry that ends a blob properly and too early is not asked for long."""
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    async with _raw_server(answer) as host:
        place = client.repository(parse_reference(f"{host}/okd/a"))
        with pytest.raises(RegistryUnavailable, match="ends the content too early"):
            async for _chunk in place.blobs.read(blob_of(b"abcdef", "x")):
                pass
    assert clock.monotonic() <= 15


async def test_nobody_at_the_port(client, clock):
    """A refused connection is tried again for a while: the registry may be starting."""
    place = client.repository(parse_reference("127.0.0.1:1/okd/a"))
    with pytest.raises(RegistryUnavailable, match=r"no connection to 127\.0\.0\.1:1"):
        await place.manifests.tags()
    assert 5 < clock.monotonic() <= 15


async def test_a_mirror_that_never_answers_is_left_soon(clock):
    """Another place is there to be asked."""
    rule = MirrorRule(prefix="source.test", mirrors=(Mirror("127.0.0.1:1/copies"),))
    settings = RegistrySettings(mirrors=MirrorRules(rules=(rule,)))
    async with RegistryClient(settings, clock=clock) as client:
        place = client.repository(parse_reference("127.0.0.1:1/copies/a"))
        with pytest.raises(RegistryUnavailable, match=r"no connection to 127\.0\.0\.1:1"):
            await place.manifests.tags()
    assert 0 < clock.monotonic() <= 3


async def test_an_unknown_name_is_named(client, clock):
    """A misspelt registry is an error that says which name is wrong."""
    place = client.repository(parse_reference("registry.invalid/okd/a"))
    with pytest.raises(RegistryUnavailable, match=r"registry\.invalid"):
        await place.manifests.tags()
    assert clock.monotonic() <= 15


async def test_a_name_that_cannot_be_is_refused(client):
    """The grammar of references allows names that no network knows."""
    place = client.repository(parse_reference("a" * 64 + ".example/okd/a"))
    with pytest.raises(RegistryRefused, match="is not the name of a host"):
        await place.manifests.tags()


async def test_a_proxy_that_refuses_is_named(server, clock, monkeypatch):
    """The error speaks of the proxy, and does not repeat its password."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:hunter2@{server.host}")
    async with RegistryClient(clock=clock) as client:
        place = client.repository(parse_reference("registry.invalid/okd/a"))
        with pytest.raises(
            RegistryUnavailable, match=r"the proxy refuses .* registry.invalid"
        ) as caught:
            await place.manifests.tags()
    assert "hunter2" not in str(caught.value) + repr(caught.value.__cause__)
    assert "HTTPS_PROXY" in caught.value.hint


@pytest.mark.parametrize(
    "location",
    [
        "",
        "/a place",
        "http://a..b/x",
        "http://[zz]/",
        "http://1.2.3.4.5/",
        "http://ü.invalid/",
        "http://xn--/",
        "http://../",
        "http://host:abc/",
        "https://me:hunter2@127.0.0.1/",
        "file:///etc/passwd",
    ],
)
async def test_redirects_to_nowhere_are_refused(server, open_path, location):
    """Wherever an answer leads, the error is one of a registry and repeats no secret."""
    server.faults.add(Reply(path="/manifests/", status=307, headers={"Location": location}))
    with pytest.raises(RegistryRefused) as caught:
        await open_path("okd/a").manifests.get("v1")
    assert "hunter2" not in str(caught.value)


async def test_a_lenient_host_may_lack_tls(server, clock):
    """What registries.conf calls insecure is asked without TLS when it speaks none."""
    host = server.host.replace("127.0.0.1", "0.0.0.0")  # the same place, and no loopback address
    place = parse_reference(f"{host}/okd/a")
    async with RegistryClient(clock=clock) as client:
        with pytest.raises(RegistryUnavailable, match="does not speak TLS"):
            await client.repository(place).manifests.tags()
    settings = RegistrySettings(lenient_hosts=frozenset({host}))
    async with RegistryClient(settings, clock=clock) as client:
        assert await client.repository(place).manifests.tags() == []


async def test_only_the_registry_itself_may_lack_tls(server, open_path):
    """Where a redirect names https, plain http is no way out."""
    place = open_path("okd/a")
    assert await place.manifests.tags() == []
    away = {"Location": f"https://{server.storage_host}/x"}
    server.faults.add(Reply(path="/manifests/", status=307, headers=away))
    with pytest.raises(RegistryUnavailable, match="does not speak TLS") as caught:
        await place.manifests.get("v1")
    assert f"--plain-http {server.storage_host}" in caught.value.hint


async def test_a_redirect_to_something_else_is_no_manifest(server, open_path):
    """What stands at the end of a redirect is checked like everything else."""
    server.faults.add(
        Reply(path="/manifests/", status=302, headers={"Location": "/elsewhere"}),
        Reply(path="/elsewhere", status=200, body=b"{}", headers={"Content-Type": "text/plain"}),
    )
    with pytest.raises(ContentError, match="okd/a:v1"):
        await open_path("okd/a").manifests.get("v1")


async def test_writes_are_not_redirected(server, open_path):
    """What writes goes to the registry itself or nowhere."""
    away = {"Location": "/elsewhere"}
    server.faults.add(Reply(method="PUT", path="/manifests/", status=307, headers=away))
    with pytest.raises(RegistryRefused, match="307 Temporary Redirect"):
        await push_image(open_path("okd/a"), tag="v1")


async def test_cancelling_ends_at_once(server, open_path, client):
    """A task that is cancelled while a registry is silent leaves everything usable."""
    server.faults.add(Silence(path="/tags/"))
    place = open_path("okd/a")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await place.manifests.tags()
    assert await place.manifests.tags() == []


async def test_repositories_of_one_name_are_one(client):
    """What is learnt about a repository is not learnt twice."""
    reference = parse_reference("quay.io/okd/a:v1")
    assert client.repository(reference) is client.repository(reference.with_tag("v2"))
    assert client.repository(reference).name == "quay.io/okd/a"


@pytest.mark.parametrize(
    ("host", "listed", "expected"),
    [
        ("quay.io", {"quay.io"}, True),
        ("quay.io:443", {"quay.io"}, True),
        ("quay.io", {"quay.io:443"}, False),
        ("[fd00::1]:5000", {"fd00::1"}, True),
        ("x.quay.io", {"quay.io"}, False),
        ("x.quay.io", {EVERY_HOST}, True),
        ("quay.io", set(), False),
    ],
)
def test_hosts_are_listed_with_and_without_a_port(host, listed, expected):
    """A host that is listed without a port stands for all its ports, a star for all hosts."""
    assert lists_host(listed, host) is expected


def test_the_name_of_a_host_has_no_port():
    """Ports and the brackets of IPv6 are no part of a name."""
    assert [host_name(host) for host in ("a:1", "a", "[::1]:5", "[::1]")] == [
        "a",
        "a",
        "::1",
        "::1",
    ]


async def test_absent_is_absent_on_any_host(server, clock):
    """A host that the user allowed plain http for is spoken to without a TLS handshake."""
    settings = RegistrySettings(plain_http_hosts=frozenset({server.host}))
    async with RegistryClient(settings, clock=clock) as client:
        with pytest.raises(NotFound):
            await client.repository(parse_reference(f"{server.host}/a")).manifests.get("v1")
    assert len(server.requests) == 1


async def test_a_host_that_is_waited_for_is_named(server, clock):
    """However many requests wait for it, listeners hear of it now and then."""
    heard = []
    server.faults.add(Reply(status=503, times=60))
    settings = RegistrySettings(plain_http_hosts=frozenset({"127.0.0.1"}))
    async with RegistryClient(settings, clock=clock, progress=heard.append) as client:
        place = client.repository(parse_reference(f"{server.host}/okd/a"))
        await asyncio.gather(*(place.manifests.tags() for _ in range(8)), return_exceptions=True)
    assert {event.subject for event in heard} == {server.host}
    assert all("503" in event.reason for event in heard)
    assert 1 <= len(heard) <= clock.monotonic() / 10 + 1
