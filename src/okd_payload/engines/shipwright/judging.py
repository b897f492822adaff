# SPDX-License-Identifier: Apache-2.0
"""What the state of a BuildRun means, in the causes of all engines.

Most of it Shipwright takes over from Tekton. What it finds wrong itself, before there is a pod,
has words of its own: the table below. Such a run would end so for every component.
"""

from __future__ import annotations

from collections.abc import Mapping

from okd_payload.cluster.pods import Pod
from okd_payload.engines.pod.causes import Cause
from okd_payload.engines.pod.judging import Ending, Verdict, judge
from okd_payload.engines.pod.run_objects import Condition
from okd_payload.engines.shipwright.run_state import BuildRun, observe

_ACCOUNT_HINT = "make the service account, or name another one with --service-account"
REASONS: Mapping[str, Cause] = {
    "BuildNotFound": Cause.INVALID,
    "BuildRegistrationFailed": Cause.INVALID,
    "BuildRunAmbiguousBuild": Cause.INVALID,
    "BuildRunBuildFieldOverrideForbidden": Cause.INVALID,
    "BuildRunNameInvalid": Cause.INVALID,
    "BuildRunNoRefOrSpec": Cause.INVALID,
    "BuildStrategyNotFound": Cause.CONTROLLER,
    "ClusterBuildStrategyNotFound": Cause.CONTROLLER,
    "EmptyArrayItemParameterValues": Cause.INVALID,
    "InconsistentParameterValues": Cause.INVALID,
    "MissingParameterValues": Cause.INVALID,
    "MultipleSecretRefNotFound": Cause.INVALID,
    "NodeSelectorNotValid": Cause.INVALID,
    "RestrictedParametersInUse": Cause.INVALID,
    "ServiceAccountNotFound": Cause.REFUSED,
    "SpecOutputSecretRefNotFound": Cause.INVALID,
    "TaskRunGenerationFailed": Cause.INVALID,
    "UndefinedParameter": Cause.INVALID,
    "UndefinedVolume": Cause.INVALID,
    "UnknownBuildStrategyKind": Cause.INVALID,
    "VolumeDoesNotExist": Cause.CONFIGURATION,
    "VolumeNotOverridable": Cause.INVALID,
    "WrongParameterValueType": Cause.INVALID,
}
"""Reasons that are Shipwright's own. A strategy that was made a moment ago may not be known yet,
so its absence is worth another attempt."""


def judge_run(run: BuildRun, pod: Pod | None = None, *, waited: Condition | None = None) -> Verdict:
    """What ``run`` came to, or where it is; see ``observe``."""
    condition = run.condition
    if condition is not None and condition.status == Ending.BAD.value:
        cause = REASONS.get(condition.reason)
        if cause is not None:
            said = f"{condition.reason}: {condition.message}"
            hint = _ACCOUNT_HINT if cause is Cause.REFUSED else ""
            return Verdict(cause=cause, message=said, hint=hint)
    return judge(observe(run, pod, waited=waited))
