# SPDX-License-Identifier: Apache-2.0
"""A cluster on this machine whose controllers are imitated and whose steps are real.

    async with LocalCluster(runner, folder=state) as cluster:
        cluster.create(PIPELINE_RUN, document)
        ended = await cluster.finish(PIPELINE_RUN, "one")

Whole Pipelines (order, results, when, finally, retries) and Shipwright's BuildRuns become
TaskRuns by the twins of their controllers, which are held against recordings of the real ones;
each TaskRun is then run by a ``TaskRunner``. ``kubeconfig`` lets commands reach the same cluster
through its HTTP API, as they would a real one. Seconds that controllers wait are short here.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from okd_payload.cluster import ObjectKind
from okd_payload.cluster.kinds import (
    CONFIG_MAP,
    EVENT,
    PERSISTENT_VOLUME_CLAIM,
    SECRET,
    SERVICE_ACCOUNT,
    TASK_RUN,
)
from okd_payload.errors import OkdPayloadError
from okd_payload.testing.kubernetes import JsonObject, SimulatedCluster
from okd_payload.testing.kubernetes.documents import name_of, namespace_of
from okd_payload.testing.kubernetes.server import KubernetesServer
from okd_payload.testing.shipwright import BuildRuns, Builds, add_shipwright
from okd_payload.testing.task_runner.model import decode_task_run
from okd_payload.testing.task_runner.runner import TaskRunner
from okd_payload.testing.task_runner.volumes import Surroundings
from okd_payload.testing.tekton.admission.plugin import add_tekton
from okd_payload.testing.tekton.controllers.node import Node
from okd_payload.testing.tekton.controllers.outcomes import Attempt, Outcome, StepOutcome
from okd_payload.testing.tekton.controllers.pipeline_runs import PipelineRuns
from okd_payload.testing.tekton.controllers.task_runs import TaskRuns

_HASTE = 100
_START_SECONDS = 1.0


class HastyClock:
    """A clock that goes a hundred times as fast as this machine's, from a fixed time."""

    def __init__(self) -> None:
        self._start = 1_735_689_600.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._start + self.monotonic()

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return asyncio.get_running_loop().time() * _HASTE

    async def wait(self, seconds: float) -> None:
        """Wait a hundredth of ``seconds``."""
        await asyncio.sleep(seconds / _HASTE)


class LocalCluster:
    """The cluster, with one namespace for builds; exists within ``async with``."""

    def __init__(self, runner: TaskRunner, *, folder: Path, namespace: str = "builds") -> None:
        self.namespace = namespace
        self.kubeconfig = folder / "kubeconfig"
        """The way to the cluster for commands."""
        self.logs: dict[str, str] = {}
        """What the steps of each TaskRun printed."""
        self.simulated = SimulatedCluster(clock=HastyClock())
        self._folder = folder
        self._runner = runner
        self._server = KubernetesServer(self.simulated)

    async def __aenter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        add_tekton(self.simulated)
        add_shipwright(self.simulated)
        self.simulated.serve(EVENT)
        self.simulated.add_namespace(self.namespace)
        self.simulated.controllers += [TaskRuns(), PipelineRuns(), Builds(), BuildRuns()]
        self.simulated.controllers.append(Node(self._decide))
        await self._server.__aenter__()
        self._server.write_kubeconfig(self.kubeconfig, namespace=self.namespace)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._server.__aexit__(kind, error, traceback)

    def add_account(self, name: str) -> None:
        """Let pods run as the service account ``name``."""
        self.create(SERVICE_ACCOUNT, {"metadata": {"name": name}})

    def create(self, kind: ObjectKind, document: JsonObject) -> JsonObject:
        """Create an object in the namespace. Raises what a cluster would."""
        return self.simulated.create(kind, document, namespace=self.namespace)

    async def finish(self, kind: ObjectKind, name: str) -> JsonObject:
        """The object when it has ended, well or not."""
        async for _, document in self.simulated.changes(kind):
            if name_of(document) == name and _is_over(document):
                return document
        raise AssertionError("watching never ends")

    def _decide(self, _: Attempt) -> Outcome:
        return Outcome(work=self._work, start_seconds=_START_SECONDS)

    async def _work(self, attempt: Attempt) -> Sequence[StepOutcome]:
        namespace = namespace_of(attempt.task_run)
        document = self.simulated.find(TASK_RUN, attempt.name, namespace=namespace)
        try:
            end = await self._runner.run(
                decode_task_run(msgspec.json.encode(_filled(document or attempt.task_run))),
                surroundings=self._surroundings(namespace),
            )
        except OkdPayloadError as error:  # a pod whose container cannot be made
            return [StepOutcome(seconds=0, exit_code=128, log=f"{error.message}\n")]
        self.logs[attempt.name] = end.log()
        return [
            StepOutcome(
                seconds=0,
                exit_code=step.exit_code,
                results=step.results,
                log=step.log.read_text(errors="replace"),
            )
            for step in end.steps
        ]

    def _surroundings(self, namespace: str) -> Surroundings:
        """What the namespace has now; a claim is a folder that outlives its pods."""
        secrets = {
            name_of(each): {
                key: base64.b64decode(value) for key, value in (each.get("data") or {}).items()
            }
            for each in self._objects(SECRET, namespace)
        }
        config_maps = {
            name_of(each): {key: text.encode() for key, text in (each.get("data") or {}).items()}
            for each in self._objects(CONFIG_MAP, namespace)
        }
        claims = {
            name_of(each): self._claim(name_of(each))
            for each in self._objects(PERSISTENT_VOLUME_CLAIM, namespace)
        }
        return Surroundings(secrets=secrets, config_maps=config_maps, claims=claims)

    def _claim(self, name: str) -> Path:
        folder = self._folder / "claims" / name
        if not folder.is_dir():
            folder.mkdir(parents=True)
            folder.chmod(0o777)
        return folder

    def _objects(self, kind: ObjectKind, namespace: str) -> list[JsonObject]:
        return [each for each in self.simulated.objects(kind) if namespace_of(each) == namespace]


def _filled(document: JsonObject) -> JsonObject:
    """The run with its task as the controller filled it in."""
    spec = (document.get("status") or {}).get("taskSpec")
    if not spec:
        return document
    own = {key: value for key, value in document["spec"].items() if key != "taskRef"}
    return {**document, "spec": {**own, "taskSpec": spec}}


def _is_over(document: JsonObject) -> bool:
    conditions = (document.get("status") or {}).get("conditions") or []
    return any(
        each.get("type") == "Succeeded" and each.get("status") != "Unknown" for each in conditions
    )
