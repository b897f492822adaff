# SPDX-License-Identifier: Apache-2.0
"""What could be promoted next is what was accepted after the last promotion."""

from __future__ import annotations

import msgspec
import pytest

from okd_payload.controller.graph.candidates import find_candidates, increment
from okd_payload.controller.graph.facts import facts_of
from okd_payload.controller.model import Edge, PayloadFacts, Release, RunState
from okd_payload.imagestream.openshift import ObjectMetadata, RawImageStream
from okd_payload.oci.digest import digest_of
from okd_payload.release.metadata import ReleaseMetadata
from okd_payload.release.semver import parse_version

STREAM = "4.20.0-0.okd-scos"


def made(name: str, created: float, phase: str = "Accepted", stream: str = STREAM) -> Release:
    """A release."""
    digest = digest_of(name.encode())
    values = {"created": created, "changed": created, "input_hash": "", "digest": digest}
    return msgspec.convert({"name": name, "stream": stream, "phase": phase} | values, Release)


def facts(name: str, made_from: str) -> PayloadFacts:
    """What a stable payload says of its origin."""
    digest = digest_of(name.encode())
    return PayloadFacts(
        release=name,
        stream="4-stable",
        created=1.0,
        digest=digest,
        pull_spec=f"quay.test/a@{digest}",
        made_from=made_from,
    )


RELEASES = [
    made(f"{STREAM}-1", 1.0),
    made(f"{STREAM}-2", 2.0),
    made(f"{STREAM}-3", 3.0, "Rejected"),
    made(f"{STREAM}-4", 4.0),
    made(f"{STREAM}-5", 5.0),
]
STABLE = [
    made("4.20.0-okd-scos.0", 10.0, stream="4-stable"),
    made("4.20.0-okd-scos.9", 11.0, "Ready", stream="4-stable"),
    made("4.21.0-okd-scos.ec.0", 12.0, stream="4-stable"),
    made("odd", 12.0, stream="4-stable"),
]


@pytest.mark.parametrize(
    "origin",
    [
        f"{STREAM}-2",
        f"quay.test/okd/release:{STREAM}-2",
        f"quay.test/okd/release@{RELEASES[1].digest}",
        "origin/4.20-okd-scos-2",
    ],
)
def test_candidates_are_newer_than_the_last_promotion(origin: str) -> None:
    """However its payload names what it was made of; those that say nothing are passed over."""
    said = {
        "4.20.0-okd-scos.0": facts("4.20.0-okd-scos.0", f"{STREAM}-1"),
        "4.20.0-okd-scos.9": facts("4.20.0-okd-scos.9", origin),
        "4.21.0-okd-scos.ec.0": facts("4.21.0-okd-scos.ec.0", ""),
        "odd": facts("odd", f"{STREAM}-5"),
    }
    tested = [
        Edge(source="a", target=f"{STREAM}-5", run="1", state=RunState.SUCCEEDED, time=1.0),
        Edge(source="b", target=f"{STREAM}-5", run="1", state=RunState.SUCCEEDED, time=1.0),
        Edge(source="b", target=f"{STREAM}-5", run="2", state=RunState.FAILED, time=1.0),
        Edge(source="a", target=f"{STREAM}-5", run="3", state=RunState.QUEUED, time=1.0),
    ]
    found = find_candidates(
        RELEASES, stable=STABLE, facts=said, edges=tested, mirror_prefix="4.20-okd-scos"
    )
    assert found is not None
    assert [each.release.name for each in found] == [f"{STREAM}-5", f"{STREAM}-4"]
    assert {each.name for each in found} == {"4.20.0-okd-scos.10"}
    assert found[0].upgrade_from == ("a",)  # a run that has not begun says nothing yet


def test_without_a_promotion_there_is_no_candidate() -> None:
    """Nobody knows what the next one would be called."""
    assert find_candidates(RELEASES, stable=STABLE, facts={}, edges=[]) is None
    newest = {"4.20.0-okd-scos.9": facts("4.20.0-okd-scos.9", f"{STREAM}-5")}
    assert find_candidates(RELEASES, stable=STABLE, facts=newest, edges=[]) == []


@pytest.mark.parametrize(
    ("version", "following"),
    [
        ("4.20.0-okd-scos.9", "4.20.0-okd-scos.10"),
        ("4.21.0-okd-scos.ec.0", "4.21.0-okd-scos.ec.1"),
        ("4.20.3", "4.20.4"),
        ("4.20.3-rc.a", "4.20.3-rc.a.1"),
        ("4.20.0-0.x", "4.20.0-1.x"),
    ],
)
def test_the_next_version_counts_its_last_number(version: str, following: str) -> None:
    """As whoever promotes counts."""
    assert str(increment(parse_version(version))) == following


def test_foreign_metadata_is_taken_only_where_it_is_text() -> None:
    """A payload may say anything."""
    metadata = ReleaseMetadata(
        version="4.20.0",
        previous=("4.19.0",),
        metadata={"url": ["no"], "release.openshift.io/architecture": "multi"},
    )
    references = RawImageStream(
        metadata=ObjectMetadata(
            annotations={
                "release.openshift.io/from-release": "quay.test/a:b",
                "release.openshift.io/from-image-stream": "c/d",
            }
        )
    )
    digest = digest_of(b"x")
    found = facts_of(
        RELEASES[0],
        digest=digest,
        pull_spec="p",
        metadata=metadata,
        references=references,
        architecture="amd64",
    )
    assert (found.url, found.architecture) == ("", "multi")
    assert (found.made_from, found.previous) == ("quay.test/a:b", ("4.19.0",))
    bare = facts_of(
        RELEASES[0],
        digest=digest,
        pull_spec="p",
        metadata=None,
        references=RawImageStream(),
        architecture="amd64",
    )
    assert (bare.version, bare.architecture, bare.made_from) == ("", "amd64", "")
