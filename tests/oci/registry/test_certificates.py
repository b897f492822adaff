# SPDX-License-Identifier: Apache-2.0
"""TLS: who is trusted, and who we say we are. The certificates are made by openssl."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from pathlib import Path

import pytest
from certificate_keys import make_keys, run_openssl, server_context

from okd_payload.errors import InvalidDocument, RegistryError, RegistryUnavailable
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.testing.images import push_image
from okd_payload.testing.registry_server import RegistryServer


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> Path:
    """A folder with an authority, a server's certificate and a client's."""
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def tls(keys) -> ssl.SSLContext:
    """What a server with the certificate speaks."""
    return server_context(keys)


async def _use(server, clock, **settings):
    """Push and pull something with a client of these settings."""
    settings.setdefault("certificate_folders", ())
    async with RegistryClient(RegistrySettings(**settings), clock=clock) as client:
        repository = client.repository(parse_reference(f"{server.host}/okd/a"))
        image = await push_image(repository, tag="v1")
        assert await repository.manifests.get("v1") == image


def _folder(parent, host, keys, *names):
    folder = parent / host
    folder.mkdir(parents=True)
    for name in names:
        shutil.copy(keys / name, folder)
    return parent


async def test_an_unknown_authority_is_not_trusted(tls, clock):
    """The error comes at once, names the host and says where its authority goes."""
    async with RegistryServer(tls=tls) as server:
        with pytest.raises(RegistryUnavailable, match="is not trusted: ") as caught:
            await _use(server, clock)
        assert f"certs.d/{server.host}/ca.crt" in caught.value.hint
        assert server.requests == []
        assert clock.waits == []


async def test_an_authority_may_be_named(tls, clock, keys):
    """A file of further roots makes the host trusted."""
    async with RegistryServer(tls=tls) as server:
        await _use(server, clock, certificate_authority=keys / "ca.crt")


async def test_system_roots_count_on_loopback_too(tls, clock, keys, monkeypatch):
    """A loopback host whose authority the system trusts is trusted, though roots are read late."""
    monkeypatch.setenv("SSL_CERT_FILE", str(keys / "ca.crt"))
    async with RegistryServer(tls=tls) as server:
        await _use(server, clock)


async def test_named_authorities_add_to_the_system_roots(keys):
    """Whoever adds an authority still trusts all others."""
    from okd_payload.oci.registry.certificates import Certificates

    plain = Certificates(RegistrySettings(certificate_folders=())).context("quay.io")
    settings = RegistrySettings(certificate_folders=(), certificate_authority=keys / "ca.crt")
    context = Certificates(settings).context("quay.io")
    assert context.cert_store_stats()["x509"] == plain.cert_store_stats()["x509"] + 1
    assert context.verify_mode is ssl.CERT_REQUIRED


async def test_certificate_folders_are_per_host(tls, clock, keys, tmp_path):
    """The folder of a host counts for that host, port included, and for no other."""
    async with RegistryServer(tls=tls) as server:
        with pytest.raises(RegistryUnavailable):
            other = _folder(tmp_path / "other", "127.0.0.1:1", keys, "ca.crt")
            await _use(server, clock, certificate_folders=(other,))
        own = _folder(tmp_path / "own", server.host, keys, "ca.crt")
        await _use(server, clock, certificate_folders=(tmp_path / "absent", own))


@pytest.mark.parametrize("setting", ["insecure_hosts", "lenient_hosts"])
@pytest.mark.parametrize("as_name", [True, False])
async def test_verification_is_off_where_the_user_says(tls, clock, as_name, setting):
    """A host that is listed, with its port or without, is spoken to whatever it shows."""
    async with RegistryServer(tls=tls) as server:
        host = "127.0.0.1" if as_name else server.host
        await _use(server, clock, **{setting: frozenset({host})})


async def test_a_client_certificate_is_shown(tls, clock, keys, tmp_path):
    """A pair of .cert and .key in the folder of a host is our identity there."""
    tls.load_verify_locations(keys / "ca.crt")
    tls.verify_mode = ssl.CERT_REQUIRED
    async with RegistryServer(tls=tls) as server:
        with pytest.raises(RegistryError):
            await _use(server, clock, certificate_authority=keys / "ca.crt")
        folder = _folder(tmp_path, server.host, keys, "ca.crt", "client.cert", "client.key")
        await _use(server, clock, certificate_folders=(folder,))


@pytest.mark.parametrize("broken", ["ca.crt", "client.cert", "client.key"])
async def test_a_broken_certificate_is_named(tls, clock, keys, tmp_path, broken):
    """A file that is no certificate, or a certificate without its key, is an error by name."""
    async with RegistryServer(tls=tls) as server:
        folder = _folder(tmp_path, server.host, keys, "ca.crt", "client.cert", "client.key")
        (folder / server.host / broken).write_text("nonsense")
        named = broken.replace(".key", ".cert")
        with pytest.raises(InvalidDocument, match=rf"{server.host}/{named}: not a"):
            await _use(server, clock, certificate_folders=(folder,))


async def test_a_key_with_a_password_does_not_ask_the_terminal(tls, clock, keys, tmp_path):
    """Nobody is there to type: a protected key is an error."""
    async with RegistryServer(tls=tls) as server:
        folder = _folder(tmp_path, server.host, keys, "ca.crt", "client.cert")
        protected = (
            "-aes128",
            "-passout",
            "pass:x",
            "-out",
            str(folder / server.host / "client.key"),
        )
        run_openssl(keys, "ec", "-in", "client.key", *protected)
        with pytest.raises(InvalidDocument, match="protected by a password"):
            await _use(server, clock, certificate_folders=(folder,))


async def test_plain_http_needs_permission(server, clock, monkeypatch):
    """A host outside of this machine that speaks plain http is refused unless it is listed."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    async with RegistryClient(RegistrySettings(doubtful_deadline=1), clock=clock) as client:
        repository = client.repository(parse_reference("registry.invalid/okd/a"))
        with pytest.raises(RegistryUnavailable, match=r"the proxy before registry.invalid"):
            await repository.manifests.tags()
    assert server.requests == []


async def test_requests_side_by_side_fall_back_together(server, clock):
    """When many requests meet a plain host at once, none fails because another was first."""
    for _ in range(3):
        async with RegistryClient(clock=clock) as client:
            repository = client.repository(parse_reference(f"{server.host}/okd/a"))
            answers = await asyncio.gather(*(repository.manifests.tags() for _ in range(16)))
            assert answers == [[]] * 16


async def test_loopback_falls_back_to_plain_http(server):
    """A registry on this machine needs no certificate: what speaks no TLS is asked without."""
    named = server.host.replace("127.0.0.1", "localhost")
    async with RegistryClient() as client:
        for host in (server.host, named):
            repository = client.repository(parse_reference(f"{host}/okd/a"))
            assert await repository.manifests.tags() == []
