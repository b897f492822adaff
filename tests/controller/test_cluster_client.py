# SPDX-License-Identifier: Apache-2.0
"""The cluster of these tests refuses what real ones refuse: or else it would hold nothing."""

from __future__ import annotations

import msgspec
import pytest
from cluster_client import Refused, look, look_everywhere

from okd_payload.oci.digest import digest_of


def node(version: str, **fields: object) -> dict[str, object]:
    """A sound node."""
    return {
        "version": version,
        "payload": f"quay.test/okd/release@{digest_of(version.encode())}",
    } | fields


RISK = {"url": "https://x.test", "name": "A", "message": "m", "matchingRules": [{"type": "Always"}]}
STEP = {"from": "4.18.0", "to": "4.18.1"}
NODES = [node("4.18.0"), node("4.18.1"), node("4.18.2")]


def with_risks(*risks: dict[str, object]) -> dict[str, object]:
    """One conditional update with ``risks``."""
    return {"nodes": NODES, "edges": [], "conditionalEdges": [{"edges": [STEP], "risks": risks}]}


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        ({"nodes": [node("mine")], "edges": []}, "no version"),
        ({"nodes": [node("4.18.0+a"), node("4.18.0+b")], "edges": []}, "the same version"),
        ({"nodes": [node("4.18.0", metadata={"url": "http://[::1"})], "edges": []}, "parsed"),
        ({"nodes": [node("4.18.0", metadata={"url": "https://x:y/"})], "edges": []}, "parsed"),
        ({"nodes": NODES, "edges": [[0, 3]]}, "leads out"),
        ({"nodes": NODES, "edges": [[0, 1, 2]]}, "length"),
        ({"nodes": [NODES[0], node("4.18.1", payload="")], "edges": [[0, 1]]}, "pulled"),
        (with_risks(RISK) | {"edges": [[0, 1]]}, "the same image"),
        (with_risks(), "no risk"),
        (with_risks(RISK, RISK), "not unique"),
        (with_risks(RISK | {"name": "two words"}), "no reason"),
        (with_risks(RISK | {"url": "read it"}), "no address"),
        (with_risks(RISK | {"matchingRules": [{"type": "PromQL"}]}), "no rule"),
        (with_risks(RISK | {"matchingRules": [{"type": "Never"}]}), "no rule"),
        (
            {
                "nodes": NODES,
                "edges": [],
                "conditionalEdges": [
                    {"edges": [STEP], "risks": [RISK]},
                    {"edges": [STEP | {"to": "4.18.2"}], "risks": [RISK | {"message": "n"}]},
                ],
            },
            "two risks",
        ),
        (with_risks(RISK) | {"nodes": NODES[:1]}, "no node"),
    ],
)
def test_clusters_refuse_what_is_wrong(graph: dict[str, object], words: str) -> None:
    """With the reason that its operator or its API server has."""
    with pytest.raises(Refused, match=words):
        look_everywhere(msgspec.json.encode(graph))


def test_clusters_take_what_is_right() -> None:
    """The updates that are recommended, and those that are tied to a risk."""
    offers = look(msgspec.json.encode(with_risks(RISK) | {"edges": [[0, 2]]}), "4.18.0")
    assert list(offers.updates) == ["4.18.2"]
    assert [risk.name for risk in offers.conditional["4.18.1"]] == ["A"]
