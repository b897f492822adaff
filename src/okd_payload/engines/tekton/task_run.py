# SPDX-License-Identifier: Apache-2.0
"""What we read of a TaskRun, and what can be seen of it as an observation.

A TaskRun may have no status, and a status without conditions; steps may be said to run while
they wait for their turn, and may still be said to run when all is over. So only the condition
says whether it is over, and nothing waits for a completion time, which not every end brings.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from okd_payload.engines.pod import labels, outcome
from okd_payload.engines.pod.judging import Ending, Observation, StepEnd
from okd_payload.errors import ClusterError

CANCEL = "TaskRunCancelled"
CANCEL_MESSAGE = "okd-payload was interrupted"
"""By this we know our own cancellations: what was set aside by one run is built by the next."""
_SUCCEEDED = "Succeeded"
_RUNNING = "Running"
_SKIPPED = "Skipped"
_STEP_TIMEOUT = "TimeoutExceeded"


class _Read(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of what is read; all that is not named here is left alone."""


class Metadata(_Read, frozen=True, kw_only=True):
    """Who an object is."""

    name: str
    uid: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    creation_timestamp: str = ""
    deletion_timestamp: str = ""


class Condition(_Read, frozen=True, kw_only=True):
    """Where something is, in one word and in a sentence."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


class Terminated(_Read, frozen=True, kw_only=True):
    """How a container ended."""

    exit_code: int = 0
    reason: str = ""


class Running(_Read, frozen=True, kw_only=True):
    """A container that was started."""

    started_at: str = ""


class StepState(_Read, frozen=True, kw_only=True):
    """Where a step is; at most one of the last two is set."""

    name: str = ""
    container: str = ""
    termination_reason: str = ""
    terminated: Terminated | None = None
    running: Running | None = None

    @property
    def has_begun(self) -> bool:
        """Whether its container was started, so that it has a log."""
        return self.running is not None or self.terminated is not None


class Result(_Read, frozen=True, kw_only=True):
    """A named value; ours are all strings."""

    name: str
    value: msgspec.Raw = msgspec.Raw(b'""')


class Status(_Read, frozen=True, kw_only=True):
    """What the controller says."""

    conditions: tuple[Condition, ...] = ()
    pod_name: str = ""
    steps: tuple[StepState, ...] = ()
    results: tuple[Result, ...] = ()


class Spec(_Read, frozen=True, kw_only=True):
    """Of what was asked for only what changes it."""

    status: str = ""
    status_message: str = ""


class TaskRun(_Read, frozen=True, kw_only=True):
    """One run of one task."""

    metadata: Metadata
    spec: Spec = Spec()
    status: Status = Status()

    @property
    def name(self) -> str:
        """Its name in its namespace."""
        return self.metadata.name

    @property
    def uid(self) -> str:
        """What tells it from others that have had its name."""
        return self.metadata.uid

    @property
    def condition(self) -> Condition | None:
        """What the controller says about its success; None before it said anything."""
        found = (item for item in self.status.conditions if item.type == _SUCCEEDED)
        return next(found, None)

    @property
    def is_running(self) -> bool:
        """Whether its pod runs."""
        return self.condition is not None and self.condition.reason == _RUNNING

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will run any more."""
        condition = self.condition
        return condition is not None and _ENDINGS.get(condition.status) in _OVER

    @property
    def key(self) -> str:
        """The build key of the image that it makes; empty when it makes none of ours."""
        return self.metadata.annotations.get(labels.WHOLE_KEY, "")

    @property
    def results(self) -> Mapping[str, str]:
        """The results that are strings, by name."""
        return {item.name: text for item in self.status.results if (text := _text(item.value))}


def decode_task_run(content: bytes) -> TaskRun:
    """The TaskRun in ``content``. Raises ClusterError."""
    try:
        return _DECODER.decode(content)
    except msgspec.MsgspecError as error:
        raise ClusterError(f"the cluster has a TaskRun that is none: {error}") from error


def observe(task_run: TaskRun) -> Observation:
    """What can be seen of ``task_run``."""
    condition = task_run.condition
    if condition is None:
        return Observation()
    failure = task_run.results.get(outcome.FAILURE_RESULT, "")
    return Observation(
        ending=_ENDINGS.get(condition.status, Ending.OPEN),
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


_ENDINGS = {ending.value: ending for ending in Ending}
_OVER = (Ending.GOOD, Ending.BAD)
_DECODER = msgspec.json.Decoder(TaskRun)
