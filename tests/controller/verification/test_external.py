# SPDX-License-Identifier: Apache-2.0
"""Updates that others have tested come into the records, once, and stay there."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from rig import STREAM, Rig

from okd_payload.cluster.kinds import PROW_JOB
from okd_payload.controller.graph.nodes import Snapshot
from okd_payload.controller.graph.reading import read_snapshot, refresh
from okd_payload.controller.model import Edge, Phase, Release, RunState
from okd_payload.controller.records import releases, streams
from okd_payload.controller.verification.external import ExternalResults
from okd_payload.errors import ClusterUnavailable
from okd_payload.testing.kubernetes import MemoryCluster
from okd_payload.testing.prow import Prow

PREFIX = "release.openshift.io"


class World:
    """A cluster in which others test updates."""

    def __init__(self, rig: Rig, *, prow: bool = True) -> None:
        self.rig = rig
        self.cluster = MemoryCluster("ci")
        self.prow = Prow(self.cluster) if prow else None
        self.surroundings = msgspec.structs.replace(rig.surroundings, cluster=self.cluster)
        self.external = ExternalResults(self.surroundings, write=rig.database.write)

    async def release(self, name: str, stream: str = STREAM) -> None:
        """A release that is known."""
        made = Release(
            name=name, stream=stream, phase=Phase.ACCEPTED, created=1, changed=1, input_hash=name
        )
        await self.rig.database.write(lambda unit: releases.create(unit, made, ()))

    async def job(self, name: str, *, labels: dict[str, str] | None = None, **told: str) -> None:
        """Somebody makes a ProwJob."""
        document: dict[str, Any] = {
            "apiVersion": "prow.k8s.io/v1",
            "kind": "ProwJob",
            "metadata": {
                "name": name,
                "labels": {f"{PREFIX}/verify": "true", **(labels or {})},
                "annotations": {
                    f"{PREFIX}/{key.replace('_', '-')}": value for key, value in told.items()
                },
            },
            "spec": {"job": name},
            "status": {"state": "triggered"},
        }
        await self.cluster.create(PROW_JOB, msgspec.json.encode(document))

    async def follow(self, seconds: float = 121.0) -> list[Edge]:
        """What is on record after the next look."""
        self.rig.clock.advance(seconds)
        await self.external.advance(self.rig.streams[STREAM])
        return await self.rig.database.read(streams.read_edges)


@pytest.fixture
async def world(rig: Rig) -> World:
    """A cluster in which others test updates to one release."""
    made = World(rig)
    await made.release("4.20.0")
    return made


UPDATE = {"tag": "4.20.0", "from_tag": "4.19.0", "architecture": "amd64"}


async def test_a_result_of_others_is_taken_over(world: World) -> None:
    """While it runs, and when it ends; a final result stays, also without its job."""
    await world.job("by-bot", **UPDATE)
    (edge,) = await world.follow()
    assert (edge.source, edge.target, edge.run) == ("4.19.0", "4.20.0", "ci/by-bot")
    assert (edge.state, edge.url) == (RunState.RUNNING, "")
    assert world.prow is not None
    await world.prow.begin("by-bot")
    (edge,) = await world.follow()
    assert edge.url == "https://prow.test/view/gs/results/logs/by-bot/1"
    await world.prow.end("by-bot", "success")
    (edge,) = await world.follow()
    assert edge.state is RunState.SUCCEEDED
    await world.prow.end("by-bot", "failure")
    assert await world.follow() == [edge]
    await world.cluster.delete(PROW_JOB, "by-bot")
    assert await world.follow() == [edge]


async def test_graphs_hear_of_it(world: World) -> None:
    """What was taken over changes a graph that was made before; what is old does not."""
    before = await world.rig.database.read(lambda unit: read_snapshot(unit, world.rig.streams))
    await world.job("by-bot", **UPDATE)
    await world.follow()

    async def again(snapshot: Snapshot) -> Snapshot:
        return await world.rig.database.read(
            lambda unit: refresh(unit, snapshot, world.rig.streams)
        )

    found = await again(before)
    assert list(found.tested) == [("4.19.0", "4.20.0")]
    await world.follow()
    assert (await again(found)).number == found.number


@pytest.mark.parametrize(
    "told",
    [
        UPDATE | {"architecture": "arm64"},
        UPDATE | {"tag": "4.21.0"},
        {"tag": "4.20.0", "architecture": "amd64"},
        {"from_tag": "4.19.0", "architecture": "amd64"},
    ],
)
async def test_what_is_no_update_of_ours_is_left_alone(world: World, told: dict[str, str]) -> None:
    """Other architectures, releases that nobody knows, jobs without an update."""
    await world.job("other", **told)
    assert await world.follow() == []


async def test_our_own_jobs_are_not_counted_twice(world: World) -> None:
    """Their results are written by whoever runs them."""
    await world.job("own", labels={"okd-payload.io/run": "own"}, **UPDATE)
    await world.job("unlabelled", labels={f"{PREFIX}/verify": "false"}, **UPDATE)
    assert await world.follow() == []


async def test_each_stream_gets_its_own(world: World) -> None:
    """Jobs are listed once, and each stream takes those of its releases."""
    world.rig.configure("other")
    await world.release("4.21.0", "other")
    await world.job("a", **UPDATE)
    await world.job("b", **UPDATE | {"tag": "4.21.0"})
    assert [edge.run for edge in await world.follow()] == ["ci/a"]
    await world.external.advance(world.rig.streams["other"])
    edges = await world.rig.database.read(streams.read_edges)
    assert sorted(edge.run for edge in edges) == ["ci/a", "ci/b"]


async def test_a_cluster_without_prow_or_that_is_away_stops_nothing(rig: Rig) -> None:
    """It is looked at again later."""
    world = World(rig, prow=False)
    assert await world.follow() == []
    assert await World(rig).external.advance(rig.streams[STREAM]) is not None
    nowhere = ExternalResults(rig.surroundings, write=rig.database.write)
    assert await nowhere.advance(rig.streams[STREAM]) is None

    class Away(MemoryCluster):
        async def list(self, *_: object, **__: object) -> Any:
            raise ClusterUnavailable("away")

    surroundings = msgspec.structs.replace(rig.surroundings, cluster=Away("ci"))
    away = ExternalResults(surroundings, write=rig.database.write)
    assert await away.advance(rig.streams[STREAM]) is not None
