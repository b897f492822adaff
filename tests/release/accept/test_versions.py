# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import msgspec
import pytest

from okd_payload.release.accept.model import Outcome, Side, UpdateRequest, conclude
from okd_payload.release.accept.versions import (
    check_architecture,
    check_edge,
    check_versions,
    parse_update_graph,
)
from okd_payload.release.cluster.payload import LoadedPayload, load_payload
from okd_payload.release.cluster.settings import ClusterSettings
from okd_payload.release.cluster.tree import PayloadFolder, PayloadTree

_EXPLICIT = UpdateRequest(allow_explicit=True)


def _payload(version, **metadata):
    facts = {"kind": "cincinnati-metadata-v0", "version": version, **metadata}
    stream = {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": version},
    }
    files = {
        "release-metadata": msgspec.json.encode(facts),
        "image-references": msgspec.json.encode(stream),
    }
    tree = PayloadTree(own=PayloadFolder(), release=PayloadFolder(files=files))
    found = load_payload(tree, ClusterSettings(), release_image="x")
    assert isinstance(found, LoadedPayload)
    return found


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("4.19.9", "4.19.9", ""),
        ("4.19.9", "4.20.0-rc.1", ""),
        ("4.19.9", "4.19.9+build", ""),
        ("4.19.9", "4.19.9-rc.1", "LowDesiredVersion"),
        ("4.19.9", "4.18.0", "LowDesiredVersion"),
        ("4.19.9", "4.21.0", "MultipleMinorVersionsUpdate"),
        ("4.22.0", "5.0.0", ""),
        ("4.22.0", "5.1.0", "or to 5.0 are supported"),
        ("5.0.0", "6.0.0", "within the current major version are supported"),
        ("4.22.0", "6.0.0", "MajorVersionUpdate"),
    ],
)
def test_preconditions(old, new, reason):
    """Neither back nor too far: the operator's own preconditions."""
    check = check_versions(_payload(old), _payload(new), UpdateRequest())
    assert (check.outcome is Outcome.REFUSED) == bool(reason)
    assert reason in check.message


def test_edges_of_both_releases():
    """The update may name the running release, or the other way round."""
    old, new = _payload("4.19.9", next=["4.19.10"]), _payload("4.19.10")
    assert check_edge(old, new, UpdateRequest()).outcome is Outcome.PASSED
    old, new = _payload("4.19.9"), _payload("4.19.10", previous=["4.19.9"])
    assert check_edge(old, new, UpdateRequest()).outcome is Outcome.PASSED
    assert check_edge(old, old, UpdateRequest()).outcome is Outcome.PASSED


def test_the_graph_has_the_last_word():
    """With a graph, what the releases say does not count."""
    graph = parse_update_graph(b'{"nodes": [{"version": "4.19.9"}], "edges": []}', origin="x")
    old, new = _payload("4.19.9"), _payload("4.19.10", previous=["4.19.9"])
    check = check_edge(old, new, UpdateRequest(), graph)
    assert (check.outcome, check.reason) == (Outcome.REFUSED, "InvalidClusterVersion")
    assert check_edge(old, new, _EXPLICIT, graph).outcome is Outcome.NOTED


def _side(architecture, *, is_list=False):
    tree = PayloadTree(own=None, release=None)
    return Side(name="x", tree=tree, digest="sha256:1", architecture=architecture, is_list=is_list)


_MULTI = {"metadata": {"release.openshift.io/architecture": "multi"}}


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [
        (("amd64", {}, "1.0.0"), ("amd64", {}, "1.0.1"), "passed"),
        (("amd64", {}, "1.0.0"), ("arm64", {}, "1.0.1"), "refused"),
        (("amd64", {}, "1.0.0"), ("", {}, "1.0.1"), "passed"),
        (("amd64", {}, "1.0.0"), ("list", _MULTI, "1.0.0"), "passed"),
        (("amd64", {}, "1.0.0"), ("list", _MULTI, "1.0.1"), "refused"),
        (("list", _MULTI, "1.0.0"), ("list", _MULTI, "1.0.1"), "passed"),
        (("list", _MULTI, "1.0.0"), ("amd64", _MULTI, "1.0.1"), "refused"),
        (("list", _MULTI, "1.0.0"), ("amd64", {}, "1.0.1"), "refused"),
    ],
)
def test_architectures(old, new, outcome):
    """From one architecture to all at the same version, and never back."""
    sides = [
        _side("amd64" if kind == "list" else kind, is_list=kind == "list")
        for kind, _, _ in (old, new)
    ]
    payloads = [_payload(version, **metadata) for _, metadata, version in (old, new)]
    check = check_architecture(sides[0], sides[1], payloads[0], payloads[1])
    assert check.outcome.value == outcome


def test_the_folder_of_an_update():
    """A cluster unpacks an update where its pull spec says, which messages tell."""
    side = msgspec.structs.replace(_side("amd64"), pull_spec="q.test/r@sha256:1")
    assert side.folder == "/etc/cvo/updatepayloads/E2THe1_hu-LtPIAIdxi1lQ"
    assert conclude("x").outcome is Outcome.PASSED
