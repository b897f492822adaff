# SPDX-License-Identifier: Apache-2.0
"""Shipwright's controller for BuildRuns: makes a TaskRun, and tells in the status how it goes.

After ``pkg/reconciler/buildrun`` of shipwright-io/build, with its TaskRun executor; recordings of
real runs are the judge.
"""

from __future__ import annotations

from okd_payload.cluster import Change
from okd_payload.cluster.kinds import (
    SERVICE_ACCOUNT,
    SHIPWRIGHT_BUILD,
    SHIPWRIGHT_BUILD_RUN,
    TASK_RUN,
)
from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    labels_of,
    list_at,
    metadata_of,
    name_of,
    namespace_of,
    object_at,
    text_at,
)
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster
from okd_payload.testing.shipwright.builds import check_build
from okd_payload.testing.shipwright.outcomes import failure_details, judge_task_run, output_of
from okd_payload.testing.shipwright.retention import keep_within_limits, over_at
from okd_payload.testing.shipwright.strategies import (
    Problem,
    check_all_given,
    check_values,
    combined_values,
    find_strategy,
)
from okd_payload.testing.shipwright.task_runs import task_run_of
from okd_payload.testing.tekton.controllers.pods import owner_of
from okd_payload.testing.tekton.controllers.reconciling import Controller, Key
from okd_payload.testing.tekton.controllers.task_run_status import Verdict
from okd_payload.testing.tekton.controllers.task_runs import condition_of, is_done

_REGISTRATION_SECONDS = 0.1
"""How soon a run looks again at a Build that is not checked yet."""
_MOST_NAME_CHARACTERS = 63
_GENERATED = ".generate"


class BuildRuns(Controller):
    """The controller."""

    kinds = (SHIPWRIGHT_BUILD_RUN, TASK_RUN)

    def key_of(self, change: Change, document: JsonObject) -> Key | None:
        """The BuildRun itself, or that of the TaskRun."""
        if document.get("kind") == "TaskRun":
            name = labels_of(document).get("buildrun.shipwright.io/name", "")
            return Key(namespace_of(document), name)
        return None if change is Change.DELETED else Key(namespace_of(document), name_of(document))

    def reconcile(self, cluster: SimulatedCluster, key: Key) -> float | None:
        """Bring the run one step further; come back when it is to be deleted."""
        run = cluster.find(SHIPWRIGHT_BUILD_RUN, key.name, namespace=key.namespace)
        if run is None or metadata_of(run).get("deletionTimestamp"):
            return None
        if not is_done(run):
            again = _Pass(cluster, run).reconcile()
            run = cluster.find(SHIPWRIGHT_BUILD_RUN, key.name, namespace=key.namespace)
            if again is not None or run is None or not is_done(run):
                return again
            keep_within_limits(cluster, run)
        over = over_at(cluster, run)
        if over is not None and over <= cluster.state.clock.now():
            cluster.delete(SHIPWRIGHT_BUILD_RUN, key.name, namespace=key.namespace)
            return None
        return over


class _Pass:
    """One look at one run."""

    def __init__(self, cluster: SimulatedCluster, run: JsonObject) -> None:
        self._cluster = cluster
        self._run = run
        self._name, self._namespace = name_of(run), namespace_of(run)
        self._status = dict(object_at(run, "status"))
        self._now = cluster.state.stamp()

    def reconcile(self) -> float | None:
        """One step; when to look again, if nothing else happens."""
        task_run = self._task_run()
        if task_run is not None:
            self._follow(task_run)
            return None
        build = self._own_problem() or self._build()
        if build is None:
            return self._cluster.state.clock.now() + _REGISTRATION_SECONDS
        if isinstance(build, Problem):
            self._end(Verdict("False", build.reason, build.message))
        else:
            self._begin(build)
        return None

    def _own_problem(self) -> Problem | None:
        if "executor" in self._status:
            return Problem("TaskRunIsMissing", "the TaskRun of the run is gone")
        if text_at(self._run, "spec", "state") == "BuildRunCanceled":
            return Problem("BuildRunCanceled", "the BuildRun is marked canceled.")
        if len(self._name) > _MOST_NAME_CHARACTERS:
            return Problem("BuildRunNameInvalid", "must be no more than 63 bytes")
        build = object_at(self._run, "spec", "build")
        if "name" in build and "spec" in build:
            message = "fields 'buildRef' and 'buildSpec' are mutually exclusive"
            return Problem("BuildRunAmbiguousBuild", message)
        if not build:
            return Problem("BuildRunNoRefOrSpec", "no build referenced or specified")
        return None

    def _build(self) -> JsonObject | Problem | None:
        """The Build, or one made of an embedded specification; None while it is not checked."""
        embedded = object_at(self._run, "spec", "build").get("spec")
        if embedded is not None:
            problem = check_build(self._cluster, embedded, self._namespace)
            return problem or {"spec": embedded}
        name = text_at(self._run, "spec", "build", "name")
        build = self._cluster.find(SHIPWRIGHT_BUILD, name, namespace=self._namespace)
        if build is None:
            return Problem("BuildNotFound", f'build.shipwright.io "{name}" not found')
        registered = text_at(build, "status", "registered")
        if registered == "False":
            reason = text_at(build, "status", "reason")
            return Problem(
                "BuildRegistrationFailed",
                f"the Build is not registered correctly, build: {name}, "
                f"registered status: False, reason: {reason}",
            )
        return build if registered else None

    def _begin(self, build: JsonObject) -> None:
        spec = object_at(build, "spec")
        if "metadata" in build:
            self._mark(build)
        self._status["buildSpec"] = spec
        self._put()
        strategy = find_strategy(self._cluster, spec, self._namespace)
        if isinstance(strategy, Problem):
            self._end(Verdict("False", strategy.reason, strategy.message))
            return
        own = object_at(self._run, "spec")
        problem = check_values(strategy, list_at(own, "paramValues"))
        problem = problem or check_all_given(strategy, combined_values(spec, own))
        account = self._account()
        if problem is None and isinstance(account, Problem):
            problem = account
        if problem is not None:
            self._end(Verdict("False", problem.reason, problem.message))
            return
        document = task_run_of(self._run, spec, strategy, account=str(account))
        made = self._cluster.create(TASK_RUN, document, namespace=self._namespace)
        name = name_of(made)
        self._status |= {"executor": {"kind": "TaskRun", "name": name}, "taskRunName": name}
        self._put()

    def _mark(self, build: JsonObject) -> None:
        """The run says what Build it is of, and goes with it if the Build wants that."""
        metadata: JsonObject = {
            "labels": {
                "build.shipwright.io/generation": str(metadata_of(build).get("generation", 1)),
                "build.shipwright.io/name": name_of(build),
            }
        }
        if object_at(build, "spec", "retention").get("atBuildDeletion"):
            metadata["ownerReferences"] = [owner_of(build)]
        self._run = self._cluster.patch(
            SHIPWRIGHT_BUILD_RUN, self._name, {"metadata": metadata}, namespace=self._namespace
        )

    def _account(self) -> str | Problem:
        wanted = text_at(self._run, "spec", "serviceAccount") or "default"
        if wanted == _GENERATED:
            metadata = {"name": self._name, "ownerReferences": [owner_of(self._run)]}
            document = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
            self._cluster.create(SERVICE_ACCOUNT, document, namespace=self._namespace)
            return self._name
        if self._cluster.find(SERVICE_ACCOUNT, wanted, namespace=self._namespace) is None:
            return Problem("ServiceAccountNotFound", f"service account {wanted} not found")
        return wanted

    def _follow(self, task_run: JsonObject) -> None:
        if text_at(self._run, "spec", "state") == "BuildRunCanceled" and not is_done(task_run):
            if not text_at(task_run, "spec", "status"):
                change = {"spec": {"status": "TaskRunCancelled"}}
                self._cluster.patch(TASK_RUN, name_of(task_run), change, namespace=self._namespace)
            message = (
                "The user requested the BuildRun to be canceled.  This BuildRun controller has "
                "requested the TaskRun be canceled.  That request has not been process by "
                "Tekton's TaskRun controller yet."
            )
            self._write(Verdict("Unknown", "BuildRunCanceled", message))
            return
        verdict = judge_task_run(self._run, task_run)
        if verdict is None:
            return
        if started := text_at(task_run, "status", "startTime"):
            self._status["startTime"] = started
        if verdict.status == "Unknown":
            self._write(verdict)
            return
        if (output := output_of(task_run)) is not None:
            self._status["output"] = output
        if verdict.reason in {"Failed", "StepOutOfMemory"}:
            self._status["failureDetails"] = failure_details(task_run)
        self._end(verdict)

    def _task_run(self) -> JsonObject | None:
        name = text_at(self._status, "executor", "name")
        return self._cluster.find(TASK_RUN, name, namespace=self._namespace) if name else None

    def _end(self, verdict: Verdict) -> None:
        self._status["completionTime"] = self._now
        self._write(verdict)

    def _write(self, verdict: Verdict) -> None:
        before = condition_of(self._run)
        same = all(before.get(key) == getattr(verdict, key) for key in ("reason", "message"))
        stamp = before["lastTransitionTime"] if before and same else self._now
        self._status["conditions"] = [verdict.condition(stamp)]
        self._put()

    def _put(self) -> None:
        self._cluster.set_status(
            SHIPWRIGHT_BUILD_RUN, self._name, self._status, namespace=self._namespace
        )
