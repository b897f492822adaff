# SPDX-License-Identifier: Apache-2.0
"""Tekton's webhooks in a simulated cluster.

    cluster = SimulatedCluster()
    add_tekton(cluster)               # kinds and webhooks; a schema may be loaded before or after

Status updates and deletions pass: Tekton's webhooks are not asked about them.
"""

from __future__ import annotations

from okd_payload.cluster import ObjectKind
from okd_payload.cluster.kinds import PIPELINE, PIPELINE_RUN, TASK, TASK_RUN
from okd_payload.testing.kubernetes.admission import AdmissionRequest, Operation
from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster
from okd_payload.testing.kubernetes.statuses import Refusal as Refused
from okd_payload.testing.tekton.admission.admit import complete, judge
from okd_payload.testing.tekton.admission.refusals import Refusal

STEP_ACTION = ObjectKind("tekton.dev/v1beta1", "StepAction", "stepactions")
KINDS = (TASK, TASK_RUN, PIPELINE, PIPELINE_RUN, STEP_ACTION)
"""The kinds that Tekton's webhooks look at."""

_PLURALS = {kind.resource: kind for kind in KINDS}


def add_tekton(cluster: SimulatedCluster) -> None:
    """Have Tekton's kinds and webhooks in the cluster."""
    for kind in KINDS:
        cluster.serve(kind, status=kind in {TASK_RUN, PIPELINE_RUN})
    cluster.mutating.append(mutate)
    cluster.validating.append(validate)


def mutate(document: JsonObject, request: AdmissionRequest) -> JsonObject:
    """The mutating webhook. Raises the server's Refusal."""
    kind = _kind_of(request)
    if kind is None or request.operation is Operation.DELETE:
        return document
    # A misspelt kind is put right here, as the real webhook does by writing the object anew.
    completed = complete(
        {**document, "kind": kind.kind}, created=request.operation is Operation.CREATE
    )
    if isinstance(completed, Refusal):
        raise _refused(completed)
    return completed


def validate(document: JsonObject, request: AdmissionRequest) -> None:
    """The validating webhook. Raises the server's Refusal."""
    if _kind_of(request) is None or request.operation is Operation.DELETE:
        return
    refusal = judge(document, before=request.old)
    if refusal is not None:
        raise _refused(refusal)


def _kind_of(request: AdmissionRequest) -> ObjectKind | None:
    return None if request.subresource else _PLURALS.get(request.resource.name)


def _refused(refusal: Refusal) -> Refused:
    return Refused(refusal.http, refusal.reason, refusal.message)
