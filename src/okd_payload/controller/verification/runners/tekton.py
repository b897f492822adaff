# SPDX-License-Identifier: Apache-2.0
"""Runs that are PipelineRuns of Tekton: on any platform for which somebody wrote a Pipeline.

The contract comes as parameters, spelled as pipelines spell them (``release-image-latest``);
Tekton leaves those alone that the Pipeline does not declare. Credentials come as workspaces. A
run that nobody needs any more is cancelled so that its ``finally`` tasks still run: they take
down the clusters that it made.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import msgspec

from okd_payload.cluster import Cluster
from okd_payload.cluster.kinds import PIPELINE_RUN, TASK_RUN
from okd_payload.controller.model import RunState
from okd_payload.controller.records import releases
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.cluster_runs import (
    ClusterRun,
    deadline_of,
    labels_of_run,
    require_cluster,
)
from okd_payload.controller.verification.contract import as_parameters, make_contract
from okd_payload.controller.verification.endings import clean_words
from okd_payload.controller.verification.run_files import (
    ARTIFACTS,
    RunOutcome,
    tell_outcome,
)
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.controller.verification.settings import split_list
from okd_payload.errors import ClusterError, NoSuchObject
from okd_payload.release.output_file import write_output

_CANCELLED = "CancelledRunFinally"
_FAILED = frozenset({"Failed", "Completed"})
_ABORTED = frozenset(
    {
        "Cancelled",
        "CancelledRunningFinally",
        "PipelineRunCancelled",
        "PipelineRunStopped",
        "StoppedRunFinally",
    }
)
"""Reasons for which a PipelineRun has not succeeded; all others say nothing of the release."""
_TASK_BROKE = frozenset(
    {
        "CreateContainerConfigError",
        "PodAdmissionFailed",
        "PodCreationFailed",
        "PodEvicted",
        "TaskRunImagePullFailed",
        "TaskRunResolutionFailed",
        "TaskRunTimeout",
        "TaskRunValidationFailed",
    }
)
"""Reasons for which a task has not succeeded that say nothing of the release."""
_MAX_CHILDREN = 50


class _Condition(msgspec.Struct, frozen=True):
    type: str = ""
    status: str = "Unknown"
    reason: str = ""
    message: str = ""


class _Result(msgspec.Struct, frozen=True):
    name: str
    value: msgspec.Raw = msgspec.Raw(b"null")


class _Child(msgspec.Struct, frozen=True):
    name: str = ""
    kind: str = "TaskRun"


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    conditions: tuple[_Condition, ...] | None = None
    results: tuple[_Result, ...] | None = None
    child_references: tuple[_Child, ...] | None = None


class _PipelineRun(msgspec.Struct, frozen=True):
    status: _Status = _Status()


class _Step(msgspec.Struct, frozen=True):
    container: str = ""


class _TaskStatus(msgspec.Struct, frozen=True, rename="camel"):
    conditions: tuple[_Condition, ...] | None = None
    pod_name: str = ""
    steps: tuple[_Step, ...] | None = None

    @property
    def failure(self) -> str:
        """The reason why it has not succeeded; empty when it has, or goes on."""
        found = (each for each in self.conditions or () if each.type == "Succeeded")
        return next((each.reason for each in found if each.status == "False"), "")


class _TaskRun(msgspec.Struct, frozen=True):
    status: _TaskStatus = _TaskStatus()


class TektonRunner:
    """Implements ``Runner`` with PipelineRuns."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    async def start(self, context: RunContext) -> RunUpdate:
        """Make the PipelineRun, unless it is there. Raises ClusterError, InputError."""
        cluster = require_cluster(self._surroundings.cluster, "tekton")
        run = ClusterRun(cluster, PIPELINE_RUN, context)
        images = await self._surroundings.database.read(
            lambda unit: releases.read_inputs(unit, context.release.name)
        )
        parameters = as_parameters(make_contract(context, images))
        content = msgspec.json.encode(
            _describe(context, run.name, parameters, deadline=deadline_of(context))
        )
        return await self._tell(cluster, run, context, await run.ensure(content))

    async def poll(self, context: RunContext) -> RunUpdate:
        """How far it is; its results and logs once it has ended. Raises ClusterError."""
        cluster = require_cluster(self._surroundings.cluster, "tekton")
        run = ClusterRun(cluster, PIPELINE_RUN, context)
        found = await run.read()
        return run.gone() if found is None else await self._tell(cluster, run, context, found)

    async def cancel(self, context: RunContext) -> None:
        """Cancel it; its last tasks still tidy up. Raises ClusterError."""
        cluster = require_cluster(self._surroundings.cluster, "tekton")
        await ClusterRun(cluster, PIPELINE_RUN, context).patch({"spec": {"status": _CANCELLED}})

    async def _tell(
        self, cluster: Cluster, run: ClusterRun, context: RunContext, content: bytes
    ) -> RunUpdate:
        status = _read(content)
        outcome = judge(status)
        if outcome.state.is_final:
            tasks = await _read_tasks(cluster, status, namespace=run.namespace)
            await _keep(run, context, status, tasks=tasks)
            failures = {task.failure for task in tasks} - {""}
            if outcome.state is RunState.FAILED and failures and failures <= _TASK_BROKE:
                message = f"{', '.join(sorted(failures))}: {outcome.message}"
                outcome = RunOutcome(state=RunState.ERROR, message=message)
        dashboard = context.verification.runner.settings.get("dashboard", "")
        url = dashboard.replace("{namespace}", run.namespace).replace("{name}", run.name)
        told = tell_outcome(context.folder, outcome)
        return msgspec.structs.replace(told, url=url, handle=run.handle)


def _describe(
    context: RunContext, name: str, parameters: dict[str, str], *, deadline: int
) -> dict[str, object]:
    """The PipelineRun of the run, which has ``deadline`` seconds."""
    settings = context.verification.runner.settings
    spec: dict[str, object] = {
        "pipelineRef": {"name": settings.get("pipeline", "")},
        "params": [{"name": key, "value": value} for key, value in sorted(parameters.items())],
        "timeouts": {"pipeline": f"{deadline}s"},
    }
    if workspaces := list(_workspaces(settings.get("workspaces", ""))):
        spec["workspaces"] = workspaces
    if account := settings.get("serviceAccount"):
        spec["taskRunTemplate"] = {"serviceAccountName": account}
    return {
        "apiVersion": PIPELINE_RUN.api_version,
        "kind": PIPELINE_RUN.kind,
        "metadata": {"name": name, "labels": labels_of_run(context)},
        "spec": spec,
    }


def judge(status: _Status) -> RunOutcome:
    """What the status of a PipelineRun says."""
    found = next((each for each in status.conditions or () if each.type == "Succeeded"), None)
    if found is None or found.status == "Unknown":
        message = clean_words(found.message or found.reason) if found else "not begun yet"
        return RunOutcome(state=RunState.RUNNING, message=message)
    if found.status == "True":
        return RunOutcome(state=RunState.SUCCEEDED)
    state = RunState.ERROR
    if found.reason in _FAILED:
        state = RunState.FAILED
    elif found.reason in _ABORTED:
        state = RunState.ABORTED
    return RunOutcome(state=state, message=clean_words(f"{found.reason}: {found.message}"))


def _workspaces(text: str) -> Iterator[dict[str, object]]:
    for part in split_list(text):
        name, _, source = part.partition("=")
        kind, _, target = source.partition(":")
        yield {"name": name, **_source(kind, target)}


def _source(kind: str, target: str) -> dict[str, object]:
    match kind:
        case "claim":
            return {"persistentVolumeClaim": {"claimName": target}}
        case "secret":
            return {"secret": {"secretName": target}}
        case "configMap":
            return {"configMap": {"name": target}}
        case _:
            return {"emptyDir": {}}


async def _keep(
    run: ClusterRun, context: RunContext, status: _Status, *, tasks: Sequence[_TaskStatus]
) -> None:
    """Keep the results, logs and artifacts of a run that has ended. Raises StorageError."""
    containers = [
        (task.pod_name, step.container)
        for task in tasks
        for step in task.steps or ()
        if task.pod_name
    ]
    await run.keep_logs(containers)
    results = {each.name: msgspec.json.decode(each.value) for each in status.results or ()}
    if results:
        write_output(
            context.folder / ARTIFACTS / "results.json",
            msgspec.json.format(msgspec.json.encode(results)),
        )


async def _read_tasks(
    cluster: Cluster, status: _Status, *, namespace: str
) -> Sequence[_TaskStatus]:
    """How the tasks of a run went; those that are gone or unreadable are left out.

    Raises ClusterError.
    """
    found = []
    for child in (status.child_references or ())[:_MAX_CHILDREN]:
        if child.kind == TASK_RUN.kind:
            with contextlib.suppress(NoSuchObject, msgspec.MsgspecError):
                content = await cluster.get(TASK_RUN, child.name, namespace=namespace)
                found.append(msgspec.json.decode(content, type=_TaskRun).status)
    return found


def _read(content: bytes) -> _Status:
    try:
        return msgspec.json.decode(content, type=_PipelineRun).status
    except msgspec.MsgspecError as error:
        raise ClusterError(f"the cluster gives no PipelineRun: {error}") from error
