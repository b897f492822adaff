# SPDX-License-Identifier: Apache-2.0
"""Tekton's controller for PipelineRuns: makes TaskRuns in their order, and tells how it goes.

    cluster.controllers += [TaskRuns(), PipelineRuns(), Node(decide)]

All tasks that are ready are made in one pass, before the status says so. Conditions, results,
matrices, final tasks, the three ways of stopping and the three time-outs are imitated; custom
tasks, resolvers, pipelines in pipelines and the affinity assistant are not.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster import Change
from okd_payload.cluster.kinds import PERSISTENT_VOLUME_CLAIM, PIPELINE, PIPELINE_RUN, TASK_RUN
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
from okd_payload.testing.tekton.admission.values import SECOND, duration_text, nanoseconds
from okd_payload.testing.tekton.controllers.children import make_task_run, read_children
from okd_payload.testing.tekton.controllers.pipeline_graph import STOPPING, Child, Graph, Task
from okd_payload.testing.tekton.controllers.pipeline_verdicts import (
    STOPS,
    count_tasks,
    find_problem,
    judge_end,
)
from okd_payload.testing.tekton.controllers.pods import claims_of
from okd_payload.testing.tekton.controllers.reconciling import Controller, Key
from okd_payload.testing.tekton.controllers.substitution import Values, param_values
from okd_payload.testing.tekton.controllers.task_run_status import PROVENANCE, Verdict
from okd_payload.testing.tekton.controllers.task_runs import condition_of, is_done, moment

_CANCELLED = "TaskRun cancelled as the PipelineRun it belongs to has been cancelled."
_TIMED_OUT = "TaskRun cancelled as the PipelineRun it belongs to has timed out."
_PIPELINE_LABEL = "tekton.dev/pipeline"
_RUNNING_FINALLY = {
    "CancelledRunFinally": "CancelledRunningFinally",
    "StoppedRunFinally": "StoppedRunningFinally",
}


class PipelineRuns(Controller):
    """The controller."""

    kinds = (PIPELINE_RUN, TASK_RUN)

    def key_of(self, change: Change, document: JsonObject) -> Key | None:
        """The PipelineRun itself, or that of the TaskRun."""
        if document.get("kind") == "TaskRun":
            name = labels_of(document).get("tekton.dev/pipelineRun", "")
            return Key(namespace_of(document), name)
        return None if change is Change.DELETED else Key(namespace_of(document), name_of(document))

    def reconcile(self, cluster: SimulatedCluster, key: Key) -> float | None:
        """Bring the run one step further; come back when the next time-out is over."""
        run = cluster.find(PIPELINE_RUN, key.name, namespace=key.namespace)
        if run is not None and not is_done(run) and not metadata_of(run).get("deletionTimestamp"):
            _Pass(cluster, run).reconcile()
            run = cluster.find(PIPELINE_RUN, key.name, namespace=key.namespace)
        if run is None or is_done(run):
            return None
        now = cluster.state.clock.now()
        return min((it for it in Limits(run).moments() if it > now), default=None)


class Limits:
    """When the parts of a PipelineRun must be over."""

    def __init__(self, run: JsonObject) -> None:
        self.text = {key: str(it) for key, it in object_at(run, "spec", "timeouts").items()}
        """The time-outs as they are written."""
        self._started = text_at(run, "status", "startTime")
        self._final = text_at(run, "status", "finallyStartTime")

    def over(self, part: str, now: float) -> bool:
        """Whether the time of ``pipeline``, ``tasks`` or ``finally`` is over."""
        start = self._final if part == "finally" else self._started
        limit = nanoseconds(self.text[part]) / SECOND if part in self.text else 0
        return bool(start and limit and now - moment(start) >= limit)

    def moments(self) -> list[float]:
        """When any of them is over."""
        found = []
        for part, text in self.text.items():
            start = self._final if part == "finally" else self._started
            if start and nanoseconds(text):
                found.append(moment(start) + nanoseconds(text) / SECOND)
        return found


class _Pass:
    """One look at one run."""

    def __init__(self, cluster: SimulatedCluster, run: JsonObject) -> None:
        self._cluster = cluster
        self._run = run
        self._name, self._namespace = name_of(run), namespace_of(run)
        self._status = dict(object_at(run, "status"))
        self._now = cluster.state.stamp()
        self._limits = Limits(run)
        self._wish = text_at(run, "spec", "status")

    def reconcile(self) -> None:
        """Bring the run one step further."""
        if self._wish == "PipelineRunPending":
            message = f'PipelineRun "{self._name}" is pending'
            self._write(Verdict("Unknown", "PipelineRunPending", message))
            return
        spec = self._spec()
        if spec is None:
            return
        if self._wish == "Cancelled":
            self._cancel(_CANCELLED)
            message = f'PipelineRun "{self._name}" was cancelled'
            self._end(Verdict("False", "Cancelled", message))
            return
        clock = self._cluster.state.clock.now()
        if self._limits.over("pipeline", clock):
            self._cancel(_TIMED_OUT)
            limit = duration_text(nanoseconds(self._limits.text["pipeline"]))
            message = f'PipelineRun "{self._name}" failed to finish within "{limit}"'
            self._end(Verdict("False", "PipelineRunTimeout", message))
            return
        graph = Graph(spec, self._children(), self._values(spec))
        self._advance(graph, late=self._limits.over("tasks", clock))

    def _advance(self, graph: Graph, *, late: bool) -> None:
        stop = STOPS.get(self._wish, STOPPING if late else "")
        if self._wish == "CancelledRunFinally":
            self._cancel(_CANCELLED, member="tasks")
        elif late and self._cancel(_TIMED_OUT, member="tasks"):
            # The controller is content with this for now, and counts when they have ended.
            tasks = [*graph.tasks.values(), *graph.final.values()]
            message = count_tasks(tasks, ended=False)
            self._write(Verdict("Unknown", "PipelineRunTimeoutRunningFinally", message))
            return
        graph.settle(stop=stop)
        for task in graph.ready():
            self._start(graph, task, "tasks")
        if all(it.done for it in graph.tasks.values()):
            graph.settle_final()
            for task in graph.ready_final():
                self._start(graph, task, "finally")
            if any(it.started for it in graph.final.values()):
                self._status.setdefault("finallyStartTime", self._now)
            if self._limits.over("finally", self._cluster.state.clock.now()):
                self._cancel(_TIMED_OUT, member="finally")
        if not graph.is_failing() and not self._is_told(graph):
            self._tell(graph, late=late)

    def _is_told(self, graph: Graph) -> bool:
        """Whether somebody asked to stop, and no task has ended since: the status can wait."""
        if self._wish != "StoppedRunFinally":
            return False
        ended = sum(it.started and it.done for it in graph.tasks.values())
        before = condition_of(self._run).get("message", "")
        return before.startswith(f"Tasks Completed: {ended} ") and not graph.final_begun()

    def _start(self, graph: Graph, task: Task, member: str) -> None:
        make_task_run(self._cluster, self._run, graph, task, member=member)
        task.children = self._children().get(task.name, [])

    def _tell(self, graph: Graph, *, late: bool) -> None:
        self._status["childReferences"] = self._references(graph)
        skipped = [
            {"name": it.name, "reason": it.skipped}
            | ({"whenExpressions": graph.fill_in(it.spec["when"])} if "when" in it.spec else {})
            for it in (*graph.tasks.values(), *graph.final.values())
            if it.skipped
        ]
        if skipped:
            self._status["skippedTasks"] = skipped
        tasks = [*graph.tasks.values(), *graph.final.values()]
        begun = all(it.done for it in graph.tasks.values())
        if begun and all(it.done for it in tasks):
            limit = self._limits.text.get("tasks", "") if late else ""
            self._end(judge_end(self._run, graph, late=limit), graph)
            return
        reason = "Running"
        if late:
            reason = "PipelineRunTimeoutRunningFinally"
        elif self._wish in _RUNNING_FINALLY:
            reason = _RUNNING_FINALLY[self._wish]
        elif any(it.cancelled for task in graph.tasks.values() for it in task.children):
            reason = "PipelineRunStopping"
        self._write(Verdict("Unknown", reason, count_tasks(tasks, ended=False)))

    def _references(self, graph: Graph) -> list[JsonObject]:
        references = []
        for task in (*graph.tasks.values(), *graph.final.values()):
            for child in task.children:
                reference: JsonObject = {
                    "apiVersion": "tekton.dev/v1",
                    "kind": "TaskRun",
                    "name": child.name,
                    "pipelineTaskName": task.name,
                }
                if "when" in task.spec:
                    reference["whenExpressions"] = graph.fill_in(task.spec["when"])
                if "displayName" in task.spec:
                    reference["displayName"] = task.spec["displayName"]
                references.append(reference)
        return references

    def _spec(self) -> JsonObject | None:
        """The pipeline; None after telling that it cannot be run."""
        if "pipelineSpec" in self._status:
            return object_at(self._status, "pipelineSpec")
        spec = object_at(self._run, "spec", "pipelineSpec")
        reference = text_at(self._run, "spec", "pipelineRef", "name")
        if not spec and reference:
            found = self._cluster.find(PIPELINE, reference, namespace=self._namespace)
            if found is None:
                text = f'pipelines.tekton.dev "{reference}" not found'
                message = (
                    f"Error retrieving pipeline for pipelinerun {self._place()}: "
                    f"error when getting Pipeline for PipelineRun {self._name}: "
                    f"tekton client cannot get pipeline {reference} from local cluster: {text}"
                )
                self._end(Verdict("False", "CouldntGetPipeline", message))
                return None
            spec = object_at(found, "spec")
        self._make_claims()
        self._status |= {"pipelineSpec": spec, "provenance": PROVENANCE}
        self._status.setdefault("startTime", self._now)
        if (verdict := find_problem(self._cluster, self._run, spec)) is not None:
            self._end(verdict)
            return None
        return spec

    def _make_claims(self) -> None:
        for claim in claims_of(self._run):
            self._cluster.create(PERSISTENT_VOLUME_CLAIM, claim, namespace=self._namespace)

    def _children(self) -> dict[str, list[Child]]:
        return read_children(self._cluster, self._run)

    def _values(self, spec: JsonObject) -> Values:
        given = list_at(self._run, "spec", "params")
        params = param_values(given, list_at(spec, "params"))
        texts = {
            **params.texts,
            "context.pipelineRun.name": self._name,
            "context.pipelineRun.namespace": self._namespace,
            "context.pipelineRun.uid": uid_of(self._run),
            "context.pipeline.name": text_at(self._run, "spec", "pipelineRef", "name")
            or self._name,
        }
        return msgspec.structs.replace(params, texts=texts)

    def _cancel(self, message: str, *, member: str = "") -> bool:
        """Tell the TaskRuns that still run to end; whether one had to be told."""
        told = False
        for run in self._cluster.objects(TASK_RUN, namespace=self._namespace):
            labels = labels_of(run)
            if labels.get("tekton.dev/pipelineRunUID") != uid_of(self._run) or is_done(run):
                continue
            if member and labels.get("tekton.dev/memberOf") != member:
                continue
            if not text_at(run, "spec", "status"):
                change = {"spec": {"status": "TaskRunCancelled", "statusMessage": message}}
                self._cluster.patch(TASK_RUN, name_of(run), change, namespace=self._namespace)
                told = True
        return told

    def _end(self, verdict: Verdict, graph: Graph | None = None) -> None:
        self._status.setdefault("startTime", self._now)
        self._status["completionTime"] = self._now
        if graph is not None and verdict.status == "True":
            results = self._results(graph)
            if results:
                self._status["results"] = results
        self._write(verdict)

    def _results(self, graph: Graph) -> list[JsonObject]:
        found = []
        for result in list_at(self._status, "pipelineSpec", "results"):
            # In a list a reference to a whole list is replaced by its entries.
            values = graph.fill_in([result["value"]])
            listed = len(values) != 1 or result["value"].endswith("[*])")
            value = values if listed else values[0]
            if "$(" not in str(value):
                found.append({"name": result["name"], "value": value})
        return found

    def _write(self, verdict: Verdict) -> None:
        if _PIPELINE_LABEL not in labels_of(self._run):
            self._mark()
        before = condition_of(self._run)
        same = all(before.get(key) == getattr(verdict, key) for key in ("reason", "message"))
        stamp = before["lastTransitionTime"] if before and same else self._now
        self._status["conditions"] = [verdict.condition(stamp)]
        self._cluster.set_status(PIPELINE_RUN, self._name, self._status, namespace=self._namespace)

    def _mark(self) -> None:
        """The run gets the name of its pipeline, and the labels and annotations of that."""
        reference = text_at(self._run, "spec", "pipelineRef", "name")
        found = None
        if reference:
            found = self._cluster.find(PIPELINE, reference, namespace=self._namespace)
        labels = labels_of(found or {}) | {_PIPELINE_LABEL: reference or self._name}
        metadata: JsonObject = {"labels": labels}
        if annotations := metadata_of(found or {}).get("annotations"):
            metadata["annotations"] = annotations
        change = {"metadata": metadata}
        self._cluster.patch(PIPELINE_RUN, self._name, change, namespace=self._namespace)

    def _place(self) -> str:
        return f"{self._namespace}/{self._name}"
