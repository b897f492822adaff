# SPDX-License-Identifier: Apache-2.0
"""A simulated cluster whose pods build with a scripted engine what Shipwright hands them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from streams import write_stream
from workshop import Workshop, from_git

from okd_payload.build.freeze import FrozenPlan
from okd_payload.build.job import BuildOutcome, JobOptions, build_images
from okd_payload.build.maker import Maker
from okd_payload.build.records import start_run
from okd_payload.build.steps import Steps
from okd_payload.catalog.catalog import Catalog
from okd_payload.cluster import Cluster, kinds
from okd_payload.engines.pod.building import build_step
from okd_payload.engines.pod.outcome import failure_of
from okd_payload.engines.pod.step_document import decode_step
from okd_payload.engines.shipwright.engine import ShipwrightEngine
from okd_payload.engines.shipwright.results import describe_failure
from okd_payload.engines.shipwright.settings import ShipwrightSettings
from okd_payload.errors import OkdPayloadError
from okd_payload.testing.event_clock import EventClock
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.scripted_engine import ScriptedEngine
from okd_payload.testing.shipwright import BuildRuns, Builds, add_shipwright
from okd_payload.testing.tekton.admission.plugin import add_tekton
from okd_payload.testing.tekton.controllers.node import Node
from okd_payload.testing.tekton.controllers.outcomes import Attempt, Outcome, StepOutcome
from okd_payload.testing.tekton.controllers.task_runs import TaskRuns

COMPONENT = "okd-payload.io/component"


class ShipwrightCluster(Workshop):
    """A workshop whose engine is a cluster with Shipwright."""

    def __init__(self, path: Path, definitions: Path | None) -> None:
        super().__init__(path)
        self.time = EventClock()
        self.simulated = SimulatedCluster(clock=self.time)
        if definitions is not None:
            self.simulated.install(definitions / "shipwright", definitions / "tekton-pipelines")
        add_tekton(self.simulated)
        add_shipwright(self.simulated)
        self.controller = BuildRuns()
        self.simulated.controllers += [
            Builds(),
            self.controller,
            TaskRuns(),
            Node(self._decide),
        ]
        self.cluster: Cluster = MemoryCluster("builds", cluster=self.simulated)
        self.pods = ScriptedEngine(self.content, self.sources)
        """What runs in pods."""
        self.script: dict[str, deque[Outcome]] = defaultdict(deque)
        """How the next pods of a component go, in place of building."""
        self.started: list[str] = []
        """The components of all pods that ran, in order."""
        self.most_running = 0
        self.seconds = 30.0
        self._running = 0

    def stream(self, count: int = 1) -> Catalog:
        """A stream with a base and ``count`` components on it."""
        self.put("base", "FROM scratch\nCOPY . /\n", {"a": "1"})
        names = [f"c{number}" for number in range(count)]
        for name in names:
            self.put(name, "FROM x\nCOPY . /\n", {"name": name})
        children = {name: from_git(name, more="base: base\n") for name in names}
        return write_stream(self.path / "stream", {"base": from_git("base"), **children})

    def settings(self, **changes: Any) -> ShipwrightSettings:
        """How the engine works here."""
        return msgspec.structs.replace(ShipwrightSettings(stream="test", run="r1"), **changes)

    def new_engine(self, *, afresh: Sequence[str] = (), **changes: Any) -> ShipwrightEngine:
        """An engine as one run of the program has it."""
        return ShipwrightEngine(
            self.cluster,
            self.images,
            format_version=self.engine.format_version,
            settings=self.settings(**changes),
            clock=self.time,
            progress=self.events.append,
            afresh=afresh,
        )

    async def build(self, catalog: Catalog, **changes: Any) -> BuildOutcome:
        """Build ``catalog`` with an engine of its own."""
        async with self.new_engine(**changes).opened() as engine:
            return await self.build_with(engine, await self.freeze(catalog))

    async def build_with(
        self, engine: ShipwrightEngine, frozen: FrozenPlan, *, jobs: int = 2
    ) -> BuildOutcome:
        """Carry out ``frozen`` with ``engine``."""
        folder = start_run(self.path / "runs", stream="test", moment=self.time.now())
        return await build_images(
            frozen,
            maker=Maker(
                engine=engine,
                images=self.images,
                importer=self.maker(frozen.catalog)._importer,
                steps=Steps(frozen.catalog, self.images),
                clock=self.time,
                progress=self.events.append,
            ),
            runs=self.path / "runs",
            clock=self.time,
            progress=self.events.append,
            options=JobOptions(jobs=jobs),
            folder=folder,
        )

    def runs(self) -> list[dict[str, Any]]:
        """Every BuildRun that the cluster has."""
        return self.simulated.objects(kinds.SHIPWRIGHT_BUILD_RUN, namespace="builds")

    async def left(self) -> list[str]:
        """Everything that goes on, or is left over, when pods had the time to stop."""
        await self.time.wait(120)
        found: list[str] = []
        for kind in (kinds.SHIPWRIGHT_BUILD_RUN, kinds.TASK_RUN, kinds.POD):
            found += [each["metadata"]["name"] for each in self.simulated.objects(kind)]
        return found

    def _decide(self, attempt: Attempt) -> Outcome:
        component = _component(attempt)
        if self.script[component]:
            return self.script[component].popleft()
        return Outcome(work=self._work)

    async def _work(self, attempt: Attempt) -> Sequence[StepOutcome]:
        """What ``okd-payload step build`` does in the pod."""
        values = {each["name"]: each["value"] for each in attempt.task_run["spec"]["params"]}
        step = decode_step(values["step"])
        self.started.append(step.component)
        self._running += 1
        self.most_running = max(self.most_running, self._running)
        try:
            await self.time.wait(self.seconds)
            built = await build_step(
                step,
                engine=self.pods,
                images=self.images,
                log=self.path / "pod.log",
                again="--again" in values["options"],
            )
        except OkdPayloadError as error:
            told = describe_failure(failure_of(error))
            results = {f"shp-error-{name}": text for name, text in told.items()}
            return [StepOutcome(exit_code=1, results=results, log=f"{error}\n")]
        finally:
            self._running -= 1
        results = {"shp-image-digest": built.digest, "shp-image-size": "7"}
        return [StepOutcome(results=results, log=f"built {step.component}\n")]


def _component(attempt: Attempt) -> str:
    values = {each["name"]: each["value"] for each in attempt.task_run["spec"]["params"]}
    return decode_step(values["step"]).component
