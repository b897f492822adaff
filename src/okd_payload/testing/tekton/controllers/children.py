# SPDX-License-Identifier: Apache-2.0
"""The TaskRuns of a PipelineRun: how they are made, and what is read from them."""

from __future__ import annotations

from collections import defaultdict

from okd_payload.cluster.kinds import TASK, TASK_RUN
from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    labels_of,
    list_at,
    metadata_of,
    name_of,
    namespace_of,
    object_at,
    text_at,
    uid_of,
)
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster
from okd_payload.testing.tekton.controllers.names import task_run_name
from okd_payload.testing.tekton.controllers.pipeline_graph import Child, Graph, Task
from okd_payload.testing.tekton.controllers.pods import RELEASE, claim_name, owner_of
from okd_payload.testing.tekton.controllers.task_runs import ON_ERROR, condition_of

_TIMED_OUT = "has timed out."
_EMBEDDED_ONLY = ("metadata", "spec", "apiVersion", "kind")


def read_children(cluster: SimulatedCluster, run: JsonObject) -> dict[str, list[Child]]:
    """The TaskRuns of a run by the task they belong to, in the order of their names."""
    children: dict[str, list[Child]] = defaultdict(list)
    for document in cluster.objects(TASK_RUN, namespace=namespace_of(run)):
        labels = labels_of(document)
        if labels.get("tekton.dev/pipelineRunUID") == uid_of(run):
            children[labels.get("tekton.dev/pipelineTask", "")].append(_read(document))
    for listed in children.values():
        listed.sort(key=lambda it: (len(it.name), it.name))
    return children


def make_task_run(
    cluster: SimulatedCluster, run: JsonObject, graph: Graph, task: Task, *, member: str
) -> None:
    """Make the TaskRun of a task, or those of its matrix."""
    combinations = graph.combinations(task) if "matrix" in task.spec else []
    if not combinations:
        document = _task_run(cluster, run, graph, task, member=member)
        cluster.create(TASK_RUN, document, namespace=namespace_of(run))
    for index, params in enumerate(combinations):
        document = _task_run(
            cluster, run, graph, task, member=member, suffix=f"-{index}", extra=params
        )
        cluster.create(TASK_RUN, document, namespace=namespace_of(run))


def _task_run(
    cluster: SimulatedCluster,
    run: JsonObject,
    graph: Graph,
    task: Task,
    *,
    member: str,
    suffix: str = "",
    extra: list[JsonObject] | None = None,
) -> JsonObject:
    own = _own(run, task.name)
    spec: JsonObject = {
        "params": [*graph.fill_in_params(list_at(task.spec, "params")), *(extra or [])],
        "serviceAccountName": own.get("serviceAccountName")
        or text_at(run, "spec", "taskRunTemplate", "serviceAccountName"),
        "retries": task.spec.get("retries", 0),
        "timeout": own.get("timeout") or task.spec.get("timeout"),
        "podTemplate": own.get("podTemplate")
        or object_at(run, "spec", "taskRunTemplate").get("podTemplate"),
        "stepSpecs": own.get("stepSpecs"),
        "computeResources": own.get("computeResources"),
        "workspaces": _workspaces(run, task),
        "taskRef": task.spec.get("taskRef"),
    }
    if "taskSpec" in task.spec:
        embedded = object_at(task.spec, "taskSpec")
        plain = {key: it for key, it in embedded.items() if key not in _EMBEDDED_ONLY}
        spec["taskSpec"] = graph.fill_in(plain)
    metadata = {
        "name": task_run_name(name_of(run), task.name + suffix),
        "namespace": namespace_of(run),
        "labels": _labels(cluster, run, task, own, member),
        "annotations": _annotations(run, task, own),
        "ownerReferences": [owner_of(run)],
    }
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": metadata,
        "spec": {key: it for key, it in spec.items() if it},
    }


def _labels(  # noqa: PLR0917 (what labels come from has no better order)
    cluster: SimulatedCluster, run: JsonObject, task: Task, own: JsonObject, member: str
) -> dict[str, str]:
    labels = dict(labels_of(run))
    labels |= object_at(task.spec, "taskSpec", "metadata").get("labels", {})
    labels |= object_at(own, "metadata").get("labels", {})
    reference = text_at(task.spec, "taskRef", "name")
    if reference:
        found = cluster.find(TASK, reference, namespace=namespace_of(run))
        labels |= labels_of(found or {}) | {"tekton.dev/task": reference}
    pipeline = text_at(run, "spec", "pipelineRef", "name") or name_of(run)
    return labels | {
        "tekton.dev/memberOf": member,
        "tekton.dev/pipeline": pipeline,
        "tekton.dev/pipelineRun": name_of(run),
        "tekton.dev/pipelineRunUID": uid_of(run),
        "tekton.dev/pipelineTask": task.name,
    }


def _annotations(run: JsonObject, task: Task, own: JsonObject) -> dict[str, str]:
    annotations = dict(metadata_of(run).get("annotations") or {})
    annotations.pop(RELEASE[0], None)
    annotations |= object_at(task.spec, "taskSpec", "metadata").get("annotations", {})
    annotations |= object_at(own, "metadata").get("annotations", {})
    if task.spec.get("onError"):
        annotations[ON_ERROR] = task.spec["onError"]
    return annotations


def _workspaces(run: JsonObject, task: Task) -> list[JsonObject]:
    bound = {it["name"]: it for it in list_at(run, "spec", "workspaces")}
    found = []
    for binding in list_at(task.spec, "workspaces"):
        source = bound.get(binding.get("workspace") or binding["name"])
        if source is None:
            continue
        workspace = {**source, "name": binding["name"]}
        if "volumeClaimTemplate" in workspace:
            del workspace["volumeClaimTemplate"]
            claim = claim_name(run, source["name"])
            workspace["persistentVolumeClaim"] = {"claimName": claim}
        if binding.get("subPath"):
            workspace["subPath"] = binding["subPath"]
        found.append(workspace)
    return found


def _own(run: JsonObject, task: str) -> JsonObject:
    for own in list_at(run, "spec", "taskRunSpecs"):
        if own.get("pipelineTaskName") == task:
            found: JsonObject = own
            return found
    return {}


def _read(document: JsonObject) -> Child:
    condition = condition_of(document)
    reason = condition.get("reason", "")
    if reason == "TaskRunCancelled" and condition.get("message", "").endswith(_TIMED_OUT):
        reason = "TaskRunTimeout"  # a task that was late failed; nobody cancelled it
    results = {it["name"]: it["value"] for it in list_at(document, "status", "results")}
    return Child(name_of(document), condition.get("status", "Unknown"), reason, results)
