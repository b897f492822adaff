# SPDX-License-Identifier: Apache-2.0
"""Simulated runs and recorded ones, reduced to what can be compared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from okd_payload.cluster import ObjectKind
from okd_payload.cluster.kinds import (
    BUILD_STRATEGY,
    PIPELINE,
    PIPELINE_RUN,
    SHIPWRIGHT_BUILD,
    SHIPWRIGHT_BUILD_RUN,
    TASK,
    TASK_RUN,
)
from okd_payload.testing.event_clock import EventClock
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster
from okd_payload.testing.shipwright import BuildRuns, Builds, add_shipwright
from okd_payload.testing.tekton.admission.plugin import add_tekton
from okd_payload.testing.tekton.controllers.node import Node
from okd_payload.testing.tekton.controllers.outcomes import Decide
from okd_payload.testing.tekton.controllers.pipeline_runs import PipelineRuns
from okd_payload.testing.tekton.controllers.task_runs import TaskRuns, is_done
from okd_payload.testing.tekton.recordings import Scenario, read_scenario

_RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "data" / "tekton-recordings"
_KNOWN = (
    *(TASK, TASK_RUN, PIPELINE, PIPELINE_RUN),
    *(BUILD_STRATEGY, SHIPWRIGHT_BUILD, SHIPWRIGHT_BUILD_RUN),
)
_KINDS = {it.kind: it for it in _KNOWN}
NAMESPACE = "builds"


class World(msgspec.Struct):
    """A cluster with Tekton and a node, on a clock without waiting."""

    cluster: SimulatedCluster
    clock: EventClock
    task_runs: TaskRuns
    pipeline_runs: PipelineRuns
    node: Node

    def create(self, kind: ObjectKind, document: dict[str, Any]) -> dict[str, Any]:
        """Make an object in the namespace of the tests."""
        return self.cluster.create(kind, document, namespace=NAMESPACE)

    def wish(self, kind: ObjectKind, name: str, **spec: Any) -> None:
        """Change the specification of a run."""
        self.cluster.patch(kind, name, {"spec": spec}, namespace=NAMESPACE)

    async def until_done(self, kind: ObjectKind, *names: str) -> None:
        """Return when these runs have ended."""
        left = set(names)
        async for _, document in self.cluster.changes(kind):
            if is_done(document):
                left.discard(document["metadata"]["name"])
            if not left:
                return


Act = Callable[[World], Awaitable[None]]


@pytest.fixture
def new_world():
    """Make a ``World`` whose pods go as ``decide`` says."""

    @asynccontextmanager
    async def make(decide: Decide | None = None) -> AsyncIterator[World]:
        async with EventClock() as clock:
            cluster = SimulatedCluster(clock=clock)
            add_tekton(cluster)
            add_shipwright(cluster)
            cluster.add_namespace(NAMESPACE)
            node = Node() if decide is None else Node(decide)
            world = World(cluster, clock, TaskRuns(), PipelineRuns(), node)
            cluster.controllers += [world.task_runs, world.pipeline_runs, node]
            cluster.controllers += [Builds(), BuildRuns()]
            async with cluster, asyncio.timeout(60):
                yield world

    return make


@pytest.fixture
def recorded():
    """Read a recording by its name; a test that needs one is skipped where they are not."""
    if not _RECORDINGS.is_dir():
        pytest.skip("the recordings of real runs are not here")
    return lambda name: read_scenario(_RECORDINGS / name)


@pytest.fixture
def live_like(new_world):
    """Let the manifest of a recording live here, and return what who watches ``kind`` saw."""

    async def live(
        name: str, kind: ObjectKind, decide: Decide | None, act: Act | None, *, after: float = 5
    ) -> list[tuple[str, dict[str, Any]]]:
        seen: list[tuple[str, dict[str, Any]]] = []
        async with new_world(decide) as world:

            async def watch() -> None:
                async for change, document in world.cluster.changes(kind):
                    told = (change.value, document)
                    seen.append(told)

            tasks = [asyncio.create_task(watch())]
            await asyncio.sleep(0)
            text = (_RECORDINGS / name / "manifest.yaml").read_text()
            for document in filter(None, yaml.safe_load_all(text)):
                if document["kind"] in _KINDS:
                    world.create(_KINDS[document["kind"]], document)
            if act is not None:
                tasks.append(asyncio.create_task(act(world)))
            await world.until_done(kind, "run")
            await world.clock.wait(after)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return seen

    return live


@pytest.fixture
def signatures():
    """Reduce changes to their type, the condition, and which fields there are; no repetitions."""

    def reduce(
        changes: Iterable[tuple[str, dict[str, Any]]], *, messages: bool = False
    ) -> list[tuple[Any, ...]]:
        reduced: list[tuple[Any, ...]] = []
        for change, document in changes:
            status = document.get("status", {})
            condition = (status.get("conditions") or [{}])[0]
            signature = (
                change,
                condition.get("status"),
                condition.get("reason"),
                tuple(sorted(status)),
                tuple(sorted(it["pipelineTaskName"] for it in status.get("childReferences", []))),
                tuple(sorted((it["name"], it["reason"]) for it in status.get("skippedTasks", []))),
                condition.get("message", "") if messages else "",
            )
            if signature not in reduced[-1:]:
                reduced.append(signature)
        return reduced

    return reduce


@pytest.fixture
def recorded_changes(recorded):
    """The changes of one kind in a recording, as if it had been made in our namespace."""

    def read(name: str, kind: ObjectKind) -> list[tuple[str, dict[str, Any]]]:
        scenario: Scenario = recorded(name)
        found = [(it.change.value, it.document) for it in scenario.changes if it.kind == kind]
        text = msgspec.json.encode(found).decode().replace(name, NAMESPACE)
        return [(change, document) for change, document in msgspec.json.decode(text)]

    return read
