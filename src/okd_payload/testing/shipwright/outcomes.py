# SPDX-License-Identifier: Apache-2.0
"""What a TaskRun means for its BuildRun, in Shipwright's words: pure.

After ``conditions.go``, ``failure_details.go`` and ``results.go`` in
``pkg/reconciler/buildrun/resources`` of shipwright-io/build.
"""

from __future__ import annotations

from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    list_at,
    name_of,
    namespace_of,
    text_at,
)
from okd_payload.testing.tekton.admission.values import duration_text, nanoseconds
from okd_payload.testing.tekton.controllers.task_run_status import Verdict
from okd_payload.testing.tekton.controllers.task_runs import condition_of


def judge_task_run(run: JsonObject, task_run: JsonObject) -> Verdict | None:
    """How the BuildRun stands; None while its TaskRun says nothing."""
    condition = condition_of(task_run)
    if not condition:
        return None
    status, reason, message = (condition[key] for key in ("status", "reason", "message"))
    if status != "False":
        return Verdict(status, reason, message)
    reason, message = _told(run, task_run, reason, message)
    return Verdict("False", reason, message)


def failure_details(task_run: JsonObject) -> JsonObject:
    """Where it failed, and why, if the strategy wrote it."""
    results = _results(task_run)
    details: JsonObject = {}
    pod, container = text_at(task_run, "status", "podName"), _failed_container(task_run)
    if pod and container:
        details["location"] = {"pod": pod, "container": container}
    for field, result in (("reason", "shp-error-reason"), ("message", "shp-error-message")):
        if results.get(result):
            details[field] = results[result]
    return details


def output_of(task_run: JsonObject) -> JsonObject | None:
    """Digest and size of the image; None when no result was written at all."""
    results = _results(task_run)
    if not results:
        return None
    output: JsonObject = {}
    if digest := results.get("shp-image-digest"):
        output["digest"] = digest.strip()
    if (size := results.get("shp-image-size", "")).strip().isdigit():
        output["size"] = int(size)
    return output


def _told(run: JsonObject, task_run: JsonObject, reason: str, message: str) -> tuple[str, str]:
    """Reason and message of the BuildRun for a TaskRun that failed."""
    asked = text_at(run, "spec", "state") == "BuildRunCanceled"
    if reason == "TaskRunTimeout":
        limit = duration_text(nanoseconds(text_at(task_run, "spec", "timeout")))
        return "BuildRunTimeout", f"BuildRun {name_of(run)} failed to finish within {limit}"
    if reason == "TaskRunCancelled" and asked:
        text = "The BuildRun and underlying TaskRun were canceled successfully."
        return "BuildRunCanceled", text
    if reason == "StepFailed":
        return "Failed", _about_step(task_run, "failed")
    if reason == "StepOOM":
        return "StepOutOfMemory", _about_step(task_run, "failed due to out-of-memory")
    return (reason if reason == "PodEvicted" else "Failed"), message


def _about_step(task_run: JsonObject, what: str) -> str:
    container = _failed_container(task_run)
    return (
        f"buildrun step {container} {what}, for detailed information: kubectl "
        f"--namespace {namespace_of(task_run)} logs {text_at(task_run, 'status', 'podName')} "
        f"--container={container}"
    )


def _failed_container(task_run: JsonObject) -> str:
    for step in list_at(task_run, "status", "steps"):
        ended = step.get("terminated") or {}
        if ended.get("exitCode") and step.get("terminationReason") != "Skipped":
            return str(step.get("container", ""))
    return ""


def _results(task_run: JsonObject) -> dict[str, str]:
    return {it["name"]: it["value"] for it in list_at(task_run, "status", "results")}
