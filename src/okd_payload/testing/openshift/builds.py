# SPDX-License-Identifier: Apache-2.0
"""OpenShift's build controller: what becomes of Builds, one task for each.

A Build goes from New over Pending and Running to an end. What runs in its pod is a function of
the test, which gives the digest of an image that it made, or the reason for a failure. Every
change is one write, so that whoever watches sees what a real cluster shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from okd_payload.cluster import Change, kinds
from okd_payload.testing.kubernetes import JsonObject, SimulatedCluster
from okd_payload.testing.kubernetes.documents import (
    clone,
    name_of,
    namespace_of,
    object_at,
    text_at,
    uid_of,
)
from okd_payload.testing.openshift.image_streams import ImageStreams
from okd_payload.testing.openshift.instantiation import Instantiation

_CONTAINERS = ("git-clone", "manage-dockerfile", "docker-build")
_MESSAGES = {
    "BuildPodEvicted": "The pod for this build was evicted.",
    "CancelledBuild": "The build was cancelled by the user.",
    "DockerBuildFailed": "Dockerfile build strategy has failed.",
    "FetchSourceFailed": "Failed to fetch the input source.",
    "OutOfMemoryKilled": "The build pod was killed due to an out of memory condition.",
    "PushImageToRegistryFailed": "Failed to push the image to the registry.",
}
_ENDED = ("Complete", "Failed", "Error", "Cancelled")


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """What the pod of a build did: an image by its digest, or a reason for failing."""

    digest: str = ""
    reason: str = "DockerBuildFailed"
    log: str = ""


Execute = Callable[[JsonObject], Awaitable[Execution]]
"""Builds what a Build says."""


class OpenShiftBuilds:
    """The controller; append it to the controllers of a cluster."""

    def __init__(
        self, cluster: SimulatedCluster, execute: Execute, streams: ImageStreams | None = None
    ) -> None:
        self.streams = streams or ImageStreams(cluster)
        self.most_running = 0
        """How many builds ran at a time, at most."""
        self.started: list[str] = []
        """The names of all builds that ran, in order."""
        self._cluster = cluster
        self._execute = execute
        self._instantiation = Instantiation(cluster, self.streams)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._running: set[str] = set()

    async def __call__(self, cluster: SimulatedCluster) -> None:
        """Live in ``cluster`` until it ends."""
        try:
            async for change, build in cluster.changes(kinds.OPENSHIFT_BUILD):
                uid = uid_of(build)
                if change is Change.DELETED:
                    self._end_task(uid)
                elif object_at(build, "status").get("cancelled") and not _ended(build):
                    self._end_task(uid)
                    self._delete_pod(build)
                    self._finish(build, "Cancelled", reason="CancelledBuild")
                elif uid not in self._tasks and not _ended(build):
                    self._tasks[uid] = asyncio.create_task(self._carry_out(build))
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _end_task(self, uid: str) -> None:
        task = self._tasks.pop(uid, None)
        if task is not None:
            task.cancel()
        self._running.discard(uid)

    def _delete_pod(self, build: JsonObject) -> None:
        """Delete the pod of a cancelled build, and its logs with it."""
        name, namespace = f"{name_of(build)}-build", namespace_of(build)
        if self._cluster.find(kinds.POD, name, namespace=namespace) is not None:
            self._cluster.delete(kinds.POD, name, namespace=namespace, grace_seconds=0)

    async def _carry_out(self, build: JsonObject) -> None:
        await asyncio.sleep(0)
        if object_at(build, "status").get("reason"):
            return  # it waits for what its references mean, and nothing here makes it mean more
        self._change(build, phase="Pending")
        pod = self._make_pod(build)
        await asyncio.sleep(0)
        uid = uid_of(build)
        self._running.add(uid)
        self.most_running = max(self.most_running, len(self._running))
        self.started.append(name_of(build))
        self._change(build, phase="Running", startTimestamp=self._cluster.state.stamp())
        self._set_pod(pod, "Running", {"running": {}})
        for container in _CONTAINERS[:-1]:
            self._cluster.state.logs.append(pod, container, f"{container} done\n")
        try:
            execution = await self._execute(build)
        except Exception as error:  # noqa: BLE001 - whatever breaks in a pod ends that build only
            execution = Execution(reason="GenericBuildFailed", log=f"{error!r}\n")
        self._cluster.state.logs.append(pod, _CONTAINERS[-1], execution.log)
        ended = {"terminated": {"exitCode": 0 if execution.digest else 1}}
        self._set_pod(pod, "Succeeded" if execution.digest else "Failed", ended)
        self._running.discard(uid)
        if not execution.digest:
            self._finish(build, "Failed", reason=execution.reason, snippet=execution.log)
            return
        self._push(build, execution.digest)
        self._finish(build, "Complete", digest=execution.digest)

    def _push(self, build: JsonObject, digest: str) -> None:
        target = object_at(build, "spec", "output", "to")
        if target.get("kind") == "ImageStreamTag":
            stream, _, tag = text_at(target, "name").partition(":")
            self.streams.push(namespace_of(build), stream, tag, digest)

    def _finish(
        self,
        build: JsonObject,
        phase: str,
        *,
        reason: str = "",
        digest: str = "",
        snippet: str = "",
    ) -> None:
        status: JsonObject = {"phase": phase, "completionTimestamp": self._cluster.state.stamp()}
        if reason:
            status |= {"reason": reason, "message": _MESSAGES.get(reason, "")}
        if snippet:
            status["logSnippet"] = snippet
        if digest:
            status["output"] = {"to": {"imageDigest": digest}}
        self._change(build, **status)
        self._prune(build)

    def _change(self, build: JsonObject, **status: object) -> None:
        """Write some fields of the status, unless the build is gone."""
        name, namespace = name_of(build), namespace_of(build)
        current = self._cluster.find(kinds.OPENSHIFT_BUILD, name, namespace=namespace)
        if current is None or uid_of(current) != uid_of(build) or _ended(current):
            return
        document = clone(current)
        document["status"] |= status
        document["metadata"]["annotations"]["openshift.io/build.pod-name"] = f"{name}-build"
        self._cluster.put(kinds.OPENSHIFT_BUILD, document)

    def _make_pod(self, build: JsonObject) -> JsonObject:
        name = name_of(build)
        pod: JsonObject = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"{name}-build",
                "namespace": namespace_of(build),
                "uid": self._cluster.state.new_uid(),
                "labels": {"openshift.io/build.name": name},
                "ownerReferences": [
                    {
                        "apiVersion": kinds.OPENSHIFT_BUILD.api_version,
                        "kind": kinds.OPENSHIFT_BUILD.kind,
                        "name": name,
                        "uid": uid_of(build),
                        "controller": True,
                    }
                ],
            },
            "spec": {
                "initContainers": [{"name": each} for each in _CONTAINERS[:-1]],
                "containers": [{"name": _CONTAINERS[-1]}],
            },
            "status": {"phase": "Pending"},
        }
        return self._cluster.put(kinds.POD, pod)

    def _set_pod(self, pod: JsonObject, phase: str, state: JsonObject) -> None:
        if self._cluster.find(kinds.POD, name_of(pod), namespace=namespace_of(pod)) is None:
            return
        done = {"terminated": {"exitCode": 0}}
        status = {
            "phase": phase,
            "initContainerStatuses": [{"name": each, "state": done} for each in _CONTAINERS[:-1]],
            "containerStatuses": [{"name": _CONTAINERS[-1], "state": state}],
        }
        self._cluster.put(kinds.POD, {**pod, "status": status})

    def _prune(self, build: JsonObject) -> None:
        """Delete the oldest builds of the configuration, as many as it has too many."""
        namespace = namespace_of(build)
        name = text_at(build, "status", "config", "name")
        config = self._cluster.find(kinds.BUILD_CONFIG, name, namespace=namespace)
        if config is None:
            return
        limits = {
            "successfulBuildsHistoryLimit": ("Complete",),
            "failedBuildsHistoryLimit": ("Failed", "Error", "Cancelled"),
        }
        for field, phases in limits.items():
            limit = object_at(config, "spec").get(field, 5)
            builds = [
                each
                for each in self._cluster.objects(kinds.OPENSHIFT_BUILD, namespace=namespace)
                if text_at(each, "status", "config", "name") == name
                and text_at(each, "status", "phase") in phases
            ]
            builds.sort(key=lambda each: int(each["metadata"]["name"].rpartition("-")[2]))
            for each in builds[: max(0, len(builds) - limit)]:
                self._cluster.delete(kinds.OPENSHIFT_BUILD, name_of(each), namespace=namespace)


def _ended(build: JsonObject) -> bool:
    return text_at(build, "status", "phase") in _ENDED
