# SPDX-License-Identifier: Apache-2.0
"""The cluster of the Tekton tests with Shipwright in it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from process_cluster import NAMESPACE, ProcessCluster, QuickClock

from okd_payload.cluster import kinds
from okd_payload.testing.kubernetes import SimulatedCluster
from okd_payload.testing.kubernetes.server import KubernetesServer
from okd_payload.testing.shipwright import BuildRuns, Builds, add_shipwright
from okd_payload.testing.tekton.admission.plugin import add_tekton
from okd_payload.testing.tekton.controllers.node import Node
from okd_payload.testing.tekton.controllers.outcomes import Attempt, StepOutcome
from okd_payload.testing.tekton.controllers.task_runs import TaskRuns

_ARRAY = re.compile(r"\$\(params\.([\w-]+)\[\*\]\)")


class ShipwrightProcessCluster(ProcessCluster):
    """Pods of BuildRuns are processes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.source = folder
        """What stands in for the source that Shipwright would clone."""

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self.simulated = SimulatedCluster(clock=QuickClock())
        add_tekton(self.simulated)
        add_shipwright(self.simulated)
        self.simulated.serve(kinds.EVENT)
        self.simulated.add_namespace(NAMESPACE)
        self.simulated.controllers += [Builds(), BuildRuns(), TaskRuns(), Node(self._decide)]
        async with KubernetesServer(self.simulated) as server:
            server.write_kubeconfig(self.kubeconfig, namespace=NAMESPACE)
            self._ready.set()
            await self._stopping.wait()

    async def _work(self, attempt: Attempt) -> Sequence[StepOutcome]:
        """Fill in arrays, as Tekton does, and run the command."""
        run = attempt.task_run
        given = {each["name"]: each["value"] for each in run["spec"]["params"]}
        for each in run["spec"]["taskSpec"]["params"]:
            given.setdefault(each["name"], each.get("default"))
        given |= {"shp-source-root": str(self.source), "shp-source-context": str(self.source)}
        (step,) = run["spec"]["taskSpec"]["steps"]
        words: list[str] = []
        for word in step["args"]:
            array = _ARRAY.fullmatch(word)
            words += given[array[1]] if array else [word]
        params = [{"name": name, "value": value} for name, value in given.items()]
        task = {**run["spec"]["taskSpec"], "steps": [{**step, "args": words}]}
        spec = {**run["spec"], "params": params, "taskSpec": task}
        return await super()._work(msgspec.structs.replace(attempt, task_run={**run, "spec": spec}))

    def run_build(self, name: str, **values: str) -> dict[str, Any]:
        """How a BuildRun of the Build ``name`` ends."""
        parameters = [{"name": key, "value": value} for key, value in values.items()]
        run = {
            "metadata": {"name": f"{name}-run", "namespace": NAMESPACE},
            "spec": {"build": {"name": name}, "paramValues": parameters},
        }
        kind = kinds.SHIPWRIGHT_BUILD_RUN
        self.ask(lambda it: it.create(kind, run, namespace=NAMESPACE))

        def status(simulated: SimulatedCluster) -> dict[str, Any]:
            found = simulated.find(kind, f"{name}-run", namespace=NAMESPACE) or {}
            return found.get("status", {})

        self.wait_for(lambda it: bool(status(it).get("completionTime")))
        return self.ask(status)
