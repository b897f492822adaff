# SPDX-License-Identifier: Apache-2.0
"""What the mutating webhook writes into objects that leave it open.

The cluster is as released: runs last an hour at most and use the account ``default``. Types of
parameters and results are told by their defaults and properties.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from okd_payload.testing.tekton.admission.model import (
    ParamSpec,
    PipelineSpec,
    PipelineTask,
    PropertySpec,
    StepActionSpec,
    StepResult,
    TaskResult,
    TaskSpec,
    Value,
)
from okd_payload.testing.tekton.admission.run_model import (
    PipelineRunSpec,
    TaskRunSpec,
    TimeoutFields,
)

TIMEOUT = "1h0m0s"
SERVICE_ACCOUNT = "default"
MANAGED_BY = ("app.kubernetes.io/managed-by", "tekton-pipelines")
"""The label that every TaskRun without it gets."""

_Task = TypeVar("_Task", bound=TaskSpec)
_Result = TypeVar("_Result", TaskResult, StepResult)

_replace = msgspec.structs.replace


def complete_task(spec: _Task) -> _Task:
    """A task with the types of its parameters and results."""
    steps = tuple(
        _replace(step, results=tuple(_typed(it) for it in step.results)) for step in spec.steps
    )
    return _replace(
        spec,
        params=complete_parameters(spec.params),
        results=tuple(_typed(it) for it in spec.results),
        steps=steps,
    )


def complete_step_action(spec: StepActionSpec) -> StepActionSpec:
    """A StepAction with the types of its parameters and results."""
    results = tuple(_typed(it) for it in spec.results)
    return _replace(spec, params=complete_parameters(spec.params), results=results)


def complete_pipeline(spec: PipelineSpec) -> PipelineSpec:
    """A pipeline with the types of its parameters, its tasks complete."""
    return _replace(
        spec,
        params=complete_parameters(spec.params),
        tasks=tuple(_complete_pipeline_task(it) for it in spec.tasks),
        final=tuple(_complete_pipeline_task(it) for it in spec.final),
    )


def complete_task_run(spec: TaskRunSpec) -> TaskRunSpec:
    """A run of a task with its time and account."""
    if spec.task_ref is not None:
        kind = spec.task_ref.kind or "Task"
        spec = _replace(spec, task_ref=_replace(spec.task_ref, kind=kind))
    if spec.task_spec is not None:
        spec = _replace(spec, task_spec=complete_task(spec.task_spec))
    return _replace(
        spec,
        timeout=spec.timeout or TIMEOUT,
        service_account_name=spec.service_account_name or SERVICE_ACCOUNT,
    )


def complete_pipeline_run(spec: PipelineRunSpec) -> PipelineRunSpec:
    """A run of a pipeline with its time and account."""
    timeouts = spec.timeouts or TimeoutFields()
    account = spec.task_run_template.service_account_name or SERVICE_ACCOUNT
    if spec.pipeline_spec is not None:
        spec = _replace(spec, pipeline_spec=complete_pipeline(spec.pipeline_spec))
    return _replace(
        spec,
        timeouts=_replace(timeouts, pipeline=timeouts.pipeline or TIMEOUT),
        task_run_template=_replace(spec.task_run_template, service_account_name=account),
    )


def complete_parameters(params: tuple[ParamSpec, ...]) -> tuple[ParamSpec, ...]:
    """Declarations with their types: as given, or as the properties or the default tell."""
    return tuple(_complete_parameter(it) for it in params)


def type_of(value: Value) -> str:
    """The type of a parameter that has this value."""
    return "string" if isinstance(value, str) else "array" if isinstance(value, tuple) else "object"


def _complete_parameter(param: ParamSpec) -> ParamSpec:
    if param.type or param.properties is not None:
        kind = param.type or "object"
        return _replace(param, type=kind, properties=_typed_properties(param.properties))
    return _replace(param, type="string" if param.default is None else type_of(param.default))


def _complete_pipeline_task(task: PipelineTask) -> PipelineTask:
    if task.task_ref is not None and not task.task_ref.kind and not task.task_ref.resolver:
        task = _replace(task, task_ref=_replace(task.task_ref, kind="Task"))
    if task.task_spec is not None:
        task = _replace(task, task_spec=complete_task(task.task_spec))
    return task


def _typed(result: _Result) -> _Result:
    kind = result.type or ("string" if result.properties is None else "object")
    return _replace(result, type=kind, properties=_typed_properties(result.properties))


def _typed_properties(
    properties: dict[str, PropertySpec] | None,
) -> dict[str, PropertySpec] | None:
    if properties is None:
        return None
    return {key: _replace(it, type=it.type or "string") for key, it in properties.items()}
