# SPDX-License-Identifier: Apache-2.0
"""What we read of a BuildRun, and what can be seen of it as an observation.

A BuildRun says less than the TaskRun below it: a reason, a sentence, what the strategy wrote
about an error. How its containers ended stands in the pod, which is read with it. What waited
for an image to the very end was never built, and is told apart from what took too long.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster import kinds
from okd_payload.cluster.objects import decode_object
from okd_payload.cluster.pods import Pod
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.judging import Observation, StepEnd
from okd_payload.engines.pod.run_objects import Condition, Read, Run, RunStatus
from okd_payload.engines.shipwright.results import read_failure

STEP = "build"
"""The step of our strategies; its container is called ``step-build``."""
SET_ASIDE = labels.PREFIX + "set-aside"
"""An annotation of runs that we cancelled ourselves: what was set aside is built by the next."""
CANCELLATION = msgspec.json.encode(
    {"metadata": {"annotations": {SET_ASIDE: "true"}}, "spec": {"state": "BuildRunCanceled"}}
)
"""The merge patch that asks a BuildRun to end, and says that it was us."""
RUN_LABEL = "buildrun.shipwright.io/name"
"""The label of pods by which those of a BuildRun are found."""
_CONTAINER_PREFIX = "step-"
_AS_TEKTON_SAYS = {"StepOutOfMemory": "StepOOM"}
"""Words that Shipwright has for what Tekton calls otherwise."""
_TIMEOUT = "BuildRunTimeout"
_FAILED = "Failed"


class Output(Read, frozen=True, kw_only=True):
    """The image that was made."""

    digest: str = ""


class FailureDetails(Read, frozen=True, kw_only=True):
    """Why something failed, where the strategy or Shipwright wrote it down."""

    reason: str = ""
    message: str = ""


class Status(RunStatus, frozen=True, kw_only=True):
    """What the controller says."""

    output: Output = Output()
    failure_details: FailureDetails = FailureDetails()


class Spec(Read, frozen=True, kw_only=True):
    """Of what was asked for only what changes it."""

    state: str = ""


class BuildRun(Run, frozen=True, kw_only=True):
    """One run of a build."""

    spec: Spec = Spec()
    status: Status = Status()


def decode_build_run(content: bytes) -> BuildRun:
    """The BuildRun in ``content``. Raises ClusterError."""
    return decode_object(content, BuildRun, kinds.SHIPWRIGHT_BUILD_RUN)


def observe(
    run: BuildRun, pod: Pod | None = None, *, waited: Condition | None = None
) -> Observation:
    """What can be seen of ``run``; ``waited`` is what it said last before it was over."""
    condition = run.condition
    if condition is None:
        return Observation()
    message = condition.message
    if condition.reason == _TIMEOUT and waited is not None:
        message += f"\nPrevious status: [{waited.reason}] {waited.message}"
    details = run.status.failure_details
    reason = _AS_TEKTON_SAYS.get(condition.reason, condition.reason)
    if reason == _FAILED and pod is not None and pod.status.reason == "Evicted":
        reason = "PodEvicted"
    return Observation(
        ending=condition.ending,
        reason=reason,
        message=message,
        steps=_steps_of(pod),
        failure=read_failure(details.reason, details.message),
        set_aside=SET_ASIDE in run.metadata.annotations,
    )


def _steps_of(pod: Pod | None) -> tuple[StepEnd, ...]:
    if pod is None:
        return ()
    return tuple(
        StepEnd(
            name=status.name.removeprefix(_CONTAINER_PREFIX),
            exit_code=status.state.terminated.exit_code,
            reason=status.state.terminated.reason,
        )
        for status in pod.status.containers
        if status.state.terminated is not None
    )
