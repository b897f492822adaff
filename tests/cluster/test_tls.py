# SPDX-License-Identifier: Apache-2.0
"""Servers with certificates: trusted, of another name, asking for ours, and not trusted."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import ipaddress
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from scripted_api import ScriptedApi, document, kubeconfig

from okd_payload.cluster import kinds
from okd_payload.cluster.connection import _lively_socket
from okd_payload.cluster.lightkube_cluster import open_cluster
from okd_payload.errors import ClusterUnavailable
from okd_payload.testing.clock import ManualClock


def certificate(*names):
    """A certificate that signs itself, and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    alternatives = [
        x509.IPAddress(ipaddress.ip_address(text)) if text[0].isdigit() else x509.DNSName(text)
        for text in names
    ]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return signed.public_bytes(serialization.Encoding.PEM), secret


def encoded(content):
    """As kubeconfigs hold files."""
    return base64.b64encode(content).decode()


@pytest.fixture
async def serve(tmp_path):
    """Starts a server with a certificate; it gives every object."""
    servers = []

    async def start(pair, *, client_authority=None):
        (tmp_path / "server").write_bytes(b"".join(pair))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tmp_path / "server")
        if client_authority:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=client_authority.decode())
        scripted = ScriptedApi()
        scripted.script(document({"metadata": {"name": "x"}}))
        server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0, ssl=context)
        servers.append(server)
        return f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield start
    for server in servers:
        server.close()


async def get(path):
    """One object."""
    async with open_cluster(path, clock=ManualClock(), patience=60) as cluster:
        return await cluster.get(kinds.POD, "x")


async def test_a_trusted_server(serve, tmp_path):
    """The authority of the kubeconfig is trusted, as a file and as data."""
    pair = certificate("127.0.0.1")
    url = await serve(pair)
    (tmp_path / "ca").write_bytes(pair[0])
    for trust in (
        {"certificate-authority": "ca"},
        {"certificate-authority-data": encoded(pair[0])},
        {"insecure-skip-tls-verify": True},
    ):
        assert await get(kubeconfig(tmp_path / "k", url, cluster=trust))


async def test_a_server_of_another_name(serve, tmp_path):
    """A kubeconfig may say which name the certificate has."""
    pair = certificate("api.test")
    trust = {"certificate-authority-data": encoded(pair[0])}
    url = await serve(pair)
    with pytest.raises(ClusterUnavailable, match="cannot be reached") as raised:
        await get(kubeconfig(tmp_path / "k", url, cluster=trust))
    assert "certificate" in raised.value.hint
    named = {**trust, "tls-server-name": "api.test"}
    assert await get(kubeconfig(tmp_path / "k", url, cluster=named))


async def test_a_server_that_nobody_trusts(serve, tmp_path):
    """A server that is not trusted is told at once, and not asked again and again."""
    url = await serve(certificate("127.0.0.1"))
    clock = ManualClock()
    async with open_cluster(kubeconfig(tmp_path / "k", url), clock=clock) as cluster:
        with pytest.raises(ClusterUnavailable, match="certificate"):
            await cluster.get(kinds.POD, "x")
    assert not clock.waits


async def test_a_certificate_of_ours(serve, tmp_path):
    """A user may be known by a certificate and its key."""
    pair, ours = certificate("127.0.0.1"), certificate("me")
    user = {
        "client-certificate-data": encoded(ours[0]),
        "client-key-data": encoded(ours[1]),
    }
    url = await serve(pair, client_authority=ours[0])
    trust = {"certificate-authority-data": encoded(pair[0])}
    assert await get(kubeconfig(tmp_path / "k", url, user=user, cluster=trust))


def test_dead_peers_are_noticed():
    """Sockets ask for life by themselves: a watch may be silent for minutes."""
    info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))
    with _lively_socket(info) as made:
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
