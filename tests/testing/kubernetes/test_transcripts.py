# SPDX-License-Identifier: Apache-2.0
"""The transcripts of a real API server, request by request, against the simulated one.

Status, reason, message, causes, headers and the lines of watches must be as recorded. What is
not on purpose stands in the table below with its reason; anything else fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from transcript import Transcript

from okd_payload.cluster.kinds import (
    LIMIT_RANGE,
    NAMESPACE,
    POD,
    RESOURCE_QUOTA,
    ROLE,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
    TASK,
)
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.kubernetes import JsonObject, SimulatedCluster
from okd_payload.testing.kubernetes.faults import webhook_down
from okd_payload.testing.kubernetes.server import KubernetesServer

_FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "tekton-admission" / "api"
_NAMES = sorted(each.stem for each in _FOLDER.glob("*.json"))

_DIFFERENT: Mapping[tuple[str, int], tuple[str, ...]] = {
    # Nothing runs pods here: nobody mounts the account's token, and no node fails.
    ("delete", 0): (
        "spec.containers[0].volumeMounts is missing",
        "spec.tolerations is missing",
        "spec.volumes is missing",
    ),
    # What the server was built from is its own.
    ("discovery", 0): (f"gitCommit: '{'0' * 40}'",),
    # The words of Go's parser of JSON.
    ("pagination", 3): (
        (
            "message: 'invalid continue token: continue key is not valid: "
            "JSON is malformed: invalid character (byte 4)'"
        ),
    ),
    # This server has a cache of its own for pages, which outlives the store's history.
    ("pagination", 6): (
        "http: 410",
        "code is extra",
        "items is missing",
        "kind: 'Status'",
        "message is extra",
        "reason is extra",
        "status is extra",
    ),
    # People do not read the simulator's tables: no descriptions, and moments for ages.
    ("table-and-metadata", 1): (
        "columnDefinitions[0].description: ''",
        "columnDefinitions[1].description: ''",
        "rows[0].cells[1]: '(moment)'",
    ),
}
"""What differs on purpose, and why."""


class _Scene:
    """A cluster as it was when a transcript was recorded, and what happens between requests."""

    def __init__(self, server: KubernetesServer, transcript: Transcript) -> None:
        self.server = server
        self.cluster = server.cluster
        self.transcript = transcript
        self.before: dict[int, Callable[[], None]] = {}
        """What happens before the request of that number."""
        self.bodies: dict[int, bytes] = {}
        """Bodies that the recording describes instead of holding them."""
        self.tokens: dict[int, str | None] = {}
        self.token: str | None = server.token()

    def task(self, name: str, **metadata: Any) -> JsonObject:
        metadata = {"name": name, "namespace": "builds", **metadata}
        step = {"name": "s", "image": "localhost/busybox:1", "script": "true"}
        return self.cluster.create(TASK, {"metadata": metadata, "spec": {"steps": [step]}})

    def pod(self, name: str, **metadata: Any) -> JsonObject:
        metadata = {"name": name, "namespace": "builds", **metadata}
        container = {"name": "c", "image": "localhost/busybox:1"}
        spec = {"containers": [container], "schedulerName": "none"}
        return self.cluster.create(POD, {"metadata": metadata, "spec": spec})

    def now(self) -> str:
        return str(self.cluster.state.store.revision)


def _nothing(_: _Scene) -> None:
    """The cluster has its namespace ``builds``, and that is enough."""


def _tasks(scene: _Scene) -> None:
    scene.task("exists-already")


def _conflicts(scene: _Scene) -> None:
    def learn_uid() -> None:
        found = scene.cluster.find(TASK, "rv", namespace="builds")
        assert found is not None
        recorded = scene.transcript.exchange(2)["body"]["metadata"]["uid"]
        scene.transcript.stands_for(recorded, found["metadata"]["uid"])

    scene.before[2] = learn_uid


def _deletions(scene: _Scene) -> None:
    scene.pod("u")
    scene.pod("f", finalizers=["example.com/hold"])


def _limits(scene: _Scene) -> None:
    scene.cluster.add_namespace("limits")
    item = {"type": "Container", "max": {"memory": "100Mi"}, "min": {"memory": "10Mi"}}
    metadata = {"name": "l", "namespace": "limits"}
    scene.cluster.create(LIMIT_RANGE, {"metadata": metadata, "spec": {"limits": [item]}})


def _quota(scene: _Scene) -> None:
    scene.cluster.add_namespace("quota")
    hard = {
        "count/taskruns.tekton.dev": "0",
        "limits.memory": "1Gi",
        "pods": "0",
        "requests.cpu": "1",
    }
    metadata = {"name": "q", "namespace": "quota"}
    scene.cluster.create(RESOURCE_QUOTA, {"metadata": metadata, "spec": {"hard": hard}})


def _pod_security(scene: _Scene) -> None:
    for level in ("restricted", "baseline"):
        labels = {"pod-security.kubernetes.io/enforce": level}
        scene.cluster.add_namespace(f"psa-{level}", labels)
    labels = {"pod-security.kubernetes.io/warn": "restricted"}
    scene.cluster.add_namespace("psa-warn", labels)


def _terminating(scene: _Scene) -> None:
    scene.cluster.add_namespace("going")
    scene.pod("held", namespace="going", finalizers=["example.com/hold"])
    scene.cluster.delete(NAMESPACE, "going")


def _logs(scene: _Scene) -> None:
    containers = [{"name": name, "image": "localhost/busybox:1"} for name in ("a", "b")]
    scene.cluster.create(
        POD,
        {
            "metadata": {"name": "lg", "namespace": "builds"},
            "spec": {
                "initContainers": [{"name": "slow", "image": "localhost/busybox:1"}],
                "containers": containers,
            },
        },
    )

    def show(state: JsonObject) -> None:
        statuses = [{"name": name, "state": state} for name in ("a", "b")]
        status = {"phase": "Pending", "containerStatuses": statuses}
        scene.cluster.set_status(POD, "lg", status, namespace="builds")

    def run() -> None:
        lines = "".join(f"line {number}\n" for number in range(1, 6)) + "last-without-newline"
        scene.cluster.print_log("lg", "a", lines, namespace="builds")
        show({"terminated": {"exitCode": 0}})

    def wait() -> None:
        clock = scene.cluster.state.clock
        assert isinstance(clock, ManualClock)
        clock.advance(5)

    show({"waiting": {"reason": "PodInitializing"}})
    scene.before = {4: run, 10: wait}


def _pages(scene: _Scene) -> None:
    _tasks(scene)
    for number in range(5):
        scene.task(f"page-{number}", labels={"page": "1"})

    def change() -> None:
        scene.cluster.delete(TASK, "page-0", namespace="builds")
        scene.task("page-9")

    scene.before = {5: change, 6: scene.cluster.state.store.compact}


def _expired_pages(scene: _Scene) -> None:
    _tasks(scene)
    for number in (1, 2, 3, 4, 9):
        scene.task(f"page-{number}")


def _rights(scene: _Scene) -> None:
    rule = {"apiGroups": ["tekton.dev"], "resources": ["taskruns"], "verbs": ["get", "list"]}
    metadata = {"name": "reader", "namespace": "builds"}
    scene.cluster.create(SERVICE_ACCOUNT, {"metadata": {**metadata, "name": "limited"}})
    scene.cluster.create(ROLE, {"metadata": metadata, "rules": [rule]})
    subject = {"kind": "ServiceAccount", "name": "limited", "namespace": "builds"}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    binding = {"metadata": metadata, "roleRef": reference, "subjects": [subject]}
    scene.cluster.create(ROLE_BINDING, binding)
    scene.token = scene.server.token("system:serviceaccount:builds:limited")
    scene.tokens = {8: None, 9: "nobody's"}


def _sizes(scene: _Scene) -> None:
    def made(kind: str, content: JsonObject, **metadata: Any) -> bytes:
        api_version = "v1" if kind == "ConfigMap" else "tekton.dev/v1"
        metadata = {"name": "big", **metadata}
        head = {"apiVersion": api_version, "kind": kind, "metadata": metadata}
        return json.dumps({**head, **content}).encode()

    def task(size: int, **metadata: Any) -> bytes:
        step = {"name": "s", "image": "x", "script": "true"}
        return made("Task", {"spec": {"description": "x" * size, "steps": [step]}}, **metadata)

    def forget() -> None:
        if scene.cluster.find(TASK, "big", namespace="builds"):
            scene.cluster.delete(TASK, "big", namespace="builds")

    for number, size in enumerate((1_048_566, 1_048_586)):
        name = "big" if not number else "bigger"
        body = made("ConfigMap", {"data": {"a": "x" * (size - 1)}}, name=name)
        scene.bodies[number] = body
    scene.bodies[1] = made("ConfigMap", {"data": {"a": "x" * 1_048_586}})
    sizes = (1_000_000, 1_433_600, 1_572_864, 2_097_152, 3_145_828, 8_388_608, 1_433_600)
    for number, size in enumerate(sizes, 2):
        scene.bodies[number] = task(size)
        scene.before[number] = forget
    scene.bodies[9] = task(1, annotations={"a": "x" * 262_144})
    scene.before[9] = forget


def _selected_watch(scene: _Scene) -> None:
    scene.transcript.stands_for("22872", scene.now())
    scene.task("ls")
    for labels in ({"a": "b"}, {"a": "b", "c": "d"}, {"a": None}):
        change = {"metadata": {"labels": labels}}
        scene.cluster.patch(TASK, "ls", change, namespace="builds")
    scene.cluster.delete(TASK, "ls", namespace="builds")


def _watch(scene: _Scene) -> None:
    _tasks(scene)
    scene.task("w1")
    scene.transcript.stands_for("21460", scene.now())


def _webhook(scene: _Scene) -> None:
    why = (
        'Post "https://127.0.0.1:1/hook?timeout=2s": dial tcp 127.0.0.1:1: '
        "connect: connection refused"
    )
    scene.server.faults.add(webhook_down("down.example.com", why=why))


_SCENES: Mapping[str, Callable[[_Scene], None]] = {
    "bad-requests": _tasks,
    "conflict-resource-version": _conflicts,
    "delete": _deletions,
    "limitrange-denied": _limits,
    "logs": _logs,
    "namespace-terminating": _terminating,
    "pagination": _pages,
    "pagination-expired": _expired_pages,
    "pod-security-denied": _pod_security,
    "quota-denied": _quota,
    "rbac-denied": _rights,
    "size-limits": _sizes,
    "table-and-metadata": _tasks,
    "watch": _watch,
    "watch-label-selector": _selected_watch,
    "webhook-down": _webhook,
}


def _with_defaults(document: JsonObject, request: Any) -> JsonObject:
    """What Tekton's webhook fills into a Task."""
    if request.resource.name == "tasks.tekton.dev":
        for step in document.get("spec", {}).get("steps", []):
            step.setdefault("computeResources", {})
    return document


@pytest.mark.parametrize("name", _NAMES)
async def test_answers_are_those_of_a_real_server(name, definitions):
    """Each request of a transcript gets the recorded answer, but for the table."""
    cluster = SimulatedCluster(clock=ManualClock(1_735_689_600))
    cluster.install(*definitions)
    cluster.mutating.append(_with_defaults)
    cluster.add_namespace("builds")
    transcript = Transcript(_FOLDER / f"{name}.json")
    found: dict[tuple[str, int], tuple[str, ...]] = {}
    async with KubernetesServer(cluster) as server:
        scene = _Scene(server, transcript)
        _SCENES.get(name, _nothing)(scene)
        for number in range(len(transcript)):
            scene.before.get(number, lambda: None)()
            differences = await transcript.replay(
                server,
                number,
                token=scene.tokens.get(number, scene.token),
                body=scene.bodies.get(number),
            )
            if differences:
                found[name, number] = tuple(differences)
    expected = {place: told for place, told in _DIFFERENT.items() if place[0] == name}
    assert found == expected
