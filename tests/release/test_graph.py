# SPDX-License-Identifier: Apache-2.0
"""Update graphs: finding the image of a version."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import ContentError, UnknownName
from okd_payload.release.graph import find_payload, graph_addresses, parse_graph

NODES = [
    {"version": "4.20.0", "payload": "q.test/r@sha256:1", "metadata": {"url": "x"}},
    {"version": "5.1.0-okd-scos.0", "payload": "q.test/r@sha256:2", "metadata": None},
    {"version": "4.20.2"},
]


def graph():
    """A graph as servers write it."""
    content = msgspec.json.encode({"version": 1, "nodes": NODES, "edges": [[0, 1]]})
    return parse_graph(content, origin="g")


def test_a_version_leads_to_its_image():
    """Versions of any major number are found."""
    assert find_payload(graph(), "5.1.0-okd-scos.0", origin="g") == "q.test/r@sha256:2"


def test_unknown_versions_offer_near_ones():
    """Whoever mistypes a version sees those that exist."""
    with pytest.raises(UnknownName) as raised:
        find_payload(graph(), "4.20.1", origin="g")
    assert "4.20.0" in raised.value.hint


def test_a_node_without_an_image_is_an_error():
    """A version without a payload is not somebody's typing error."""
    with pytest.raises(ContentError, match=r"has no image for 4\.20\.2"):
        find_payload(graph(), "4.20.2", origin="g")


def test_channels_follow_the_version():
    """Without a channel in the address those of the minor version are asked, of any major."""
    assert graph_addresses("https://g.test/graph", "5.1.0-0", architecture="arm64") == [
        f"https://g.test/graph?arch=arm64&channel={kind}-5.1"
        for kind in ("fast", "stable", "candidate")
    ]


@pytest.mark.parametrize("version", ["4.20.1", "nightly"])
def test_a_channel_in_the_address_is_kept(version):
    """Who names a channel, or an architecture, is asked nothing else."""
    url = "https://g.test/graph?channel=eus-4.20&arch=multi"
    assert graph_addresses(url, version, architecture="arm64") == [url]


def test_names_without_a_minor_version_have_no_channel():
    """A name that is no version is asked for once."""
    assert graph_addresses("https://g.test/graph", "next") == ["https://g.test/graph"]


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_any_bytes_are_a_graph_or_an_error(content):
    """Whatever a server sends, nothing else than ContentError leaves the parser."""
    with contextlib.suppress(ContentError):
        parse_graph(content, origin="g")
