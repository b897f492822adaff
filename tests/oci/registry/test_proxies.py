# SPDX-License-Identifier: Apache-2.0
"""The proxy variables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from okd_payload.errors import InputError
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.oci.registry.proxies import Proxies, is_loopback
from okd_payload.testing.images import push_image

PROXY = "http://proxy.example.com:3128"


def _find(url, **environment):
    found = Proxies(environment).find(URL(url))
    return None if found is None else str(found)


def test_each_scheme_has_its_proxy():
    """HTTPS_PROXY is for https, HTTP_PROXY for http, lower case names count first."""
    assert _find("https://quay.io/v2/", HTTPS_PROXY=PROXY) == PROXY
    assert _find("http://quay.io/v2/", HTTPS_PROXY=PROXY) is None
    assert _find("http://quay.io/v2/", HTTP_PROXY="other:1", http_proxy=PROXY) == PROXY
    assert _find("https://quay.io/v2/") is None


def test_a_proxy_needs_no_scheme():
    """A bare host and port is an http proxy."""
    assert _find("https://quay.io/", HTTPS_PROXY="proxy:3128") == "http://proxy:3128"


@pytest.mark.parametrize(
    ("exceptions", "direct"),
    [
        ("*", True),
        ("example.com", True),
        (".example.com", True),
        ("*.example.com", True),
        ("EXAMPLE.com ", True),
        ("quay.io, reg.example.com", True),
        ("quay.io reg.example.com", True),
        ("reg.example.com:5000", True),
        ("reg.example.com:443", False),
        ("ample.com", False),
        ("reg.example.com.org", False),
        (".reg.example.com", False),
        ("", False),
        (",,", False),
        ("10.0.0.0/8", False),
    ],
)
def test_exceptions_by_name(exceptions, direct):
    """Domains cover what is below them, a leading dot only that, a port only itself."""
    found = _find("https://reg.example.com:5000/v2/", HTTPS_PROXY=PROXY, NO_PROXY=exceptions)
    assert (found is None) == direct


@pytest.mark.parametrize(
    ("host", "exceptions", "direct"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.3:443", True),
        ("10.1.2.3", "10.1.2.3:80", False),
        ("10.1.2.3", "192.168.0.0/16", False),
        ("10.1.2.3", "1.2.3", False),
        ("[fd00::1]", "fd00::/8", True),
        ("[fd00::1]", "[fd00::1]:443", True),
        ("[fd00::1]", "fd00::1", True),
        ("[fd00::1]", "10.0.0.0/8", False),
    ],
)
def test_exceptions_by_address(host, exceptions, direct):
    """Addresses are excepted one by one or by network, as clusters write them."""
    found = _find(f"https://{host}/v2/", HTTPS_PROXY=PROXY, NO_PROXY=exceptions)
    assert (found is None) == direct


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_this_machine_is_reached_directly(host):
    """No proxy can lead back to our own loopback network."""
    assert _find(f"https://{host}:5000/", HTTPS_PROXY=PROXY) is None


@pytest.mark.parametrize("name", ["localhost.example.com", "quay.io", "128.0.0.1", "fd00::1", ""])
def test_others_are_not_this_machine(name):
    """Only names and addresses of the loopback network are this machine."""
    assert not is_loopback(name)


@pytest.mark.parametrize("text", ["socks5://me:hunter2@proxy:1080", "http://", "http://[x"])
def test_an_unusable_proxy_is_named_and_not_quoted(text):
    """The error names the variable; its value may hold a password."""
    with pytest.raises(InputError, match="HTTPS_PROXY") as caught:
        Proxies({"HTTPS_PROXY": text})
    assert "hunter2" not in str(caught.value)


@given(st.text(max_size=60))
def test_any_exceptions_can_be_read(text):
    """Whatever NO_PROXY holds, a host has a proxy or has none."""
    assert _find("https://10.0.0.1/", HTTPS_PROXY=PROXY, NO_PROXY=text) in (None, PROXY)
    assert _find("https://quay.io/", HTTPS_PROXY=PROXY, NO_PROXY=text) in (None, PROXY)


async def test_requests_go_through_the_proxy(server, monkeypatch):
    """With a proxy set, a host that only the proxy can reach is reached."""
    monkeypatch.setenv("HTTP_PROXY", f"http://{server.host}")
    settings = RegistrySettings(plain_http_hosts=frozenset({"registry.invalid"}))
    async with RegistryClient(settings) as client:
        repository = client.repository(parse_reference("registry.invalid/okd/a"))
        image = await push_image(repository, tag="v1")
        assert await repository.manifests.get("v1") == image
    assert {item.host for item in server.requests} == {"registry.invalid"}
