# SPDX-License-Identifier: Apache-2.0
"""Rules for one task of a pipeline: its name, what it runs, when, and after which errors.

After ``pipeline_types.go`` and ``when_validation.go`` in ``pkg/apis/pipeline/v1`` of
tektoncd/pipeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from okd_payload.testing.tekton.admission.model import (
    EmbeddedTask,
    PipelineTask,
    TaskRef,
    WhenExpression,
)
from okd_payload.testing.tekton.admission.names import is_dns_label
from okd_payload.testing.tekton.admission.references import check_reference
from okd_payload.testing.tekton.admission.refusals import (
    FieldError,
    both,
    invalid_value,
    missing,
    needs_alpha,
    needs_flag,
    neither,
    within,
)
from okd_payload.testing.tekton.admission.tasks import check_task

_OPERATORS = ("in", "notin")
_OWN_KINDS = ("", "Task", "ClusterTask")


def check_pipeline_tasks(
    tasks: Iterable[PipelineTask], final: Iterable[PipelineTask]
) -> Iterator[FieldError]:
    """Each task alone, and that no two have one name."""
    seen: set[str] = set()
    for field, listed in (("tasks", tasks), ("finally", final)):
        for index, task in enumerate(listed):
            place = f"{field}[{index}]"
            if task.name in seen:
                yield both(f"{place}.name")
            seen.add(task.name)
            yield from within(place, _check_pipeline_task(task))


def check_when(conditions: Iterable[WhenExpression]) -> Iterator[FieldError]:
    """Conditions compare with values; expressions of a language are a feature that is off."""
    for index, condition in enumerate(conditions):
        path = f"when[{index}]"
        if condition.cel:
            use = f"use CEL: {condition.cel} in WhenExpression"
            yield needs_flag("enable-cel-in-whenexpression", use, path)
        elif condition == WhenExpression():
            yield missing(path)
        elif condition.operator not in _OPERATORS:
            yield invalid_value(
                f'operator "{condition.operator}" is not recognized. '
                f"valid operators: {','.join(_OPERATORS)}",
                path,
            )
        elif not condition.values:
            yield invalid_value("expecting non-empty values field", path)


def _check_pipeline_task(task: PipelineTask) -> Iterator[FieldError]:
    if not is_dns_label(task.name):
        yield FieldError(
            f'invalid value "{task.name}"',
            ("name",),
            "Pipeline Task name must be a valid DNS Label.For more info refer to "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names",
        )
    yield from _check_what_runs(task)
    yield from _check_on_error(task)
    spec, reference = task.task_spec, task.task_ref
    if spec is not None and spec.steps:
        for field, given in (("apiVersion", spec.api_version), ("kind", spec.kind)):
            if given:
                text = f"taskSpec.{field} cannot be specified when using taskSpec.steps"
                yield FieldError(text, (f"taskSpec.{field}",))
    if _is_custom(reference) or _is_custom(spec):
        yield from _check_custom(reference, "ref", "taskRef")
        yield from _check_custom(spec, "spec", "taskSpec")
        return
    if spec is not None:
        yield from within("taskSpec", check_task(spec))
    if reference is not None:
        yield from within("taskRef", check_reference(reference))


def _check_what_runs(task: PipelineTask) -> Iterator[FieldError]:
    given = [
        field
        for field, value in (
            ("taskRef", task.task_ref),
            ("taskSpec", task.task_spec),
            ("pipelineRef", task.pipeline_ref),
            ("pipelineSpec", task.pipeline_spec),
        )
        if value is not None
    ]
    for field in ("pipelineRef", "pipelineSpec"):
        if field in given:
            yield needs_alpha(field)
    if len(given) > 1:
        yield FieldError("expected exactly one, got multiple", tuple(given))
    elif not given:
        yield neither("taskRef", "taskSpec")


def _check_on_error(task: PipelineTask) -> Iterator[FieldError]:
    if task.on_error and not task.on_error.startswith("$(params"):
        if task.on_error not in {"continue", "stopAndFail"}:
            yield invalid_value(
                task.on_error,
                "OnError",
                'PipelineTask OnError must be either "continue" or "stopAndFail"',
            )
        if task.on_error == "continue" and task.retries > 0:
            yield FieldError(
                'PipelineTask OnError cannot be set to "continue" when Retries is greater than 0'
            )


def _is_custom(what: TaskRef | EmbeddedTask | None) -> bool:
    return what is not None and (what.kind not in _OWN_KINDS or bool(what.api_version))


def _check_custom(
    what: TaskRef | EmbeddedTask | None, word: str, field: str
) -> Iterator[FieldError]:
    if what is None:
        return
    if not what.kind:
        yield invalid_value(f"custom task {word} must specify kind", f"{field}.kind")
    path = f"{field}.apiVersion"
    if not what.api_version:
        yield invalid_value(f"custom task {word} must specify apiVersion", path)
    elif [bool(it) for it in what.api_version.split("/")] != [True, True]:
        yield invalid_value(
            f'invalid apiVersion format "{what.api_version}", '
            'must be in the format "group/version"',
            path,
        )
