# SPDX-License-Identifier: Apache-2.0
"""What the state of a build in a pod means.

Tekton and Shipwright tell the same things, because Shipwright runs on Tekton: a condition with
a reason, a message, and how each step ended. A table leads from these to a cause. What the pod
itself said about its failure counts before its exit code; an end without a word that looks like
a killed container came from outside (a drained node, a deleted pod), because conditions do not
tell such ends apart.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence

import msgspec

from okd_payload.engines.pod.causes import RULES, Cause, Reaction, Rule
from okd_payload.engines.pod.outcome import Failure, FailureKind


class Ending(enum.Enum):
    """What the condition of a run says: not over, over and well, over and not."""

    OPEN = "Unknown"
    GOOD = "True"
    BAD = "False"


class StepEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How one step of a pod ended; without an exit code it did not run."""

    name: str
    exit_code: int | None = None
    reason: str = ""
    skipped: bool = False


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What can be seen of one run."""

    ending: Ending = Ending.OPEN
    reason: str = ""
    message: str = ""
    steps: tuple[StepEnd, ...] = ()
    failure: Failure | None = None
    """What the pod said about it."""
    set_aside: bool = False
    """Whether it was us who cancelled it."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A cause, and the words of the cluster or of the pod about it."""

    cause: Cause
    message: str = ""
    hint: str = ""
    from_pod: bool = False
    """Whether these are the words of the pod, which knows best."""

    @property
    def rule(self) -> Rule:
        """What is done about it."""
        return RULES[self.cause]

    @property
    def is_final(self) -> bool:
        """Whether this run is over."""
        return self.rule.reaction is not Reaction.WAIT


_OPEN_REASONS: Mapping[str, Cause] = {
    "Running": Cause.RUNNING,
    "ExceededNodeResources": Cause.UNSCHEDULABLE,
    "ExceededResourceQuota": Cause.QUOTA,
    "PullImageFailed": Cause.IMAGE_PULLING,
}
_BAD_REASONS: Mapping[str, Cause] = {
    "TaskRunImagePullFailed": Cause.IMAGE_PULL,
    "PodEvicted": Cause.EVICTED,
    "StepOOM": Cause.OUT_OF_MEMORY,
    "TaskRunTimeout": Cause.TIMED_OUT,
    "BuildRunTimeout": Cause.TIMED_OUT,
    "TaskRunCancelled": Cause.CANCELLED,
    "BuildRunCanceled": Cause.CANCELLED,
    "CreateContainerConfigError": Cause.CONFIGURATION,
    "PodAdmissionFailed": Cause.REFUSED,
    "PodCreationFailed": Cause.CONTROLLER,
    "TaskRunValidationFailed": Cause.INVALID,
    "TaskRunResolutionFailed": Cause.INVALID,
}
_FAILURES: Mapping[FailureKind, Cause] = {
    FailureKind.BUILD: Cause.BUILD,
    FailureKind.TRANSIENT: Cause.TRANSIENT,
    FailureKind.REGISTRY: Cause.REGISTRY,
    FailureKind.ACCESS: Cause.ACCESS,
    FailureKind.SURROUNDINGS: Cause.UNFIT,
}
_KILLED_CODES = frozenset({137, 143, 255})
"""Of a container that got SIGKILL or SIGTERM; Tekton's entrypoint makes 255 of the latter."""
_OUT_OF_MEMORY = "OOMKilled"
_STEP_TIMEOUT = "TimeoutExceeded"

_ABSENT_IMAGE = re.compile(
    r"not ?found|manifest unknown|invalid reference|invalidimagename|could(n't| not) parse image"
    r"|unauthorized|authorization failed|access denied|pull policy of never|forbidden",
    re.IGNORECASE,
)
_PASSING = re.compile(
    r"failed calling webhook|internal error|timed? ?out|timeout|connection refused"
    r"|too many requests|etcdserver|eof|try again",
    re.IGNORECASE,
)
_NOT_STARTED = re.compile(r"Previous status: \[(?P<reason>\w+)\] ?(?P<message>.*)", re.DOTALL)
_WAS_RUNNING = "Running"


def judge(seen: Observation) -> Verdict:
    """What ``seen`` means."""
    if seen.ending is Ending.GOOD:
        return Verdict(cause=Cause.SUCCEEDED, message=seen.message)
    if seen.ending is Ending.OPEN:
        cause = _OPEN_REASONS.get(seen.reason, Cause.PENDING)
        return Verdict(cause=cause, message=seen.message)
    if seen.reason not in _BAD_REASONS:
        return _judge_steps(seen)
    if _BAD_REASONS[seen.reason] is Cause.TIMED_OUT:
        return _judge_timeout(seen)
    return Verdict(cause=_refine(_BAD_REASONS[seen.reason], seen), message=seen.message)


def _refine(cause: Cause, seen: Observation) -> Cause:
    """Tell apart what has one reason and needs two reactions."""
    if cause is Cause.IMAGE_PULL and _ABSENT_IMAGE.search(seen.message):
        return Cause.IMAGE_ABSENT
    if cause is Cause.CONTROLLER and not _PASSING.search(seen.message):
        return Cause.INVALID
    if cause is Cause.CANCELLED and seen.set_aside:
        return Cause.SET_ASIDE
    return cause


def _judge_timeout(seen: Observation) -> Verdict:
    """A run that took too long, or never began: then the message says what it waited for."""
    before = _NOT_STARTED.search(seen.message)
    if before is None or before["reason"] == _WAS_RUNNING:
        return Verdict(cause=Cause.TIMED_OUT, message=seen.message)
    if _OPEN_REASONS.get(before["reason"]) is Cause.IMAGE_PULLING:
        return Verdict(cause=Cause.IMAGE_ABSENT, message=before["message"])
    return Verdict(cause=Cause.NEVER_STARTED, message=before["message"] or seen.message)


def _judge_steps(seen: Observation) -> Verdict:
    """A run that failed in one of its steps, or in a way that nobody has a name for."""
    if seen.failure is not None:
        said = seen.failure
        cause = _FAILURES[said.kind]
        return Verdict(cause=cause, message=said.message, hint=said.hint, from_pod=True)
    step = failed_step(seen.steps)
    if step is None:
        return Verdict(cause=Cause.BUILD, message=seen.message)
    if step.reason == _OUT_OF_MEMORY:
        return Verdict(cause=Cause.OUT_OF_MEMORY, message=seen.message)
    if step.reason == _STEP_TIMEOUT:
        return Verdict(cause=Cause.TIMED_OUT, message=seen.message)
    if step.exit_code in _KILLED_CODES:
        return Verdict(cause=Cause.LOST, message=seen.message)
    return Verdict(cause=Cause.BUILD, message=seen.message)


def failed_step(steps: Sequence[StepEnd]) -> StepEnd | None:
    """The step that failed: the first with an exit code that was not merely skipped after one."""
    for step in steps:
        if step.exit_code and not step.skipped:
            return step
    return None
