# SPDX-License-Identifier: Apache-2.0
"""Where an answer sends us next."""

from __future__ import annotations

import pytest
from yarl import URL

from okd_payload.errors import RegistryRefused
from okd_payload.oci.registry.settings import RegistrySettings
from okd_payload.oci.registry.urls import add_query, resolve, same_origin

BASE = URL("https://reg.example.com:5000/v2/a/blobs/uploads/")


def _go(target, base=BASE, **settings):
    return str(resolve(target, base=base, settings=RegistrySettings(**settings)))


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/v2/a/x?b=c", "https://reg.example.com:5000/v2/a/x?b=c"),
        ("x?_state=a%2Fb%3D", "https://reg.example.com:5000/v2/a/blobs/uploads/x?_state=a%2Fb%3D"),
        ("?n=2", "https://reg.example.com:5000/v2/a/blobs/uploads/?n=2"),
        ("//cdn.example.com/x", "https://cdn.example.com/x"),
        ("https://cdn.example.com/x?sig=%2B", "https://cdn.example.com/x?sig=%2B"),
        ("http://reg.example.com/x%20y?q=%2F", "https://reg.example.com:5000/x%20y?q=%2F"),
        ("http://reg.example.com:5000/x", "https://reg.example.com:5000/x"),
    ],
)
def test_targets_are_resolved(target, expected):
    """Relative and absolute targets are followed, their encoding and our scheme kept."""
    assert _go(target) == expected


@pytest.mark.parametrize(
    "target", ["", "ftp://x/y", "http://[x", "https://me:pw@x/y", "https://x:99999/"]
)
def test_what_is_no_place_is_refused(target):
    """A target that is no address is an error, and nothing secret of it is repeated."""
    with pytest.raises(RegistryRefused, match=r"reg.example.com leads to a place") as caught:
        _go(target)
    assert "pw" not in str(caught.value)


def test_the_query_of_a_refused_target_is_not_repeated():
    """Signed addresses are secrets."""
    with pytest.raises(RegistryRefused) as caught:
        _go("ftp://x/y?signature=secret")
    assert "secret" not in str(caught.value)


def test_no_way_leads_out_of_tls():
    """After https nothing is sent in the clear to others, unless the user listed them."""
    with pytest.raises(RegistryRefused, match="from https to plain http at minio:9000"):
        _go("http://minio:9000/x")
    allowed = frozenset({"minio"})
    assert _go("http://minio:9000/x", plain_http_hosts=allowed) == "http://minio:9000/x"
    plain = URL("http://reg.example.com/")
    assert _go("http://minio:9000/x", base=plain) == "http://minio:9000/x"


def test_origins_are_scheme_host_and_port():
    """What is secret goes to the same origin only."""
    assert same_origin(URL("https://a/x"), URL("https://a:443/y"))
    for other in ("http://a", "https://b", "https://a:5000", "https://a.b"):
        assert not same_origin(URL("https://a"), URL(other))


@pytest.mark.parametrize("query", ["", "?_state=a%2Fb"])
def test_a_parameter_is_added(query):
    """What is there keeps its encoding, which may be signed."""
    url = URL(f"https://a/x{query}", encoded=True)
    joint = "&" if query else "?"
    assert (
        str(add_query(url, "digest", "sha256:0")) == f"https://a/x{query}{joint}digest=sha256%3A0"
    )
