# SPDX-License-Identifier: Apache-2.0
"""Update graphs as Cincinnati servers give them: which versions exist, and their images.

Only what finds a release by its version is read here: nodes with version and payload. A graph is
asked for by channel; where the address says none, the channels that a release can be in are
those of its own minor version, whatever its major version is.
"""

from __future__ import annotations

import re

import msgspec

from okd_payload.errors import ContentError, UnknownName
from okd_payload.oci.foreign_json import decode_json

MAX_GRAPH_BYTES = 64 * 1024 * 1024
"""Bound on the document; the largest channels of the field have less than one MiB."""

_KINDS = ("fast", "stable", "candidate")
"""Kinds of channels in the order in which they are asked."""
_MINOR = re.compile(r"([0-9]+\.[0-9]+)\.[0-9]+")


class Node(msgspec.Struct, frozen=True):
    """A release in the graph."""

    version: str
    payload: str = ""
    metadata: dict[str, str] = {}


class Graph(msgspec.Struct, frozen=True):
    """An update graph, without its edges."""

    nodes: tuple[Node, ...] = ()


def parse_graph(content: bytes, *, origin: str) -> Graph:
    """The graph in ``content``. Raises ContentError."""
    return decode_json(content, Graph, what=f"the update graph of {origin}")


def find_payload(graph: Graph, version: str, *, origin: str) -> str:
    """The pull spec of the release ``version``. Raises UnknownName and ContentError."""
    for node in graph.nodes:
        if node.version == version:
            if not node.payload:
                raise ContentError(
                    f"the update graph of {origin} has no image for {version}",
                    hint="name the release by its pull spec",
                )
            return node.payload
    raise UnknownName(
        "release",
        version,
        known=[node.version for node in graph.nodes],
        hint=f"the update graph of {origin} has {len(graph.nodes)} other releases",
    )


def graph_addresses(url: str, version: str, *, architecture: str = "") -> list[str]:
    """The addresses at which ``url`` may tell of ``version``, in the order to ask them."""
    base = _with_query(url, "arch", architecture) if architecture else url
    minor = _MINOR.match(version)
    if minor is None or re.search(r"[?&]channel=", url):
        return [base]
    return [_with_query(base, "channel", f"{kind}-{minor[1]}") for kind in _KINDS]


def _with_query(url: str, name: str, value: str) -> str:
    if re.search(rf"[?&]{name}=", url):
        return url
    return f"{url}{'&' if '?' in url else '?'}{name}={value}"
