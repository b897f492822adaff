# SPDX-License-Identifier: Apache-2.0
"""What is said of a PipelineRun: why it cannot be run, how far it is, and how it ended.

The words and their order are those of ``pkg/reconciler/pipelinerun/resources/pipelinerunstate.go``
of tektoncd/pipeline; the recordings of real runs are the judge.
"""

from __future__ import annotations

from okd_payload.cluster.kinds import TASK
from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    list_at,
    name_of,
    namespace_of,
    object_at,
    text_at,
)
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster
from okd_payload.testing.tekton.admission.values import duration_text, nanoseconds
from okd_payload.testing.tekton.controllers.pipeline_graph import Graph, Task
from okd_payload.testing.tekton.controllers.task_run_status import Verdict
from okd_payload.testing.tekton.controllers.validation import validate_params

STOPS = {
    "CancelledRunFinally": "PipelineRun was gracefully cancelled",
    "StoppedRunFinally": "PipelineRun was gracefully stopped",
}
"""Why tasks are skipped, by the wish in the specification."""


def find_problem(cluster: SimulatedCluster, run: JsonObject, spec: JsonObject) -> Verdict | None:
    """Why the run cannot be tried at all; None when it can."""
    place = f"{namespace_of(run)}/{name_of(run)}"
    pipeline = text_at(run, "spec", "pipelineRef", "name") or name_of(run)
    of = f"Pipeline {namespace_of(run)}/{pipeline}"
    given = {it["name"] for it in list_at(run, "spec", "params")}
    missing = [
        it["name"]
        for it in list_at(spec, "params")
        if it["name"] not in given and "default" not in it
    ]
    if missing:
        return Verdict(
            "False",
            "ParameterMissing",
            f"[User error] PipelineRun {place} is missing some parameters required by {of}: "
            f"pipelineRun missing parameters: [{' '.join(missing)}]",
        )
    bound = {it["name"] for it in list_at(run, "spec", "workspaces")}
    for workspace in list_at(spec, "workspaces"):
        if workspace["name"] not in bound and not workspace.get("optional"):
            return Verdict(
                "False",
                "InvalidWorkspaceBindings",
                f"[User error] PipelineRun {place} doesn't bind {of}'s Workspaces correctly: "
                f'pipeline requires workspace with name "{workspace["name"]}" '
                "be provided by pipelinerun",
            )
    for task in (*list_at(spec, "tasks"), *list_at(spec, "finally")):
        if (verdict := _task_problem(cluster, run, task)) is not None:
            return verdict
    return None


def judge_end(run: JsonObject, graph: Graph, *, late: str) -> Verdict:
    """How the run ended; ``late`` is the time-out of its tasks that was exceeded."""
    tasks = [*graph.tasks.values(), *graph.final.values()]
    message = count_tasks(tasks, ended=True)
    if late:
        limit = duration_text(nanoseconds(late))
        why = f'failed due to tasks failed to finish within "{limit}"'
        return Verdict("False", "PipelineRunTimeout", f'PipelineRun "{name_of(run)}" {why}')
    if any(it.invalid for it in tasks):
        return Verdict("False", "PipelineValidationFailed", message)
    children = [child for task in tasks for child in task.children]
    own_failures = [it for it in children if it.failed and not it.cancelled]
    if text_at(run, "spec", "status") in STOPS and not own_failures:
        return Verdict("False", "Cancelled", f'PipelineRun "{name_of(run)}" was cancelled')
    if any(it.cancelled for it in children):
        return Verdict("False", "Cancelled", message)
    if own_failures:
        return Verdict("False", "Failed", message)
    reason = "Completed" if any(it.skipped for it in tasks) else "Succeeded"
    return Verdict("True", reason, message)


def count_tasks(tasks: list[Task], *, ended: bool) -> str:
    """The message of the condition: how many tasks are in which state."""
    done = [it for it in tasks if it.started and it.done]
    cancelled = [it for it in done if any(child.cancelled for child in it.children)]
    ignored = [it for it in done if it.outcome == "Failed" and not it.failed]
    failed = [it for it in done if it.outcome == "Failed" and it not in cancelled]
    if not ended:
        failed = [it for it in failed if it not in ignored]
    skipped = [it for it in tasks if it.skipped]
    invalid = [it.invalid for it in tasks if it.invalid]
    failures = f"Failed: {len(failed)}"
    if ignored and ended:
        failures += f" (Ignored: {len(ignored)})"
    text = f"Tasks Completed: {len(done)} ({failures}, Cancelled {len(cancelled)})"
    if not ended:
        text += f", Incomplete: {len(tasks) - len(done) - len(skipped) - len(invalid)}"
    text += f", Skipped: {len(skipped)}"
    if invalid and ended:
        text += f", Failed Validation: {len(invalid)} ({', '.join(invalid)})"
    return text


def _task_problem(cluster: SimulatedCluster, run: JsonObject, task: JsonObject) -> Verdict | None:
    reference, spec = text_at(task, "taskRef", "name"), object_at(task, "taskSpec")
    if reference:
        found = cluster.find(TASK, reference, namespace=namespace_of(run))
        if found is None:
            return Verdict(
                "False",
                "CouldntGetTask",
                f"Pipeline {namespace_of(run)}/{name_of(run)} can't be Run; "
                f"it contains Tasks that don't exist: Couldn't retrieve Task \"{reference}\": "
                f'tasks.tekton.dev "{reference}" not found',
            )
        spec = object_at(found, "spec")
    matrix = object_at(task, "matrix")
    given = [*list_at(task, "params"), *list_at(matrix, "params")]
    given += [it for include in list_at(matrix, "include") for it in list_at(include, "params")]
    # Values are not known yet: only what is missing altogether can be told.
    names = {it["name"] for it in given}
    lacking = [it for it in list_at(spec, "params") if it["name"] not in names]
    if problem := validate_params([], lacking):
        return Verdict(
            "False",
            "PipelineValidationFailed",
            f"[User error] Validation failed for pipelinerun {name_of(run)} with error "
            f"invalid input params for task {reference}: {problem}",
        )
    return None
