# SPDX-License-Identifier: Apache-2.0
"""Whether a cluster with Tekton takes an object, and what it makes of it.

    admitted = admit(msgspec.json.encode(task_run))
    assert not isinstance(admitted, Refusal), admitted.message

The order is that of the API server: unknown fields are dropped, the mutating webhook reads and
completes, Kubernetes checks the metadata, the validating webhook checks the rest. Pure: what needs
other objects (a namespace, a quota, the same name) is for the server to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
from okd_payload.testing.tekton.admission.names import check_metadata, check_name
from okd_payload.testing.tekton.admission.pipelines import check_pipeline_alone
from okd_payload.testing.tekton.admission.refusals import (
    FieldError,
    Refusal,
    Undecodable,
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

KINDS = ("Task", "TaskRun", "Pipeline", "PipelineRun", "StepAction")
"""The kinds that have rules here; all others pass."""

_RESERVED_ANNOTATIONS = ("results.tekton.dev/", "chains.tekton.dev/")


class _Rules(msgspec.Struct, frozen=True):
    """What the webhooks do with one kind."""

    entity: type[Entity]
    complete: Callable[[Any], Entity]
    check: Callable[[Any], Iterable[FieldError]]


_RULES: dict[str, _Rules] = {
    "Task": _Rules(TaskSpec, complete_task, check_task_alone),
    "StepAction": _Rules(StepActionSpec, complete_step_action, check_step_action),
    "Pipeline": _Rules(PipelineSpec, complete_pipeline, check_pipeline_alone),
    "TaskRun": _Rules(TaskRunSpec, complete_task_run, check_task_run),
    "PipelineRun": _Rules(PipelineRunSpec, complete_pipeline_run, check_pipeline_run),
}


def admit(content: bytes) -> bytes | Refusal:
    """The object as the cluster would have it, or why it is refused."""
    admitted = admit_document(msgspec.json.decode(content))
    return admitted if isinstance(admitted, Refusal) else msgspec.json.encode(admitted)


def admit_document(
    document: Mapping[str, Any], *, before: Mapping[str, Any] | None = None
) -> dict[str, Any] | Refusal:
    """The document of an object as the cluster would have it, or why it is refused.

    With ``before`` it is a change of this object.
    """
    kind = document.get("kind", "")
    if kind not in _RULES or document.get("apiVersion", "").partition("/")[0] != "tekton.dev":
        return dict(document)
    rules = _RULES[kind]
    try:
        spec = rules.complete(decode(document.get("spec"), rules.entity))
    except Undecodable as error:
        return undecodable(str(error))
    except Unwritable as error:
        return unmarshalable(str(error))
    metadata = _complete_metadata(kind, document.get("metadata") or {}, created=before is None)
    name = metadata.get("name") or metadata.get("generateName", "")
    labels, annotations = metadata.get("labels", {}), metadata.get("annotations", {})
    if "name" not in metadata and name:
        name = name[:58] + "00000"  # the server cuts, and adds five letters
    if refused := check_metadata(kind, name, labels, annotations):
        return refused
    errors = [*check_name(name), *within("spec", rules.check(spec))]
    if before is not None:
        errors += within("spec", _check_change(before, spec))
    if refused := not_valid(errors):
        return refused
    return {**document, "metadata": metadata, "spec": encode(spec)}


def _check_change(before: Mapping[str, Any], spec: Entity) -> Iterable[FieldError]:
    done = _is_done(before)
    if isinstance(spec, TaskRunSpec):
        old = complete_task_run(decode(before.get("spec"), TaskRunSpec))
        return check_task_run_change(old, spec, done=done)
    if isinstance(spec, PipelineRunSpec):
        previous = complete_pipeline_run(decode(before.get("spec"), PipelineRunSpec))
        return check_pipeline_run_change(previous, spec, done=done)
    return ()


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
