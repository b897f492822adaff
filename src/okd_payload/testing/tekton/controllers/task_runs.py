# SPDX-License-Identifier: Apache-2.0
"""Tekton's controller for TaskRuns: makes pods and tells in the status what becomes of them.

    tekton = TaskRuns()
    cluster.controllers += [tekton, Node()]

Validates, makes the pod, follows it, tries again, cancels, and ends what takes too long. A pod
that vanishes is made again under its name, as Tekton does. ``pause`` and ``resume`` are a
controller that is away for a while: nothing is lost, the status stands still.

Not imitated: resolvers, sidecar images, breakpoints, limits on the size of results, affinity.
"""

from __future__ import annotations

import datetime as dt

from okd_payload.cluster import Change
from okd_payload.cluster.kinds import PERSISTENT_VOLUME_CLAIM, POD, SERVICE_ACCOUNT, TASK, TASK_RUN
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
from okd_payload.testing.kubernetes.statuses import Refusal
from okd_payload.testing.tekton.admission.values import SECOND, duration_text, nanoseconds
from okd_payload.testing.tekton.controllers.names import pod_name
from okd_payload.testing.tekton.controllers.pods import RELEASE, claims_of, pod_of
from okd_payload.testing.tekton.controllers.reconciling import Controller, Key
from okd_payload.testing.tekton.controllers.substitution import fill_in, values_of
from okd_payload.testing.tekton.controllers.task_run_status import (
    PROVENANCE,
    Verdict,
    gives_up,
    judge_pod,
    results_of,
    results_problem,
    sidecar_states,
    step_states,
    stopped,
)
from okd_payload.testing.tekton.controllers.validation import validate_task_run

_QUOTA_SECONDS = 60.0
ON_ERROR = "pipeline.tekton.dev/pipeline-task-on-error"
"""The annotation of a TaskRun whose failure does not count for its PipelineRun."""


class TaskRuns(Controller):
    """The controller."""

    kinds = (TASK_RUN, POD)

    def key_of(self, change: Change, document: JsonObject) -> Key | None:
        """The TaskRun itself, or that of the pod."""
        if document.get("kind") == "Pod":
            return Key(namespace_of(document), labels_of(document).get("tekton.dev/taskRun", ""))
        return None if change is Change.DELETED else Key(namespace_of(document), name_of(document))

    def reconcile(self, cluster: SimulatedCluster, key: Key) -> float | None:
        """Bring the run one step further; come back when the time of its try is over."""
        run = cluster.find(TASK_RUN, key.name, namespace=key.namespace)
        if run is not None and not is_done(run):
            _Pass(cluster, run).reconcile()
            run = cluster.find(TASK_RUN, key.name, namespace=key.namespace)
        if run is None or is_done(run):
            return None
        started = text_at(run, "status", "startTime")
        if started:
            limit = nanoseconds(text_at(run, "spec", "timeout") or "1h") / SECOND
            return moment(started) + limit if limit else None
        if condition_of(run).get("reason") == "ExceededResourceQuota":
            return moment(condition_of(run)["lastTransitionTime"]) + _QUOTA_SECONDS
        return None


class _Pass:
    """One look at one run."""

    def __init__(self, cluster: SimulatedCluster, run: JsonObject) -> None:
        self._cluster = cluster
        self._run = run
        self._status = dict(object_at(run, "status"))
        self._namespace = namespace_of(run)
        self._now = cluster.state.stamp()

    def reconcile(self) -> None:
        """Bring the run one step further."""
        if text_at(self._run, "spec", "status") == "TaskRunPending":
            return
        if text_at(self._run, "spec", "status") == "TaskRunCancelled":
            said = text_at(self._run, "spec", "statusMessage")
            message = f'TaskRun "{name_of(self._run)}" was cancelled. {said}'
            self._stop(Verdict("False", "TaskRunCancelled", message, completed=True))
        elif self._is_late():
            self._time_out()
        elif (spec := self._spec()) is not None:
            pod = self._pod()
            if pod is None and not self._waits_for_quota():
                self._make_pod(spec)
            elif pod is not None:
                self._follow(spec, pod)

    def _spec(self) -> JsonObject | None:
        """The task with its variables filled in; None after telling that there is none."""
        if "taskSpec" in self._status and self._status.get("podName"):
            return object_at(self._status, "taskSpec")
        spec = object_at(self._run, "spec", "taskSpec")
        task = self._task_name()
        if not spec and task:
            found = self._cluster.find(TASK, task, namespace=self._namespace)
            if found is None:
                message = (
                    f"error when listing tasks for taskRun {name_of(self._run)}: "
                    f'tasks.tekton.dev "{task}" not found'
                )
                self._status.pop("steps", None)
                self._finish(Verdict("False", "TaskRunResolutionFailed", message, completed=True))
                return None
            spec = object_at(found, "spec")
        retries = len(list_at(self._status, "retriesStatus"))
        filled: JsonObject = fill_in(spec, values_of(self._run, spec, retries))
        self._status |= {"taskSpec": filled, "provenance": PROVENANCE}
        problem = validate_task_run(self._run, spec, task or name_of(self._run))
        if problem:
            self._status["steps"] = step_states(None, filled, [])
            verdict = Verdict("False", "TaskRunValidationFailed", problem, completed=True)
            self._finish(verdict)
            return None
        return filled

    def _make_pod(self, spec: JsonObject) -> None:
        retries = len(list_at(self._status, "retriesStatus"))
        name = self._status.get("podName") or pod_name(name_of(self._run), retries)
        self._status["steps"] = step_states(None, spec, list_at(self._status, "steps"))
        account = text_at(self._run, "spec", "serviceAccountName")
        if self._cluster.find(SERVICE_ACCOUNT, account, namespace=self._namespace) is None:
            message = f'translating TaskSpec to Pod: serviceaccounts "{account}" not found'
            self._refused(message)
            return
        try:
            for claim in claims_of(self._run):
                if (
                    self._cluster.find(
                        PERSISTENT_VOLUME_CLAIM, name_of(claim), namespace=self._namespace
                    )
                    is None
                ):
                    self._cluster.create(PERSISTENT_VOLUME_CLAIM, claim, namespace=self._namespace)
            self._cluster.create(POD, pod_of(self._run, spec, name), namespace=self._namespace)
        except Refusal as refusal:
            self._refused(refusal.message)
            return
        self._status |= {"podName": name, "startTime": self._now}
        self._write(Verdict("Unknown", "Pending", "Pending"))

    def _refused(self, said: str) -> None:
        name = name_of(self._run)
        self._status["podName"] = ""
        if "exceeded quota" in said:
            message = f"TaskRun Pod exceeded available resources: {said}"
            self._status.pop("startTime", None)
            self._write(Verdict("Unknown", "ExceededResourceQuota", message))
        elif "violates PodSecurity" in said:
            self._finish(Verdict("False", "PodAdmissionFailed", said, completed=True))
        else:
            message = f'failed to create task run pod "{name}": {said}. Maybe invalid TaskSpec'
            self._finish(Verdict("False", "PodCreationFailed", message, completed=True))

    def _follow(self, spec: JsonObject, pod: JsonObject) -> None:
        marked = "tekton.dev/ready" in (metadata_of(pod).get("annotations") or {})
        if text_at(pod, "status", "phase") == "Running" and not marked:
            change = {"metadata": {"annotations": {"tekton.dev/ready": "READY"}}}
            self._cluster.patch(POD, name_of(pod), change, namespace=self._namespace)
        verdict = judge_pod(pod, spec)
        if verdict.status == "True" and (problem := results_problem(pod, spec)):
            verdict = Verdict(
                "False", "TaskRunValidationFailed", problem, completed=True, final=True
            )
        self._status["steps"] = step_states(pod, spec, list_at(self._status, "steps"))
        if sidecars := sidecar_states(pod, spec):
            self._status["sidecars"] = sidecars
        if verdict.final:
            self._status["artifacts"] = {}
            results = results_of(pod, spec) if verdict.reason != "StepOOM" else []
            if results:
                self._status["results"] = results
        if verdict.status == "False" and verdict.completed and self._may_retry():
            self._retry(verdict)
            return
        self._write(verdict)
        given_up = gives_up(pod, spec)
        if given_up is not None:
            step, said = given_up
            message = (
                f'the step "{step}" in TaskRun "{name_of(self._run)}" failed to pull the image '
                f'"". The pod errored with the message: "{said}."'
            )
            self._stop(Verdict("False", "TaskRunImagePullFailed", message, completed=True))

    def _stop(self, verdict: Verdict) -> None:
        """End the run whatever its pod does: the pod is deleted."""
        pod = self._pod()
        if pod is not None and not metadata_of(pod).get("deletionTimestamp"):
            self._cluster.delete(POD, name_of(pod), namespace=self._namespace)
        name = self._status.get("podName", "")
        steps = list_at(self._status, "steps")
        if steps:
            self._status["steps"] = stopped(steps, verdict.reason, name, self._now)
        if verdict.reason != "TaskRunCancelled" and self._may_retry():
            self._retry(verdict)
            return
        self._finish(verdict)

    def _time_out(self) -> None:
        limit = duration_text(nanoseconds(text_at(self._run, "spec", "timeout")))
        message = f'TaskRun "{name_of(self._run)}" failed to finish within "{limit}"'
        before = condition_of(self._run)
        if before.get("reason") != "Running":
            message += f"\nPrevious status: [{before.get('reason')}] {before.get('message')}"
        self._stop(Verdict("False", "TaskRunTimeout", message, completed=True))

    def _retry(self, verdict: Verdict) -> None:
        """Put this try aside and begin the next one."""
        before = list_at(self._status, "retriesStatus")
        ended = {key: it for key, it in self._status.items() if key != "retriesStatus"}
        ended |= {"conditions": [verdict.condition(self._now)], "completionTime": self._now}
        for key in ("startTime", "completionTime", "results"):
            self._status.pop(key, None)
        self._status |= {"podName": "", "retriesStatus": [*before, ended]}
        self._write(Verdict("Unknown", "ToBeRetried", verdict.message))

    def _finish(self, verdict: Verdict) -> None:
        self._status.setdefault("startTime", self._now)
        self._status.setdefault("podName", "")
        self._write(verdict)

    def _write(self, verdict: Verdict) -> None:
        annotations = metadata_of(self._run).get("annotations") or {}
        if annotations.get(ON_ERROR) == "continue" and verdict.reason == "StepFailed":
            verdict = Verdict("False", "FailureIgnored", verdict.message, completed=True)
        if RELEASE[0] not in annotations:
            change = {"metadata": {"annotations": dict([RELEASE])}}
            self._cluster.patch(TASK_RUN, name_of(self._run), change, namespace=self._namespace)
        if verdict.completed:
            self._status["completionTime"] = self._now
        before = condition_of(self._run)
        same = all(before.get(key) == getattr(verdict, key) for key in ("reason", "message"))
        same = same and verdict.reason != "ExceededResourceQuota"  # each refusal counts anew
        stamp = before["lastTransitionTime"] if before and same else self._now
        self._status["conditions"] = [verdict.condition(stamp)]
        self._cluster.set_status(
            TASK_RUN, name_of(self._run), self._status, namespace=self._namespace
        )

    def _pod(self) -> JsonObject | None:
        name = self._status.get("podName", "")
        found = self._cluster.find(POD, name, namespace=self._namespace) if name else None
        mine = found is not None and labels_of(found).get("tekton.dev/taskRunUID")
        return found if mine == uid_of(self._run) else None

    def _may_retry(self) -> bool:
        retries = int(object_at(self._run, "spec").get("retries", 0))
        return len(list_at(self._status, "retriesStatus")) < retries

    def _is_late(self) -> bool:
        limit = nanoseconds(text_at(self._run, "spec", "timeout") or "1h") / SECOND
        started = self._status.get("startTime", "")
        return bool(
            limit and started and self._cluster.state.clock.now() - moment(started) >= limit
        )

    def _waits_for_quota(self) -> bool:
        before = condition_of(self._run)
        if before.get("reason") != "ExceededResourceQuota":
            return False
        passed = self._cluster.state.clock.now() - moment(before["lastTransitionTime"])
        return passed < _QUOTA_SECONDS

    def _task_name(self) -> str:
        return text_at(self._run, "spec", "taskRef", "name")


def condition_of(document: JsonObject) -> JsonObject:
    """The condition ``Succeeded``; empty where there is none."""
    for condition in list_at(document, "status", "conditions"):
        if condition["type"] == "Succeeded":
            found: JsonObject = condition
            return found
    return {}


def is_done(document: JsonObject) -> bool:
    """Whether a run has ended, well or not."""
    return str(condition_of(document).get("status")) in {"True", "False"}


def moment(stamp: str) -> float:
    """The seconds since the epoch of a time stamp."""
    return dt.datetime.fromisoformat(stamp).timestamp()
