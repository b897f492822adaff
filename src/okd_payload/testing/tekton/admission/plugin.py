# SPDX-License-Identifier: Apache-2.0
"""Tekton's webhooks in a simulated cluster.

    cluster = SimulatedCluster()
    add_tekton(cluster)               # kinds and webhooks; a schema may be loaded before or after

Status updates and deletions pass: Tekton's webhooks are not asked about them.
"""

from __future__ import annotations

from collections.abc import Iterator

from okd_payload.cluster import ObjectKind
from okd_payload.cluster.kinds import PIPELINE, PIPELINE_RUN, TASK, TASK_RUN
from okd_payload.testing.kubernetes.admission import AdmissionRequest, Operation
from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster
from okd_payload.testing.kubernetes.statuses import Refusal as Refused
from okd_payload.testing.tekton.admission.admit import complete, judge
from okd_payload.testing.tekton.admission.legacy import OLD, convert, has_bundle
from okd_payload.testing.tekton.admission.refusals import FieldError, Refusal, not_valid

STEP_ACTION = ObjectKind("tekton.dev/v1beta1", "StepAction", "stepactions")
KINDS = (TASK, TASK_RUN, PIPELINE, PIPELINE_RUN, STEP_ACTION)
"""The kinds that Tekton's webhooks look at."""

_PLURALS = {kind.resource: kind for kind in KINDS}


def add_tekton(cluster: SimulatedCluster) -> None:
    """Have Tekton's kinds and webhooks in the cluster."""
    for kind in KINDS:
        cluster.serve(kind, status=kind in {TASK_RUN, PIPELINE_RUN})
        if kind != STEP_ACTION:
            cluster.conversions[kind.resource] = convert
    cluster.mutating.append(mutate)
    cluster.validating.append(validate)


def mutate(document: JsonObject, request: AdmissionRequest) -> JsonObject:
    """The mutating webhook. Raises the server's Refusal."""
    kind = _kind_of(request)
    if kind is None or request.operation is Operation.DELETE:
        return document
    # A misspelt kind is put right here, as the real webhook does by writing the object anew.
    document = {**document, "kind": kind.kind}
    old = request.version == OLD and kind != STEP_ACTION
    # The reading below would drop a bundle, which the validating webhook refuses.
    if old and (refusal := not_valid(_bundle_problems(document))) is not None:
        raise _refused(refusal)
    current = convert(document, "v1") if old else document
    completed = complete(current, created=request.operation is Operation.CREATE)
    if isinstance(completed, Refusal):
        raise _refused(completed)
    return convert(completed, OLD) if old else completed


def validate(document: JsonObject, request: AdmissionRequest) -> None:
    """The validating webhook. Raises the server's Refusal."""
    if _kind_of(request) is None or request.operation is Operation.DELETE:
        return
    before = request.old
    if request.version == OLD and _kind_of(request) != STEP_ACTION:
        document = convert(document, "v1")
        before = None if before is None else convert(before, "v1")
    refusal = judge(document, before=before)
    if refusal is not None:
        raise _refused(refusal)


def _kind_of(request: AdmissionRequest) -> ObjectKind | None:
    return None if request.subresource else _PLURALS.get(request.resource.name)


def _bundle_problems(document: JsonObject) -> Iterator[FieldError]:
    if field := has_bundle(document):
        yield FieldError("must not set the field(s)", (field,))


def _refused(refusal: Refusal) -> Refused:
    return Refused(refusal.http, refusal.reason, refusal.message)
