# SPDX-License-Identifier: Apache-2.0
"""The status of a pod while a simulated node runs it: containers, conditions, phase."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from okd_payload.testing.kubernetes.documents import JsonObject, list_at

WAITING: JsonObject = {"waiting": {"reason": "PodInitializing"}}
NODE = "node-1"


class PodStatus:
    """What a node knows of one pod."""

    def __init__(self, pod: JsonObject) -> None:
        self.states: dict[str, JsonObject] = {
            it["name"]: WAITING
            for it in (*list_at(pod, "spec", "initContainers"), *list_at(pod, "spec", "containers"))
        }
        """The state of each container."""
        self.phase = "Pending"
        self.reason = ""
        self.message = ""
        self.sandbox = False
        """Whether the pod has its network, so that containers can start."""
        self._init = [it["name"] for it in list_at(pod, "spec", "initContainers")]
        self._main = [it["name"] for it in list_at(pod, "spec", "containers")]
        self._images = {
            it["name"]: it.get("image", "") for it in list_at(pod, "spec", "containers")
        }

    @property
    def steps(self) -> list[str]:
        """The containers of steps, in order."""
        return [it for it in self._main if it.startswith("step-")]

    @property
    def init_containers(self) -> list[str]:
        """The containers that run before."""
        return list(self._init)

    def run(self, container: str, stamp: str) -> None:
        """A container starts."""
        self.states[container] = {"running": {"startedAt": stamp}}

    def end(
        self, container: str, stamp: str, *, code: int = 0, reason: str = "", message: str = ""
    ) -> None:
        """A container ends."""
        started = self.states[container].get("running", {}).get("startedAt", stamp)
        terminated = {
            "exitCode": code,
            "reason": reason or ("Error" if code else "Completed"),
            "startedAt": started,
            "finishedAt": stamp,
            "containerID": f"containerd://{container}",
        }
        if message:
            terminated["message"] = message
        self.states[container] = {"terminated": terminated}

    def wait(self, container: str, reason: str, message: str) -> None:
        """A container waits for something."""
        self.states[container] = {"waiting": {"reason": reason, "message": message}}

    def is_running(self, container: str) -> bool:
        """Whether the container runs."""
        return "running" in self.states[container]

    def document(self, stamp: str) -> JsonObject:
        """The status as the API shows it."""
        status: JsonObject = {
            "phase": self.phase,
            "qosClass": "BestEffort",
            "hostIP": "192.0.2.10",
            "startTime": stamp,
            "conditions": list(self._conditions(stamp)),
            "initContainerStatuses": [self._container(it) for it in self._init],
            # The kubelet tells containers by name, not in the order of the specification.
            "containerStatuses": [self._container(it) for it in sorted(self._main)],
        }
        for key, text in (("reason", self.reason), ("message", self.message)):
            if text:
                status[key] = text
        return status

    def _container(self, name: str) -> JsonObject:
        state = self.states[name]
        started = "waiting" not in state
        image = self._images.get(name, "")
        return {
            "name": name,
            "state": state,
            "lastState": {},
            "ready": "running" in state,
            "restartCount": 0,
            "image": image,
            "imageID": f"{image}@sha256:{'0' * 64}" if started and image else "",
            "started": "running" in state,
        }

    def _conditions(self, stamp: str) -> list[JsonObject]:
        unfinished = [it for it in self._init if "terminated" not in self.states[it]]
        unready = [it for it in self._main if not self.is_running(it)]
        over = self.phase in {"Succeeded", "Failed"}
        facts: list[tuple[str, bool, str]] = [
            ("PodReadyToStartContainers", self.sandbox and not over, ""),
            ("Initialized", not unfinished, _names("incomplete", unfinished)),
            ("Ready", not unready and not over, _names("unready", unready)),
            ("ContainersReady", not unready and not over, _names("unready", unready)),
            ("PodScheduled", True, ""),
        ]
        return [_condition(kind, holds, text, stamp) for kind, holds, text in facts]


def unschedulable(message: str, reason: str, stamp: str) -> JsonObject:
    """The status of a pod that no node takes."""
    condition = _condition("PodScheduled", holds=False, message=message, stamp=stamp)
    return {"phase": "Pending", "conditions": [condition | {"reason": reason}]}


def scheduled(stamp: str) -> JsonObject:
    """The status of a pod that a node will take."""
    condition = _condition("PodScheduled", holds=True, message="", stamp=stamp)
    return {"phase": "Pending", "qosClass": "BestEffort", "conditions": [condition]}


def termination_message(
    results: Iterable[tuple[str, Any]], facts: Mapping[str, str] | None = None
) -> str:
    """What the entrypoint leaves behind: results, and facts about the step, as JSON."""
    listed: list[JsonObject] = []
    for name, value in results:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        listed.append({"key": name, "value": text, "type": 1})
    listed += [{"key": key, "value": it, "type": 3} for key, it in (facts or {}).items()]
    return msgspec.json.encode(listed).decode() if listed else ""


def _condition(kind: str, holds: bool, message: str, stamp: str) -> JsonObject:  # noqa: FBT001
    condition: JsonObject = {
        "type": kind,
        "status": "True" if holds else "False",
        "lastProbeTime": None,
        "lastTransitionTime": stamp,
    }
    if message and not holds:
        condition["message"] = message
    return condition


def _names(what: str, containers: list[str]) -> str:
    listed = " ".join(containers)
    return f"containers with {what} status: [{listed}]" if containers else ""
