# SPDX-License-Identifier: Apache-2.0
"""Kubernetes' Jobs, as far as those who make them meet them: one pod, which runs and ends.

Append a ``Jobs`` to the controllers of a simulated cluster. What a pod comes to is a function of
the test; ``run_pod`` runs it for real, as a process of this machine. The deadline of a Job is
that of the cluster's clock, and is looked at when a test says ``look_at_deadlines``.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from okd_payload.cluster import Change, kinds
from okd_payload.release.times import parse_time
from okd_payload.testing.kubernetes import JsonObject, SimulatedCluster
from okd_payload.testing.kubernetes.documents import (
    clone,
    list_at,
    name_of,
    namespace_of,
    object_at,
    text_at,
    uid_of,
)

_REPORT_FILE = "/dev/termination-log"
_MOST_SAID = 4096
_TURNS = 20
_COMPLETE = {
    "type": "Complete",
    "reason": "CompletionsReached",
    "message": "Reached expected number of succeeded pods",
}
_BROKEN = {
    "type": "Failed",
    "reason": "BackoffLimitExceeded",
    "message": "Job has reached the specified backoff limit",
}
_EXCEEDED = {
    "type": "Failed",
    "reason": "DeadlineExceeded",
    "message": "Job was active longer than specified deadline",
}


class PodEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a pod ended."""

    exit_code: int = 0
    message: str = ""
    """What its container said last."""
    reason: str = ""
    """Why the container was ended, as in ``OOMKilled``."""
    evicted: str = ""
    """Why its node threw the pod out; empty when it ended by itself."""


class PodWait(msgspec.Struct, frozen=True, kw_only=True):
    """A pod whose container does not start."""

    reason: str
    message: str = ""


RunPod = Callable[[JsonObject], Awaitable[PodEnd | PodWait]]
"""What becomes of a pod."""


class Jobs:
    """The controller of Jobs, and the node that runs their pods."""

    def __init__(self, run_pod: RunPod) -> None:
        self.made: list[str] = []
        """The names of all Jobs whose pods were made, in order."""
        self._run_pod = run_pod
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __call__(self, cluster: SimulatedCluster) -> None:
        """Live in ``cluster`` until it ends."""
        try:
            async for change, job in cluster.changes(kinds.JOB):
                uid = uid_of(job)
                if change is Change.DELETED:
                    self._end(uid)
                elif uid not in self._tasks and not _ended(job):
                    self.made.append(name_of(job))
                    self._tasks[uid] = asyncio.create_task(self._carry_out(cluster, job))
        finally:
            for uid in list(self._tasks):
                self._end(uid)

    async def quiet(self) -> None:
        """Return when every pod has ended, or waits for something that does not come."""
        for _ in range(_TURNS):  # a Job that was just made is not heard of yet
            await asyncio.sleep(0)
        while running := [task for task in self._tasks.values() if not task.done()]:
            await asyncio.wait(running)

    def look_at_deadlines(self, cluster: SimulatedCluster) -> None:
        """End the Jobs that have had as long as they may."""
        for job in cluster.objects(kinds.JOB):
            allowed = object_at(job, "spec").get("activeDeadlineSeconds")
            age = cluster.state.clock.now() - _moment(text_at(job, "metadata", "creationTimestamp"))
            if allowed is None or age < allowed or _ended(job):
                continue
            self._end(uid_of(job))
            for pod in _pods_of(cluster, job):
                cluster.delete(
                    kinds.POD, name_of(pod), namespace=namespace_of(pod), grace_seconds=0
                )
            _finish(cluster, job, _EXCEEDED)

    def _end(self, uid: str) -> None:
        task = self._tasks.pop(uid, None)
        if task is not None:
            task.cancel()

    async def _carry_out(self, cluster: SimulatedCluster, job: JsonObject) -> None:
        pod = _make_pod(cluster, job)
        end = await self._run_pod(pod)
        if isinstance(end, PodWait):
            waiting = {"waiting": {"reason": end.reason, "message": end.message}}
            _set_pod(cluster, pod, {"phase": "Pending", **_container(pod, waiting)})
            return
        if end.evicted:
            status: JsonObject = {"phase": "Failed", "reason": "Evicted", "message": end.evicted}
        else:
            reason = end.reason or ("Completed" if end.exit_code == 0 else "Error")
            said = {"exitCode": end.exit_code, "reason": reason, "message": end.message}
            phase = "Succeeded" if end.exit_code == 0 else "Failed"
            status = {"phase": phase, **_container(pod, {"terminated": said})}
        _set_pod(cluster, pod, status)
        if status["phase"] == "Succeeded":
            _finish(cluster, job, _COMPLETE)
        else:
            _finish(cluster, job, _BROKEN)


class ToolPods:
    """Runs pods with the tool for real: each as a process, its volumes as folders."""

    def __init__(self, cluster: SimulatedCluster, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder

    async def __call__(self, pod: JsonObject) -> PodEnd:
        """Run the one container of ``pod``, and what it said in its end."""
        container = list_at(pod, "spec", "containers")[0]
        places = self._places(pod, container)
        report = self._folder / name_of(pod) / "termination-log"
        places[_REPORT_FILE] = str(report)
        environment = {each["name"]: _placed(each["value"], places) for each in container["env"]}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "okd_payload",
            *(_placed(each, places) for each in container["args"]),
            env={"PATH": os.environ["PATH"], **environment},
            cwd=_placed(container["workingDir"], places),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            printed, _ = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        said = report.read_text() if report.exists() else ""
        if not said and process.returncode:
            said = printed.decode(errors="replace")[-_MOST_SAID // 2 :]
        return PodEnd(exit_code=process.returncode or 0, message=said[:_MOST_SAID])

    def _places(self, pod: JsonObject, container: JsonObject) -> dict[str, str]:
        """Where the folders that the container sees are on this machine."""
        found = {}
        volumes = {each["name"]: each for each in list_at(pod, "spec", "volumes")}
        for mount in container["volumeMounts"]:
            folder = self._folder / name_of(pod) / mount["name"]
            folder.mkdir(parents=True, exist_ok=True)
            secret = volumes[mount["name"]].get("secret")
            if secret is not None:
                self._write_secret(pod, secret, folder)
            found[mount["mountPath"]] = str(folder)
        return found

    def _write_secret(self, pod: JsonObject, volume: JsonObject, folder: Path) -> None:
        name = volume["secretName"]
        secret = self._cluster.find(kinds.SECRET, name, namespace=namespace_of(pod))
        assert secret is not None, f"there is no Secret {name}"
        for item in volume["items"]:
            content = base64.b64decode(secret["data"][item["key"]])
            (folder / item["path"]).write_bytes(content)


def _placed(text: str, places: dict[str, str]) -> str:
    for inside, outside in places.items():
        if text == inside or text.startswith(f"{inside}/"):
            return outside + text[len(inside) :]
    return text


def _ended(job: JsonObject) -> bool:
    conditions = list_at(job, "status", "conditions")
    return any(each["type"] in ("Complete", "Failed") for each in conditions)


def _make_pod(cluster: SimulatedCluster, job: JsonObject) -> JsonObject:
    template = object_at(job, "spec", "template")
    owner = {
        "apiVersion": kinds.JOB.api_version,
        "kind": kinds.JOB.kind,
        "name": name_of(job),
        "uid": uid_of(job),
        "controller": True,
    }
    metadata = {
        **clone(object_at(template, "metadata")),
        "generateName": f"{name_of(job)}-",
        "ownerReferences": [owner],
    }
    document = {"metadata": metadata, "spec": clone(object_at(template, "spec"))}
    return cluster.create(kinds.POD, document, namespace=namespace_of(job))


def _pods_of(cluster: SimulatedCluster, job: JsonObject) -> list[JsonObject]:
    pods = cluster.objects(kinds.POD, namespace=namespace_of(job))
    return [
        pod
        for pod in pods
        if any(owner["uid"] == uid_of(job) for owner in list_at(pod, "metadata", "ownerReferences"))
    ]


def _container(pod: JsonObject, state: JsonObject) -> JsonObject:
    (container,) = list_at(pod, "spec", "containers")
    status = {
        "name": container["name"],
        "state": state,
        "ready": False,
        "restartCount": 0,
        "image": container["image"],
        "imageID": "",
    }
    return {"containerStatuses": [status]}


def _set_pod(cluster: SimulatedCluster, pod: JsonObject, status: JsonObject) -> None:
    cluster.set_status(kinds.POD, name_of(pod), status, namespace=namespace_of(pod))


def _finish(cluster: SimulatedCluster, job: JsonObject, condition: JsonObject) -> None:
    status = {"conditions": [{"status": "True", **condition}]}
    cluster.set_status(kinds.JOB, name_of(job), status, namespace=namespace_of(job))


def _moment(stamp: str) -> float:
    moment = parse_time(stamp)
    assert moment is not None, stamp
    return moment.timestamp()
