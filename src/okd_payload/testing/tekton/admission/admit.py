# SPDX-License-Identifier: Apache-2.0
"""Whether a cluster with Tekton takes an object, and what it makes of it.

    admitted = admit(msgspec.json.encode(task_run))
    assert not isinstance(admitted, Refusal), admitted.message

The order is that of the API server: unknown fields are dropped, the mutating webhook reads and
completes, Kubernetes checks the metadata, the validating webhook checks the rest. Pure: what needs
other objects (a namespace, a quota, the same name) is for the server to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from okd_payload.testing.tekton.admission.core_model import Entity
from okd_payload.testing.tekton.admission.decoding import Unwritable, decode, encode
from okd_payload.testing.tekton.admission.defaults import (
    MANAGED_BY,
    complete_pipeline,
    complete_pipeline_run,
    complete_step_action,
    complete_task,
    complete_task_run,
)
from okd_payload.testing.tekton.admission.model import (
    PipelineSpec,
    StepActionSpec,
    TaskSpec,
)
from okd_payload.testing.tekton.admission.names import check_metadata, check_name, check_texts
from okd_payload.testing.tekton.admission.pipelines import check_pipeline_alone
from okd_payload.testing.tekton.admission.refusals import (
    FieldError,
    Refusal,
    Undecodable,
    invalid_value,
    not_valid,
    undecodable,
    unmarshalable,
    within,
)
from okd_payload.testing.tekton.admission.run_model import (
    PipelineRunSpec,
    TaskRunSpec,
)
from okd_payload.testing.tekton.admission.runs import (
    check_pipeline_run,
    check_pipeline_run_change,
    check_task_run,
    check_task_run_change,
)
from okd_payload.testing.tekton.admission.tasks import check_step_action, check_task_alone

_RESERVED_ANNOTATIONS = ("results.tekton.dev/", "chains.tekton.dev/")


class _Rules(msgspec.Struct, frozen=True):
    """What the webhooks do with one kind."""

    entity: type[Entity]
    complete: Callable[[Any], Entity]
    check: Callable[[Any], Iterable[FieldError]]


_V1 = "tekton.dev/v1"
_RULES = {
    (_V1, "Task"): _Rules(TaskSpec, complete_task, check_task_alone),
    (_V1, "Pipeline"): _Rules(PipelineSpec, complete_pipeline, check_pipeline_alone),
    (_V1, "TaskRun"): _Rules(TaskRunSpec, complete_task_run, check_task_run),
    (_V1, "PipelineRun"): _Rules(PipelineRunSpec, complete_pipeline_run, check_pipeline_run),
    **{
        (f"tekton.dev/{version}", "StepAction"): _Rules(
            StepActionSpec, complete_step_action, check_step_action
        )
        for version in ("v1alpha1", "v1beta1")
    },
}


def admit(content: bytes) -> bytes | Refusal:
    """The object as the cluster would have it, or why it is refused."""
    admitted = admit_document(msgspec.json.decode(content))
    return admitted if isinstance(admitted, Refusal) else msgspec.json.encode(admitted)


def admit_document(document: Mapping[str, Any]) -> dict[str, Any] | Refusal:
    """The document of a new object as the cluster would have it, or why it is refused."""
    if has_rules(document):
        version = document["apiVersion"].rpartition("/")[2]
        refused = check_texts(document["kind"], version, document.get("metadata") or {})
        if refused is not None:
            return refused
    completed = complete(document)
    if isinstance(completed, Refusal) or not has_rules(document):
        return completed
    metadata = completed["metadata"]
    name = metadata.get("name", "")
    if not name and metadata.get("generateName"):
        name = metadata["generateName"][:58] + "00000"  # the server cuts, and adds five letters
    labels, annotations = metadata.get("labels", {}), metadata.get("annotations", {})
    if refused := check_metadata(completed["kind"], name, labels, annotations):
        return refused
    return judge(completed) or completed


def has_rules(document: Mapping[str, Any]) -> bool:
    """Whether the webhooks look at objects of this kind and version."""
    return (document.get("apiVersion"), document.get("kind")) in _RULES


def complete(document: Mapping[str, Any], *, created: bool = True) -> dict[str, Any] | Refusal:
    """What the mutating webhook makes of the document."""
    if not has_rules(document):
        return dict(document)
    rules = _RULES[document["apiVersion"], document["kind"]]
    try:
        spec = rules.complete(decode(document.get("spec"), rules.entity))
    except Undecodable as error:
        return undecodable(str(error))
    except Unwritable as error:
        return unmarshalable(str(error))
    kind, metadata = document["kind"], document.get("metadata") or {}
    metadata = _complete_metadata(kind, metadata, created=created)
    return {**document, "metadata": metadata, "spec": encode(spec)}


def judge(
    document: Mapping[str, Any], *, before: Mapping[str, Any] | None = None
) -> Refusal | None:
    """What the validating webhook says to a completed document, or to a change of ``before``."""
    if not has_rules(document):
        return None
    rules = _RULES[document["apiVersion"], document["kind"]]
    spec = decode(document.get("spec"), rules.entity)
    errors = [*check_name(document["metadata"].get("name", ""))]
    errors += within("spec", rules.check(spec))
    if before is not None:
        errors += within("spec", _check_change(before, spec))
    return not_valid(errors)


def _check_change(before: Mapping[str, Any], spec: Entity) -> Iterator[FieldError]:
    done = _is_done(before)
    if isinstance(spec, TaskRunSpec):
        old = complete_task_run(decode(before.get("spec"), TaskRunSpec))
        yield from check_task_run_change(old, spec, done=done)
    elif isinstance(spec, PipelineRunSpec):
        if spec.status == "PipelineRunPending" and (before.get("status") or {}).get("startTime"):
            text = "PipelineRun cannot be Pending after it is started"
            yield invalid_value(text, "status")
        previous = complete_pipeline_run(decode(before.get("spec"), PipelineRunSpec))
        yield from check_pipeline_run_change(previous, spec, done=done)


def _is_done(document: Mapping[str, Any]) -> bool:
    conditions = (document.get("status") or {}).get("conditions", [])
    return any(it["type"] == "Succeeded" and it["status"] != "Unknown" for it in conditions)


def _complete_metadata(kind: str, metadata: Mapping[str, Any], *, created: bool) -> dict[str, Any]:
    completed = dict(metadata)
    if kind == "TaskRun":
        completed["labels"] = dict([MANAGED_BY]) | completed.get("labels", {})
    if created and kind in {"TaskRun", "PipelineRun"} and "annotations" in completed:
        completed["annotations"] = {
            key: value
            for key, value in completed["annotations"].items()
            if not key.startswith(_RESERVED_ANNOTATIONS)
        }
    return completed
