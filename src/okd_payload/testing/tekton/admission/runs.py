# SPDX-License-Identifier: Apache-2.0
"""Rules for runs: what they run, what they give, how long, and what may change on the way.

After ``taskrun_validation.go`` and ``pipelinerun_validation.go`` in ``pkg/apis/pipeline/v1`` of
tektoncd/pipeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from okd_payload.testing.tekton.admission.core_model import ResourceRequirements
from okd_payload.testing.tekton.admission.parameters import (
    check_declarations,
    check_given_once,
    check_types,
    check_usage,
    combine,
    declared_by,
)
from okd_payload.testing.tekton.admission.pipelines import (
    check_given,
    check_parameter_usage,
    check_pipeline,
)
from okd_payload.testing.tekton.admission.references import check_reference
from okd_payload.testing.tekton.admission.refusals import (
    FieldError,
    both,
    invalid_value,
    missing,
    needs_alpha,
    neither,
    within,
)
from okd_payload.testing.tekton.admission.run_model import (
    PipelineRunSpec,
    PipelineTaskRunSpec,
    TaskRunSpec,
    TaskRunStepSpec,
    TimeoutFields,
    WorkspaceBinding,
)
from okd_payload.testing.tekton.admission.tasks import check_task
from okd_payload.testing.tekton.admission.values import duration_text, nanoseconds
from okd_payload.testing.tekton.admission.variables import looks_like_result, value_expressions

_SOURCES = ("persistentvolumeclaim", "volumeclaimtemplate", "emptydir", "configmap", "secret")
TASK_RUN_STATUSES = ("TaskRunCancelled", "TaskRunPending")
PIPELINE_RUN_STATUSES = (
    "Cancelled",
    "CancelledRunFinally",
    "StoppedRunFinally",
    "PipelineRunPending",
)


def check_task_run(spec: TaskRunSpec) -> Iterator[FieldError]:
    """The rules for the specification of a TaskRun."""
    if spec.task_ref is None and spec.task_spec is None:
        yield neither("taskRef", "taskSpec")
    if spec.task_ref is not None and spec.task_spec is not None:
        yield both("taskRef", "taskSpec")
    if spec.task_ref is not None:
        yield from within("taskRef", check_reference(spec.task_ref))
    if spec.task_spec is not None:
        yield from within("taskSpec", check_task(spec.task_spec))
        yield from _check_with_given(spec)
    yield from within("params", check_given_once(spec.params))
    yield from within("workspaces", _check_bindings(spec.workspaces))
    yield from _check_names_once(spec.workspaces, "workspaces")
    if spec.debug is not None:
        yield needs_alpha("debug")
    yield from _check_resources(spec.step_specs, spec.sidecar_specs, spec.compute_resources)
    if spec.status and spec.status not in TASK_RUN_STATUSES:
        yield invalid_value(f"{spec.status} should be {' or '.join(TASK_RUN_STATUSES)}", "status")
    if spec.status_message and not spec.status:
        yield invalid_value(
            "statusMessage should not be set if status is not set, "
            f"but it is currently set to {spec.status_message}",
            "statusMessage",
        )
    if spec.retries < 0:
        yield invalid_value(f"{spec.retries} should be >= 0", "retries")
    yield from _check_length(spec.timeout, "timeout")


def check_pipeline_run(spec: PipelineRunSpec) -> Iterator[FieldError]:
    """The rules for the specification of a PipelineRun."""
    if spec.pipeline_ref is None and spec.pipeline_spec is None:
        yield neither("pipelineRef", "pipelineSpec")
    if spec.pipeline_ref is not None and spec.pipeline_spec is not None:
        yield both("pipelineRef", "pipelineSpec")
    if spec.pipeline_ref is not None:
        yield from within("pipelineRef", check_reference(spec.pipeline_ref))
    if spec.pipeline_spec is not None:
        yield from within("pipelineSpec", check_pipeline(spec.pipeline_spec))
        yield from _check_pipeline_with_given(spec)
    yield from within("params", check_given_once(spec.params))
    for param in spec.params:
        results = [it for it in value_expressions(param.value) if looks_like_result(it)]
        if results:
            yield invalid_value(
                f"cannot use result expressions in [{' '.join(results)}] "
                "as PipelineRun parameter values",
                f"params[{param.name}].value",
            )
    for own in spec.task_run_specs:
        yield from within(f"taskRunSpecs[{own.pipeline_task_name}]", _check_task_run_spec(own))
    if spec.timeouts is not None:
        yield from _check_timeouts(spec.timeouts)
        yield from _check_task_timeouts(spec.timeouts, spec.task_run_specs)
    if spec.status and spec.status not in PIPELINE_RUN_STATUSES:
        *some, last = PIPELINE_RUN_STATUSES
        text = f"{spec.status} should be {', '.join(some)} or {last}"
        yield invalid_value(text, "status")
    yield from within("workspaces", _check_bindings(spec.workspaces))
    yield from _check_provided_once(spec.workspaces)


def check_task_run_change(
    before: TaskRunSpec, after: TaskRunSpec, *, done: bool
) -> Iterator[FieldError]:
    """Of a TaskRun only the status may change, and nothing when it is done."""
    if done:
        if before != after:
            yield invalid_value("Once the TaskRun is complete, no updates are allowed", "")
        return
    allowed = msgspec.structs.replace(
        before, status=after.status, status_message=after.status_message
    )
    if allowed != after:
        yield invalid_value(
            "Once the TaskRun has started, only status and statusMessage updates are allowed", ""
        )


def check_pipeline_run_change(
    before: PipelineRunSpec, after: PipelineRunSpec, *, done: bool
) -> Iterator[FieldError]:
    """Of a PipelineRun only the status may change, and nothing when it is done."""
    if done:
        if before != after:
            yield invalid_value("Once the PipelineRun is complete, no updates are allowed", "")
        return
    if msgspec.structs.replace(before, status=after.status) != after:
        yield invalid_value("Once the PipelineRun has started, only status updates are allowed", "")


def _check_with_given(spec: TaskRunSpec) -> Iterator[FieldError]:
    """Steps may use what the task declares and what the run gives."""
    assert spec.task_spec is not None
    known, errors = combine(declared_by(spec.params), spec.task_spec.params)
    yield from errors
    params = tuple(known.values())
    if spec.task_spec.steps:
        yield from check_types(params)
        yield from check_declarations(spec.task_spec.steps, params)
        yield from check_usage(spec.task_spec.steps, params)


def _check_pipeline_with_given(spec: PipelineRunSpec) -> Iterator[FieldError]:
    """Tasks may use what the pipeline declares, what the run gives, and what they are given."""
    assert spec.pipeline_spec is not None
    known, errors = combine(declared_by(spec.params), spec.pipeline_spec.params)
    yield from errors
    for task in spec.pipeline_spec.tasks:
        known = {**declared_by(task.params), **known}
        if task.task_spec is not None:
            known, errors = combine(known, task.task_spec.params)
            yield from errors
    params = tuple(known.values())
    for task in spec.pipeline_spec.tasks:
        if task.task_spec is not None and task.task_spec.steps:
            yield from check_types(params)
            yield from check_declarations(task.task_spec.steps, params)
            yield from check_usage(task.task_spec.steps, params)
    yield from check_given(spec.pipeline_spec.tasks, params)
    yield from check_parameter_usage(spec.pipeline_spec.tasks, params)


def _check_bindings(bindings: Iterable[WorkspaceBinding]) -> Iterator[FieldError]:
    for index, binding in enumerate(bindings):
        yield from within(f"[{index}]", _check_binding(binding))


def _check_binding(binding: WorkspaceBinding) -> Iterator[FieldError]:
    sources = [
        binding.volume_claim_template,
        binding.persistent_volume_claim,
        binding.empty_dir,
        binding.config_map,
        binding.secret,
        binding.projected,
        binding.csi,
    ]
    count = sum(it is not None for it in sources)
    if not count:
        yield neither(*_SOURCES)
    elif count > 1:
        yield both(*_SOURCES)
    elif (claim := binding.persistent_volume_claim) is not None and not claim.claim_name:
        yield missing("persistentvolumeclaim.claimname")
    elif binding.config_map is not None and not binding.config_map.name:
        yield missing("configmap.name")
    elif binding.secret is not None and not binding.secret.secret_name:
        yield missing("secret.secretName")
    elif binding.projected is not None and not binding.projected.sources:
        yield missing("projected.sources")
    elif binding.csi is not None and not binding.csi.driver:
        yield missing("csi.driver")


def _check_names_once(
    named: Iterable[WorkspaceBinding | TaskRunStepSpec], place: str
) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, it in enumerate(named):
        if it.name.lower() in seen:
            yield both(f"{place}[{index}].name")
        seen.add(it.name.lower())


def _check_provided_once(bindings: Iterable[WorkspaceBinding]) -> Iterator[FieldError]:
    seen: dict[str, int] = {}
    for index, binding in enumerate(bindings):
        if binding.name in seen:
            yield FieldError(
                f'workspace "{binding.name}" provided by pipelinerun more than once, '
                f"at index {seen[binding.name]} and {index}",
                (f"workspaces[{index}].name",),
            )
        seen[binding.name] = index


def _check_resources(
    steps: tuple[TaskRunStepSpec, ...],
    sidecars: tuple[TaskRunStepSpec, ...],
    resources: ResourceRequirements | None,
) -> Iterator[FieldError]:
    for place, specs in (("stepSpecs", steps), ("sidecarSpecs", sidecars)):
        for index, own in enumerate(specs):
            if not own.name:
                yield missing(f"{place}[{index}].name")
        yield from _check_names_once((it for it in specs if it.name), place)
    if resources is not None and any(
        it.compute_resources != ResourceRequirements() for it in steps
    ):
        yield both("stepSpecs.resources", "computeResources")


def _check_task_run_spec(own: PipelineTaskRunSpec) -> Iterator[FieldError]:
    yield from _check_resources(own.step_specs, own.sidecar_specs, own.compute_resources)
    yield from _check_length(own.timeout, "timeout")


def _check_length(duration: str | None, path: str) -> Iterator[FieldError]:
    if duration is not None and nanoseconds(duration) < 0:
        yield invalid_value(f"{duration} should be >= 0", path)


def _check_timeouts(timeouts: TimeoutFields) -> Iterator[FieldError]:
    """The parts fit into the whole; 0 is no limit."""
    for field, length in (
        ("tasks", timeouts.tasks),
        ("finally", timeouts.final),
        ("pipeline", timeouts.pipeline),
    ):
        yield from _check_length(length, f"timeouts.{field}")
    whole = nanoseconds(timeouts.pipeline or "1h")
    rule = "should be <= pipeline duration"
    for field, length in (("tasks", timeouts.tasks), ("finally", timeouts.final)):
        if length is None or not whole:
            continue
        if nanoseconds(length) > whole:
            yield invalid_value(f"{length} {rule}", f"timeouts.{field}")
        elif nanoseconds(length) == 0:
            yield invalid_value(f"{length} (no timeout) {rule}", f"timeouts.{field}")
    if timeouts.tasks is not None and timeouts.final is not None:
        total = nanoseconds(timeouts.tasks) + nanoseconds(timeouts.final)
        if total > whole:
            text = f"{timeouts.tasks} + {timeouts.final} {rule}"
            yield invalid_value(text, "timeouts.tasks")
            yield invalid_value(text, "timeouts.finally")


def _check_task_timeouts(
    timeouts: TimeoutFields, specs: tuple[PipelineTaskRunSpec, ...]
) -> Iterator[FieldError]:
    most, source = timeouts.pipeline or "1h", "pipeline duration"
    if timeouts.tasks is not None:
        most, source = timeouts.tasks, "pipeline tasks duration"
    limit = nanoseconds(most)
    for own in specs if limit else ():
        if own.timeout is not None and nanoseconds(own.timeout) > limit:
            yield invalid_value(
                f"{own.timeout} should be <= {source} {duration_text(limit)}",
                f"taskRunSpecs[{own.pipeline_task_name}].timeout",
            )
