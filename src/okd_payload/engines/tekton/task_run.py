# SPDX-License-Identifier: Apache-2.0
"""What we read of a TaskRun, and what can be seen of it as an observation.

A TaskRun may have no status, and a status without conditions; steps may be said to run while
they wait for their turn, and may still be said to run when all is over. So only the condition
says whether it is over, and nothing waits for a completion time, which not every end brings.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from okd_payload.cluster import kinds
from okd_payload.cluster.objects import decode_object
from okd_payload.cluster.pods import ContainerState
from okd_payload.engines.pod import outcome
from okd_payload.engines.pod.judging import Observation, StepEnd
from okd_payload.engines.pod.run_objects import Read, Run, RunStatus

CANCEL = "TaskRunCancelled"
CANCEL_MESSAGE = "okd-payload was interrupted"
"""By this we know our own cancellations: what was set aside by one run is built by the next."""
_RUNNING = "Running"
_SKIPPED = "Skipped"
_STEP_TIMEOUT = "TimeoutExceeded"


class StepState(ContainerState, frozen=True, kw_only=True):
    """Where a step is, which is where its container is."""

    name: str = ""
    container: str = ""
    termination_reason: str = ""


class Result(Read, frozen=True, kw_only=True):
    """A named value; ours are all strings."""

    name: str
    value: msgspec.Raw = msgspec.Raw(b'""')


class Status(RunStatus, frozen=True, kw_only=True):
    """What the controller says."""

    pod_name: str = ""
    steps: tuple[StepState, ...] = ()
    results: tuple[Result, ...] = ()


class Spec(Read, frozen=True, kw_only=True):
    """Of what was asked for only what changes it."""

    status: str = ""
    status_message: str = ""


class TaskRun(Run, frozen=True, kw_only=True):
    """One run of one task."""

    spec: Spec = Spec()
    status: Status = Status()

    @property
    def is_running(self) -> bool:
        """Whether its pod runs."""
        return self.condition is not None and self.condition.reason == _RUNNING

    @property
    def results(self) -> Mapping[str, str]:
        """The results that are strings, by name."""
        return {item.name: text for item in self.status.results if (text := _text(item.value))}


def decode_task_run(content: bytes) -> TaskRun:
    """The TaskRun in ``content``. Raises ClusterError."""
    return decode_object(content, TaskRun, kinds.TASK_RUN)


def observe(task_run: TaskRun) -> Observation:
    """What can be seen of ``task_run``."""
    condition = task_run.condition
    if condition is None:
        return Observation()
    failure = task_run.results.get(outcome.FAILURE_RESULT, "")
    return Observation(
        ending=condition.ending,
        reason=condition.reason,
        message=condition.message,
        steps=tuple(_step_end(step) for step in task_run.status.steps),
        failure=outcome.decode_failure(failure) if failure else None,
        set_aside=task_run.spec.status_message == CANCEL_MESSAGE,
    )


def _step_end(step: StepState) -> StepEnd:
    if step.terminated is None:
        return StepEnd(name=step.name)
    reason = step.terminated.reason
    return StepEnd(
        name=step.name,
        exit_code=step.terminated.exit_code,
        reason=step.termination_reason if step.termination_reason == _STEP_TIMEOUT else reason,
        skipped=step.termination_reason == _SKIPPED,
    )


def _text(value: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(value, type=str).strip()
    except msgspec.MsgspecError:
        return ""
