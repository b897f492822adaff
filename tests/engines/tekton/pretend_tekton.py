# SPDX-License-Identifier: Apache-2.0
"""Tekton's controller and a kubelet, as far as an engine can tell: they do what a script says.

A TaskRun that succeeds has really built its step, with the scripted engine, into the repository
of the test. States come in the order and the shape of the recordings.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from okd_payload.build.engine import Engine
from okd_payload.build.images import StreamImages
from okd_payload.cluster import Change
from okd_payload.cluster.kinds import EVENT, POD, TASK_RUN
from okd_payload.engines.pod import outcome
from okd_payload.engines.pod.building import build_step, key_of_step
from okd_payload.engines.pod.step_document import decode_step
from okd_payload.errors import OkdPayloadError
from okd_payload.oci.repository import Repository
from okd_payload.testing.kubernetes import JsonObject, Refusal, SimulatedCluster

CONTAINER = "step-build"


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """How one TaskRun goes."""

    waits: float = 1.0
    """Seconds before its pod runs."""
    seconds: float = 5.0
    """How long its pod runs."""
    lines: int = 3
    """What it prints."""
    end: str = "succeed"
    """``succeed``, a reason of a condition, ``killed``, ``vanish`` (the pod is made again),
    ``silent`` (nothing happens), ``unsaid`` (it ends, and the controller does not say so)."""
    message: str = ""
    warning: str = ""
    """What an event says about the pod before it starts."""
    result_format: str = ""
    digest: str = ""


class PretendTekton:
    """A controller for a simulated cluster."""

    def __init__(self, repository: Repository, engine: Engine, folder: Path) -> None:
        self.script: Callable[[JsonObject], Script] = lambda _: Script()
        self.printed: dict[str, list[str]] = {}
        """Every line by TaskRun, as the containers printed it."""
        self.built: Counter[str] = Counter()
        """How often the image of each build key was really built."""
        self.running: set[str] = set()
        self.most_running = 0
        self.made: list[str] = []
        """Names of all TaskRuns, in order."""
        self.known: dict[str, str] = {}
        """Digests by build key, of images that need no building."""
        self.faults: list[Refusal] = []
        """What the simulated cluster did not take of us."""
        self._repository = repository
        self._engine = engine
        self._log = folder / "pods.log"
        self._lives: dict[str, asyncio.Task[None]] = {}

    async def __call__(self, cluster: SimulatedCluster) -> None:
        """Live in ``cluster``."""
        try:
            async for change, document in cluster.changes(TASK_RUN, POD):
                metadata = document["metadata"]
                if document.get("kind") == "Pod":
                    if "deletionTimestamp" in metadata and change is Change.MODIFIED:
                        self._stop(metadata["labels"]["tekton.dev/taskRunUID"])
                        _forget_pod(cluster, document)
                    continue
                uid = metadata["uid"]
                if change is Change.ADDED and not _is_over(document):
                    self.made.append(metadata["name"])
                    life = self._live(cluster, document)
                    self._lives[uid] = asyncio.create_task(life)
                elif change is Change.DELETED:
                    self._stop(uid)
                elif document["spec"].get("status") and not _is_over(document):
                    self._cancel(cluster, document)
        finally:
            for life in self._lives.values():
                life.cancel()
            await asyncio.gather(*self._lives.values(), return_exceptions=True)
            self._lives.clear()

    def _stop(self, uid: str) -> None:
        if uid in self._lives:
            self._lives[uid].cancel()

    def _cancel(self, cluster: SimulatedCluster, document: JsonObject) -> None:
        self._stop(document["metadata"]["uid"])
        self._say(cluster, document, "False", "TaskRunCancelled", "was cancelled")

    async def _live(self, cluster: SimulatedCluster, document: JsonObject) -> None:
        name = document["metadata"]["name"]
        script = self.script(document)
        self.running.add(name)
        self.most_running = max(self.most_running, len(self.running))
        try:
            await self._go(cluster, document, script)
        except Refusal as refusal:
            if refusal.code != 404:  # else it was deleted in the middle
                self.faults.append(refusal)
        finally:
            self.running.discard(name)

    async def _go(self, cluster: SimulatedCluster, document: JsonObject, script: Script) -> None:
        if script.end in ("PodAdmissionFailed", "TaskRunValidationFailed", "PodCreationFailed"):
            self._say(cluster, document, "False", script.end, script.message)
            return
        if script.end == "silent":
            return
        pod = _make_pod(cluster, document)
        self._say(cluster, document, "Unknown", "Pending", "Pending", pod=pod)
        if script.end == "CreateContainerConfigError":
            self._say(cluster, document, "False", script.end, "Failed to create pod", pod=pod)
            return
        if script.warning:
            _warn(cluster, document, pod, script.warning)
        await asyncio.sleep(script.waits)
        if script.end == "TaskRunImagePullFailed":
            self._say(cluster, document, "False", script.end, script.message, pod=pod)
            cluster.delete(POD, pod, namespace=_namespace(document), grace_seconds=0)
            return
        moment = datetime.fromtimestamp(asyncio.get_running_loop().time(), UTC)
        running = {"running": {"startedAt": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}}
        _set_pod(cluster, document, pod, running)
        self._say(cluster, document, "Unknown", "Running", "", pod=pod, step=running)
        for number in range(script.lines):
            await asyncio.sleep(script.seconds / (script.lines + 1))
            self._print(cluster, document, pod, f"line {number} of {document['metadata']['name']}")
        await asyncio.sleep(script.seconds / (script.lines + 1))
        if script.end == "vanish":
            cluster.delete(POD, pod, namespace=_namespace(document), grace_seconds=0)
            again = msgspec.structs.replace(script, end="succeed")
            await self._go(cluster, document, again)
            return
        if script.end == "unsaid":
            _set_pod(cluster, document, pod, {"terminated": {"exitCode": 0}})
            return
        await self._end(cluster, document, script, pod)

    async def _end(
        self, cluster: SimulatedCluster, document: JsonObject, script: Script, pod: str
    ) -> None:
        status, reason, code, results = "False", script.end, 255, {}
        message = script.message
        if script.end == "succeed":
            results = await self._build(document, script)
            failed = outcome.FAILURE_RESULT in results
            status, code = ("False", 1) if failed else ("True", 0)
            reason = "StepFailed" if failed else "Succeeded"
        elif script.end == "killed":
            reason, message = "StepFailed", '"step-build" exited with code 255: Error'
        elif script.end == "StepOOM":
            code = 137
        ended = {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed"}}
        if script.end == "StepOOM":
            ended["terminated"]["reason"] = "OOMKilled"
        self._print(cluster, document, pod, f"end of {document['metadata']['name']}")
        self._say(cluster, document, status, reason, message, pod=pod, step=ended, results=results)
        _set_pod(cluster, document, pod, ended)

    async def _build(self, document: JsonObject, script: Script) -> dict[str, str]:
        """What ``step build`` does, and its results."""
        (parameter,) = document["spec"]["params"]
        step = decode_step(parameter["value"])
        images = StreamImages(self._repository, step.platform)
        key = key_of_step(step)
        if key in self.known:
            return _results(self.known[key], key, self._engine.format_version)
        try:
            built = await build_step(step, engine=self._engine, images=images, log=self._log)
        except OkdPayloadError as error:
            return {outcome.FAILURE_RESULT: outcome.encode_failure(outcome.failure_of(error))}
        self.built[key] += not built.reused
        present = script.result_format or self._engine.format_version
        return _results(script.digest or built.digest, key, present)

    def _print(self, cluster: SimulatedCluster, document: JsonObject, pod: str, line: str) -> None:
        cluster.print_log(pod, CONTAINER, line + "\n", namespace=_namespace(document))
        self.printed.setdefault(document["metadata"]["name"], []).append(line)

    def _say(
        self,
        cluster: SimulatedCluster,
        document: JsonObject,
        status: str,
        reason: str,
        message: str,
        *,
        pod: str = "",
        step: JsonObject | None = None,
        results: dict[str, str] | None = None,
    ) -> None:
        condition = {"type": "Succeeded", "status": status, "reason": reason, "message": message}
        written: dict[str, Any] = {"conditions": [condition]}
        if pod:
            written["podName"] = pod
            state = step or {"waiting": {"reason": "PodInitializing"}}
            written["steps"] = [{"name": "build", "container": CONTAINER, **state}]
        if results:
            written["results"] = [
                {"name": name, "type": "string", "value": value} for name, value in results.items()
            ]
        name = document["metadata"]["name"]
        cluster.set_status(TASK_RUN, name, written, namespace=_namespace(document))


def _results(digest: str, key: str, present: str) -> dict[str, str]:
    return {
        outcome.DIGEST_RESULT: digest,
        outcome.KEY_RESULT: key,
        outcome.FORMAT_RESULT: present,
    }


def _make_pod(cluster: SimulatedCluster, document: JsonObject) -> str:
    metadata = document["metadata"]
    pod = f"{metadata['name']}-pod"
    owner = {
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    cluster.create(
        POD,
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": pod,
                "namespace": metadata["namespace"],
                "labels": {"tekton.dev/taskRunUID": metadata["uid"]},
                "ownerReferences": [owner],
            },
            "spec": {"nodeName": "node-1", "containers": [{"name": CONTAINER, "image": "x"}]},
        },
    )
    return pod


def _warn(cluster: SimulatedCluster, document: JsonObject, pod: str, message: str) -> None:
    namespace = _namespace(document)
    cluster.put(
        EVENT,
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{pod}.1", "namespace": namespace},
            "involvedObject": {"kind": "Pod", "name": pod, "namespace": namespace},
            "type": "Warning",
            "reason": "FailedMount",
            "message": message,
        },
    )


def _set_pod(cluster: SimulatedCluster, document: JsonObject, pod: str, state: JsonObject) -> None:
    container = {
        "name": CONTAINER,
        "image": "x",
        "imageID": "x",
        "ready": True,
        "restartCount": 0,
        "state": state,
    }
    status = {"phase": "Running", "containerStatuses": [container]}
    cluster.set_status(POD, pod, status, namespace=_namespace(document))
    found = cluster.find(POD, pod, namespace=_namespace(document))
    if found is not None:
        cluster.state.logs.settle(found)


def _forget_pod(cluster: SimulatedCluster, pod: JsonObject) -> None:
    metadata = pod["metadata"]
    if cluster.find(POD, metadata["name"], namespace=metadata["namespace"]) is not None:
        cluster.delete(POD, metadata["name"], namespace=metadata["namespace"], grace_seconds=0)


def _namespace(document: JsonObject) -> str:
    return str(document["metadata"]["namespace"])


def _is_over(document: JsonObject) -> bool:
    conditions = document.get("status", {}).get("conditions", [])
    return any(it["type"] == "Succeeded" and it["status"] != "Unknown" for it in conditions)
