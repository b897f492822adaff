# SPDX-License-Identifier: Apache-2.0
"""What a pod means for the status of its TaskRun: pure, as Tekton decides it.

After ``pkg/pod/status.go`` of tektoncd/pipeline; the recordings of real runs are the judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    list_at,
    object_at,
    text_at,
)
from okd_payload.testing.tekton.controllers.pods import step_name

PROVENANCE: JsonObject = {
    "featureFlags": {
        "awaitSidecarReadiness": True,
        "coschedule": "workspaces",
        "enableAPIFields": "beta",
        "enableProvenanceInStatus": True,
        "enforceNonfalsifiability": "none",
        "maxResultSize": 4096,
        "resultExtractionMethod": "termination-message",
        "runningInEnvWithInjectedSidecars": True,
        "sendCloudEventsForRuns": True,
        "verificationNoMatchPolicy": "ignore",
    }
}
"""The flags of a cluster as released."""

_PULLS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName")


class Verdict(msgspec.Struct, frozen=True):
    """The condition ``Succeeded`` of a run."""

    status: str
    reason: str
    message: str
    completed: bool = False
    """Whether the run has its time of completion."""
    final: bool = False
    """Whether artifacts and results are told."""

    def condition(self, stamp: str) -> JsonObject:
        """The condition as it stands in the status."""
        return {
            "type": "Succeeded",
            "status": self.status,
            "reason": self.reason,
            "message": self.message,
            "lastTransitionTime": stamp,
        }


def judge_pod(pod: JsonObject, spec: JsonObject) -> Verdict:
    """How the run stands while its pod is like this."""
    status = object_at(pod, "status")
    steps = _states(pod, spec)
    ended = [it for _, it in steps if "terminated" in it]
    killed = [it for it in ended if it["terminated"].get("reason") == "OOMKilled"]
    if len(ended) == len(steps) or killed or status.get("phase") in {"Succeeded", "Failed"}:
        return _judge_end(pod, steps)
    if status.get("phase") == "Running":
        return Verdict("Unknown", "Running", "Not all Steps in the Task have finished executing")
    return _judge_wait(status, steps)


def gives_up(pod: JsonObject, spec: JsonObject) -> tuple[str, str] | None:
    """The step whose image is not to be had, and what the node says; None when all is well."""
    for name, state in _states(pod, spec):
        waiting = state.get("waiting", {})
        if waiting.get("reason") in {"ImagePullBackOff", "InvalidImageName"}:
            return name, waiting.get("message", "")
    return None


def step_states(
    pod: JsonObject | None, spec: JsonObject, before: list[JsonObject]
) -> list[JsonObject]:
    """The ``steps`` of the status; as they were where the pod says nothing yet."""
    known = {it["name"]: it for it in list_at(pod or {}, "status", "containerStatuses")}
    if not known:
        names = [step_name(step, index) for index, step in enumerate(list_at(spec, "steps"))]
        if [it["name"] for it in before] == names:
            return before
        return [{"name": name, "provenance": {}} for name in names]
    states = []
    for name, state in _states(pod or {}, spec):
        container = f"step-{name}"
        entry: JsonObject = {"name": name, "container": container, "provenance": {}}
        if image := known.get(container, {}).get("imageID"):
            entry["imageID"] = image
        states.append(entry | _shown(state))
    return states


def sidecar_states(pod: JsonObject, spec: JsonObject) -> list[JsonObject]:
    """The ``sidecars`` of the status, once the node tells of them."""
    known = {it["name"]: it for it in list_at(pod, "status", "containerStatuses")}
    containers = [(it["name"], f"sidecar-{it['name']}") for it in list_at(spec, "sidecars")]
    return [
        {"name": name, "container": container, **known[container]["state"]}
        for name, container in containers
        if container in known
    ]


def stopped(steps: list[JsonObject], reason: str, pod: str, stamp: str) -> list[JsonObject]:
    """The steps when the controller ends them: what had not ended is said to have failed."""
    changed = []
    for step in steps:
        if "running" not in step and "waiting" not in step:
            changed.append(step)
            continue
        ended = {key: it for key, it in step.items() if key not in {"running", "waiting"}}
        started = step.get("running", {}).get("startedAt", stamp)
        ended["terminated"] = {
            "exitCode": 1,
            "reason": reason,
            "message": f"Step {step['name']} terminated as pod {pod} is terminated",
            "startedAt": started,
            "finishedAt": stamp,
        }
        changed.append(ended | {"terminationReason": reason})
    return changed


def results_of(pod: JsonObject, spec: JsonObject) -> list[JsonObject]:
    """The declared results that steps wrote, in the order of their containers."""
    declared = _declared(spec)
    return [
        {"name": name, "type": declared[name], "value": value}
        for name, value in _written(pod, spec).items()
        if type_of_result(value) == declared[name]
    ]


def results_problem(pod: JsonObject, spec: JsonObject) -> str:
    """What is wrong with the results of steps that ended well; empty when nothing is."""
    declared, written = _declared(spec), _written(pod, spec)
    for name, value in written.items():
        if (found := type_of_result(value)) != declared[name]:
            return (
                "[User error] Provided results don't match declared results; may be invalid JSON "
                f'or missing result declaration:  "{name}": task result is expected to be '
                f'"{declared[name]}" type but was initialized to a different type "{found}"'
            )
    lacking = []
    for result in list_at(spec, "results"):
        value = written.get(result["name"])
        if isinstance(value, dict):
            keys = [it for it in result.get("properties", {}) if it not in value]
            if keys:
                twice = " ".join(it for key in keys for it in (key, key))  # told twice, really
                lacking.append(f"{result['name']}:[{twice}]")
    if not lacking:
        return ""
    what = "missing keys for these results which are required in TaskResult's properties"
    return f"[User error] {what} map[{' '.join(lacking)}]"


def type_of_result(value: Any) -> str:
    """The type of a result that has this value."""
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _declared(spec: JsonObject) -> dict[str, str]:
    """The types of the results that a task declares."""
    return {it["name"]: it.get("type", "string") for it in list_at(spec, "results")}


def _written(pod: JsonObject, spec: JsonObject) -> dict[str, Any]:
    """What steps wrote for declared results, step by step; the last one counts."""
    declared = _declared(spec)
    return {
        entry["key"]: _typed(entry["value"], declared[entry["key"]])
        for _, state in _states(pod, spec)
        for entry in _message(state)
        if entry["type"] == 1 and entry["key"] in declared
    }


def _judge_end(pod: JsonObject, steps: list[tuple[str, JsonObject]]) -> Verdict:
    if text_at(pod, "status", "reason") == "Evicted":
        message = text_at(pod, "status", "message")
        return Verdict("False", "PodEvicted", message, completed=True, final=True)
    for name, state in steps:
        terminated = state.get("terminated")
        if not terminated or not terminated["exitCode"] or _fact(state, "Reason") == "Skipped":
            continue
        reason = "StepOOM" if terminated["reason"] == "OOMKilled" else "StepFailed"
        message = f'"step-{name}" exited with code {terminated["exitCode"]}: {terminated["reason"]}'
        return Verdict("False", reason, message, completed=True, final=True)
    message = "All Steps have completed executing"
    return Verdict("True", "Succeeded", message, completed=True, final=True)


def _judge_wait(status: JsonObject, steps: list[tuple[str, JsonObject]]) -> Verdict:
    for name, state in steps:
        waiting = state.get("waiting", {})
        if waiting.get("reason") == "CreateContainerConfigError":
            text = "Failed to create pod due to config error"
            return Verdict("False", "CreateContainerConfigError", text, final=True)
        if waiting.get("message"):
            quoted = msgspec.json.encode(waiting["message"]).decode()
            message = f'build step "step-{name}" is pending with reason {quoted}'
            pulls = waiting.get("reason") in _PULLS
            return Verdict("Unknown", "PullImageFailed" if pulls else "Pending", message)
    for condition in list_at(status, "conditions"):
        if condition["status"] == "True":
            continue
        text = condition.get("message", "")
        if condition.get("reason") == "Unschedulable" and "nsufficient" in text:
            message = "TaskRun Pod exceeded available resources"
            return Verdict("Unknown", "ExceededNodeResources", message)
        kind, quoted = condition["type"], msgspec.json.encode(text).decode()
        message = f'pod status "{kind}":"{condition["status"]}"; message: {quoted}'
        return Verdict("Unknown", "Pending", message)
    return Verdict("Unknown", "Pending", "Pending")


def _states(pod: JsonObject, spec: JsonObject) -> list[tuple[str, JsonObject]]:
    """The state of each step's container, in the order of the steps."""
    known = {it["name"]: it["state"] for it in list_at(pod, "status", "containerStatuses")}
    names = [step_name(step, index) for index, step in enumerate(list_at(spec, "steps"))]
    return [(name, known.get(f"step-{name}", {})) for name in names]


def _shown(state: JsonObject) -> JsonObject:
    if "terminated" not in state:
        return dict(state)
    terminated = dict(state["terminated"])
    results = [it for it in _message(state) if it["type"] == 1]
    terminated.pop("message", None)
    if results:
        terminated["message"] = msgspec.json.encode(results).decode()
    skipped, soft = _fact(state, "Reason"), _fact(state, "ExitCode")
    if soft:
        terminated["exitCode"] = int(soft)
    shown: JsonObject = {"terminated": terminated}
    if terminated["reason"] != "OOMKilled":
        usual = "Error" if terminated["exitCode"] else "Completed"
        shown["terminationReason"] = "Continued" if soft else skipped or usual
    return shown


def _fact(state: JsonObject, key: str) -> str:
    return next((it["value"] for it in _message(state) if it["key"] == key), "")


def _message(state: JsonObject) -> Iterator[JsonObject]:
    text = state.get("terminated", {}).get("message", "")
    yield from msgspec.json.decode(text) if text.startswith("[") else ()


def _typed(text: str, kind: str) -> Any:
    if kind == "string":
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
