# SPDX-License-Identifier: Apache-2.0
"""Clusters get their graphs, by the new protocol and as they always asked."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from litestar.testing import AsyncTestClient
from rig import Rig
from sqlalchemy import Connection, insert

from okd_payload.controller.configuration.model import StreamKind
from okd_payload.controller.graph.cincinnati import make_document
from okd_payload.controller.graph.reading import read_snapshot
from okd_payload.controller.model import (
    Edge,
    PayloadFacts,
    Phase,
    Release,
    RunState,
)
from okd_payload.controller.records import releases, streams, tables
from okd_payload.controller.records.rows import to_row
from okd_payload.errors import RecordsUnavailable
from okd_payload.oci.digest import digest_of
from okd_payload.release.accept.versions import UpdateGraph, parse_update_graph
from okd_payload.release.semver import parse_version
from okd_payload.testing.yardstick import attempt_below

Client = AsyncTestClient[Any]
NEW = "/api/upgrades_info/v1/graph"
STABLE = "4-scos-stable"
CHANNEL = {"channel": "stable-scos-4"}
NAMES = [
    *(f"4.19.0-okd-scos.{number}" for number in range(12)),
    *(f"4.20.0-okd-scos.{number}" for number in range(11)),
]


def accepted(name: str, stream: str = STABLE, **fields: object) -> Release:
    """A release that clusters may run."""
    digest = digest_of(name.encode())
    values = {"phase": "Accepted", "created": 1.0, "changed": 1.0, "input_hash": ""}
    place = {"digest": digest, "pull_spec": f"quay.test/okd/release@{digest}"}
    return msgspec.convert({"name": name, "stream": stream} | values | place | fields, Release)


@pytest.fixture
async def stable(rig: Rig) -> Rig:
    """A stable stream with two minor versions."""
    rig.configure(STABLE, kind=StreamKind.STABLE)

    def unit(connection: Connection) -> None:
        for name in NAMES:
            releases.create(connection, accepted(name), ())

    await rig.database.write(unit)
    return rig


async def fetch(client: Client, **parameters: str) -> UpdateGraph:
    """The graph, read by the reader of ``release accept``."""
    answer = await client.get(NEW, params=parameters, headers={"Accept": "application/json"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return parse_update_graph(answer.content, origin=NEW)


async def test_a_client_walks_from_the_oldest_to_the_newest(client: Client, stable: Rig) -> None:
    """Asking anew at each release, as a cluster does that takes the farthest update."""
    current = NAMES[0]
    walked = [current]
    while True:
        graph = await fetch(client, **CHANNEL, version=current, arch="amd64", id="cluster")
        names = [node.version for node in graph.nodes]
        here = names.index(current)
        ways = [names[target] for source, target in graph.edges if source == here]
        if not ways:
            break
        current = max(ways, key=parse_version)
        walked.append(current)
    assert walked == NAMES


async def test_a_withdrawn_release_is_left(client: Client, stable: Rig) -> None:
    """The graph changes with the records: its clusters go on, and nobody goes there."""
    before = await fetch(client, **CHANNEL)
    assert before.has_edge(NAMES[3], NAMES[4])
    gone = accepted(NAMES[4], withdrawn=5.0)
    await stable.database.write(lambda unit: releases.change(unit, gone, time=5.0))
    after = await fetch(client, **CHANNEL)
    assert not after.has_edge(NAMES[3], NAMES[4])
    assert after.has_edge(NAMES[3], NAMES[5])
    assert after.has_edge(NAMES[4], NAMES[5])


async def test_failed_tests_are_risks(client: Client, stable: Rig) -> None:
    """The reader that judges updates sees why one is not recommended."""
    failed = Edge(source=NAMES[0], target=NAMES[1], run="r", state=RunState.FAILED, time=1.0)
    await stable.database.write(lambda unit: streams.add_edge(unit, failed))
    graph = await fetch(client, **CHANNEL)
    assert not graph.has_edge(NAMES[0], NAMES[1])
    risks = graph.risks_of(NAMES[0], NAMES[1])
    assert risks is not None
    assert [risk.name for risk in risks] == ["UpdateTestsFailed_4_19_0_okd_scos_1"]


async def test_a_changed_configuration_changes_the_graph(client: Client, stable: Rig) -> None:
    """Without any change of the records."""
    assert (await fetch(client, channel="mine")).nodes == ()
    stable.configure(STABLE, kind=StreamKind.STABLE, channels=("mine",))
    assert len((await fetch(client, channel="mine")).nodes) == len(NAMES)
    assert (await fetch(client, **CHANNEL)).nodes == ()


@pytest.mark.parametrize(
    ("parameters", "accept", "status", "kind"),
    [
        ({}, "application/json", 400, "missing_params"),
        ({"channel": ""}, "application/json", 400, "invalid_params"),
        ({"channel": "a b"}, "application/json", 400, "invalid_params"),
        ({"channel": "<script>"}, "*/*", 400, "invalid_params"),
        (CHANNEL | {"arch": "x86-64"}, "*/*", 400, "invalid_params"),
        (CHANNEL | {"arch": ""}, "*/*", 400, "invalid_params"),
        (CHANNEL, "text/html", 406, "invalid_content_type"),
        (CHANNEL, "application/json;q=0", 406, "invalid_content_type"),
        (CHANNEL, "*/*, application/json;q=0", 406, "invalid_content_type"),
        (CHANNEL, "application/*;q=0, */*", 406, "invalid_content_type"),
        (CHANNEL, "*/*;q=0, application/json", 200, ""),
        (CHANNEL, "application/vnd.redhat.cincinnati.v1+json", 200, ""),
        (CHANNEL, "application/json;q=no", 200, ""),
        (CHANNEL, "text/html, application/*;q=0.1", 200, ""),
        (CHANNEL, "", 200, ""),
        ({"channel": "unknown"}, "*/*", 200, ""),
    ],
)
async def test_errors_are_those_of_the_protocol(
    client: Client, parameters: dict[str, str], accept: str, status: int, kind: str
) -> None:
    """JSON with kind and value; a channel that nobody is in has an empty graph."""
    answer = await client.get(NEW, params=parameters, headers={"Accept": accept})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    found = msgspec.json.decode(answer.content)
    if kind:
        assert found["kind"] == kind
        assert found["value"]
    else:
        assert found == {"version": 1, "nodes": [], "edges": [], "conditionalEdges": []}


async def test_errors_of_ours_are_those_of_the_protocol_too(
    client: Client, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the headers of every answer, and when to come back."""

    async def away(_: object) -> None:
        raise RecordsUnavailable("at a place that nobody needs to know")

    monkeypatch.setattr(rig.database, "read", away)
    answer = await client.get(NEW, params=CHANNEL)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["retry-after"]
    assert answer.json().keys() == {"kind", "value"}
    assert answer.json()["kind"] == "failed_upstream_fetch"
    assert "place" not in answer.text


async def test_who_has_a_graph_already_gets_it_not_again(client: Client, stable: Rig) -> None:
    """Until it changes."""
    first = await client.get(NEW, params=CHANNEL)
    tag = first.headers["etag"]
    assert "max-age" in first.headers["cache-control"]
    again = await client.get(NEW, params=CHANNEL, headers={"If-None-Match": f'"x", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    gone = accepted(NAMES[4], withdrawn=5.0)
    await stable.database.write(lambda unit: releases.change(unit, gone, time=5.0))
    changed = await client.get(NEW, params=CHANNEL, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


async def test_the_old_address_serves_clusters_that_use_it(client: Client, stable: Rig) -> None:
    """With its content type, every phase, and the updates that were tested."""
    passed = Edge(source=NAMES[0], target=NAMES[5], run="r", state=RunState.SUCCEEDED, time=1.0)
    pending = Release(name="4.21.0-ec.0", stream=STABLE, created=1.0, changed=1.0, input_hash="")

    def unit(connection: Connection) -> None:
        releases.create(connection, pending, ())
        streams.add_edge(connection, passed)

    await stable.database.write(unit)
    for channel in ("", "stable-4", "stable-scos-4", "next-scos-4", "nightly", "prerelease"):
        answer = await client.get(
            "/graph", params={"channel": channel}, headers={"Accept": "text/html"}
        )
        assert answer.status_code == 200
        assert answer.headers["content-type"] == (
            "application/vnd.redhat.cincinnati.graph+json; version=1.0"
        )
        graph = parse_update_graph(answer.content, origin="/graph")
        assert len(graph.nodes) == len(NAMES) + 1
        assert len(graph.edges) == 1
        assert graph.has_edge(NAMES[0], NAMES[5])
    assert (await client.get("/graph?channel=fast-4.20")).status_code == 400
    assert (await client.get("/graph?format=dot")).text.startswith("Unsupported ?format")


async def test_tested_updates_are_archived_as_they_were(client: Client, rig: Rig) -> None:
    """Compressed, by their ends, with what each run said."""
    found = [
        Edge(source="a", target="b", run="1", url="u1", state=RunState.ERROR, time=1.0),
        Edge(source="a", target="b", run="2", url="u2", state=RunState.RUNNING, time=1.0),
        Edge(source="a", target="b", run="3", state=RunState.SUCCEEDED, time=1.0),
    ]
    for each in found:
        await rig.database.write(lambda unit, edge=each: streams.add_edge(unit, edge))
    answer = await client.get("/archive/graph")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json() == [
        {
            "from": "a",
            "to": "b",
            "results": [
                {"state": "Succeeded", "url": "3"},
                {"state": "Failed", "url": "u1"},
                {"state": "Pending", "url": "u2"},
            ],
        }
    ]


async def test_graphs_of_many_releases_are_quick(client: Client, rig: Rig) -> None:
    """Ten streams of two thousand releases: made in seconds, answered in milliseconds.

    Of processor time: how long it takes depends on what else this machine does.
    """
    rig.configure(STABLE, kind=StreamKind.STABLE)
    names = [f"4.{minor}.0-okd-scos.{number}" for minor in range(20) for number in range(100)]
    others = [f"4.{minor}.0-0.okd-scos" for minor in range(9)]
    for other in others:
        rig.configure(other)

    stable = [accepted(name) for name in names]
    nightlies = [accepted(f"{each}-{number}", each) for each in others for number in range(2000)]
    said = [
        PayloadFacts(
            release=each.name,
            stream=STABLE,
            created=1.0,
            digest=digest_of(each.name.encode()),
            pull_spec=each.pull_spec,
            version=each.name,
        )
        for each in stable
    ]
    tested = [
        Edge(source=source, target=target, run="r", state=RunState.SUCCEEDED, time=1.0)
        for source, target in itertools.pairwise(names)
    ]

    def unit(connection: Connection) -> None:
        connection.execute(insert(tables.releases), [*map(to_row, stable + nightlies)])
        connection.execute(insert(tables.payloads), [*map(to_row, said)])
        connection.execute(insert(tables.edges), [*map(to_row, tested)])

    await rig.database.write(unit)
    for cost in attempt_below(5.0):
        with cost:
            snapshot = await rig.database.read(lambda unit: read_snapshot(unit, rig.streams))
    assert len(snapshot.nodes) == 20_000
    for cost in attempt_below(2.0):
        with cost:
            document = make_document(
                snapshot,
                channel="stable-scos-4",
                architecture="amd64",
                link=lambda node: node.release,
            )
    assert len(document.nodes) == 2000
    first = await client.get(NEW, params=CHANNEL)
    for cost in attempt_below(0.5):
        with cost:
            again = await client.get(NEW, params=CHANNEL)
        assert again.content == first.content
    assert snapshot.nodes[0].phase is Phase.ACCEPTED
