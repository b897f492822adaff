# SPDX-License-Identifier: Apache-2.0
"""``release accept`` as it is used: releases in a registry, signatures and a graph on the web."""

from __future__ import annotations

import json

import pytest

from okd_payload.cli.main import main
from okd_payload.testing.document_server import DocumentServer

pytestmark = pytest.mark.integration


@pytest.fixture
def web():
    """A web server."""
    with DocumentServer() as server:
        yield server


@pytest.fixture
def push(docker_registry, tmp_path):
    """Copies a release and its images to the registry; gives the release's repository."""

    def push_release(location, tag):
        repository = f"{docker_registry}/accept/{tmp_path.name.lower()}"
        assert main(["copy", location, f"{repository}:{tag}"]) == 0
        return repository

    return push_release


def test_everything_over_the_network(make, keys, sign, accept, push, web, tmp_path):
    """By digest the update is taken, by tag it is not, and the graph has the last word."""
    old = push(make("4.19.9", {"0000_90_keys.yaml": keys(f"{web.url}/store")}), "4.19.9")
    new = make("4.19.10", previous=["4.19.9"])
    sign(new)
    repository = push(new, "4.19.10")
    store = tmp_path / "store"
    (signature,) = store.rglob("signature-1")
    digest = signature.parent.name.replace("=", ":")
    web.documents[f"/store/{signature.relative_to(store)}"] = signature.read_bytes()
    images = ("--content", f"oci:{tmp_path / 'images'}")
    running = f"{old}:4.19.9"
    code, outcomes, issues, printed = accept(f"{repository}@{digest}", *images, old=running)
    assert code == 0, issues
    assert printed["image"] == f"{repository}@{digest}"
    assert f"/store/{signature.relative_to(store)}" in web.requests

    code, outcomes, issues, _ = accept(f"{repository}:4.19.10", *images, old=running)
    assert (code, outcomes["digest"], outcomes["signature"]) == (1, "refused", "passed")
    assert issues["update-not-by-digest"]["hint"] == f"ask for {repository}@{digest}"

    nodes = [{"version": "4.19.9"}, {"version": "4.19.10", "payload": f"{repository}@{digest}"}]
    risks = [{"name": "SlowDisks", "message": "disks get slow", "url": "", "matchingRules": []}]
    web.documents["/graph"] = json.dumps(
        {
            "nodes": nodes,
            "edges": [],
            "conditionalEdges": [{"edges": [{"from": "4.19.9", "to": "4.19.10"}], "risks": risks}],
        }
    ).encode()
    graph = ("--graph", f"{web.url}/graph")
    code, outcomes, issues, _ = accept("4.19.10", *graph, *images, old=running)
    assert (code, outcomes["edge"]) == (0, "noted")
    assert issues["conditional-update"]["message"] == "SlowDisks: disks get slow"
    web.documents["/graph"] = json.dumps({"nodes": nodes, "edges": []}).encode()
    code, outcomes, _, _ = accept("4.19.10", *graph, *images, old=running)
    assert (code, outcomes["edge"]) == (1, "refused")


def test_a_graph_in_a_file(make, sign, accept, push, tmp_path):
    """A graph in a file names releases and their edges as one on the web does."""
    new = make("4.19.10")
    sign(new)
    repository = push(new, "4.19.10")
    graph = tmp_path / "graph.json"
    nodes = [{"version": "4.19.9"}, {"version": "4.19.10", "payload": f"{repository}:4.19.10"}]
    graph.write_text(json.dumps({"nodes": nodes, "edges": [[0, 1]]}))
    code, outcomes, issues, _ = accept(
        "4.19.10", "--graph", graph, "--content", f"oci:{tmp_path / 'images'}"
    )
    assert (code, outcomes["edge"]) == (0, "passed"), issues
