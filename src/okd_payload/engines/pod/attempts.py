# SPDX-License-Identifier: Apache-2.0
"""Attempts at one build, counted by their causes, and the error when it is enough.

An eviction says nothing about the next attempt, a pull that fails three times does. So each
cause has a number of its own, and pauses grow with all of them together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from okd_payload.build.engine import Retry
from okd_payload.engines.pod.causes import Cause, Reaction
from okd_payload.engines.pod.judging import Verdict
from okd_payload.errors import (
    BuildError,
    ClusterUnavailable,
    MissingTool,
    NotPermitted,
    OkdPayloadError,
    Refused,
    TransientBuildError,
)

_LONGEST_PAUSE = 30.0
_REPEATED = frozenset({Reaction.RETRY, Reaction.ENLARGE})
_STOPPING: Mapping[Cause, type[OkdPayloadError]] = {
    Cause.UNFIT: MissingTool,
    Cause.ACCESS: NotPermitted,
    Cause.REGISTRY: ClusterUnavailable,
    Cause.SILENT: ClusterUnavailable,
}
"""Errors of what stops the run; the cluster refuses all the rest."""


class Attempts:
    """The attempts at one build so far."""

    def __init__(self, component: str) -> None:
        self._component = component
        self._counts: Counter[Cause] = Counter()

    def count(self, verdict: Verdict) -> float:
        """Count an attempt that ended with ``verdict``; how many pauses to make before the next.

        Raises the error that the verdict comes to when there is to be no next.
        """
        self._counts[verdict.cause] += 1
        rule = verdict.rule
        if rule.reaction in _REPEATED and self._counts[verdict.cause] < rule.most:
            return float(min(_LONGEST_PAUSE, 2.0 ** (self._counts.total() - 1)))
        raise self._error(verdict)

    def describe(self, verdict: Verdict) -> Retry:
        """That another attempt is made, and why."""
        cause, told = verdict.cause.value, f": {verdict.message}" if verdict.message else ""
        return Retry(cause, f"attempt {self._counts.total()}: {cause}{told}; trying again")

    def _error(self, verdict: Verdict) -> OkdPayloadError:
        rule, cause = verdict.rule, verdict.cause
        repeated = rule.reaction in _REPEATED
        reaction = rule.afterwards if repeated else rule.reaction
        often = f" ({self._counts[cause]} times)" if repeated else ""
        message = f"{self._component}: {cause.value}{often}: {verdict.message}"
        if cause in (Cause.BUILD, Cause.TRANSIENT) and verdict.from_pod:
            message = verdict.message  # it names the component, and what it was doing
        hint = verdict.hint or rule.hint
        if reaction is Reaction.STOP:
            return _STOPPING.get(cause, Refused)(message, hint=hint)
        if cause is Cause.TRANSIENT:
            return TransientBuildError(message, hint=hint)
        return BuildError(message, hint=hint)
