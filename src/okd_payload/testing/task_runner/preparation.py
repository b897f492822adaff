# SPDX-License-Identifier: Apache-2.0
"""From a TaskRun to steps that can be run: parameters bound, variables replaced, defaults added.

What Tekton's controller does before it makes a pod, in its order: parameters, contexts, results,
exit codes, workspaces, each a pass of its own. What it would refuse is an error here, and so is
what only a cluster can do.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from okd_payload.errors import InputError
from okd_payload.testing.task_runner.model import (
    ParameterSpec,
    Step,
    Task,
    TaskRun,
    TaskSpec,
    Value,
    Workspace,
    kind_of,
)
from okd_payload.testing.task_runner.rights import combine
from okd_payload.testing.task_runner.substitution import Pass, Replacements, values_pass

RESULTS_FOLDER = "/tekton/results"
_STEPS_FOLDER = "/tekton/steps"


class PreparedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A TaskRun with everything said."""

    run: TaskRun
    spec: TaskSpec
    """Its steps have names, and all variables are replaced."""
    workspaces: Mapping[str, Workspace]
    """What is bound, by the task's names."""


def prepare(run: TaskRun, tasks: Mapping[str, Task]) -> PreparedRun:
    """``run`` with everything said; ``tasks`` are those of the namespace. Raises InputError."""
    spec = _spec_of(run, tasks)
    _refuse_foreign(spec)
    bound = _bind_workspaces(run, spec)
    values = _bind_parameters(run, spec)
    steps = [_complete(step, number, spec) for number, step in enumerate(spec.steps)]
    replacements = Replacements(
        (
            values_pass("params", values),
            Pass(_context(run)),
            Pass(_result_paths(spec)),
            Pass(_exit_code_paths(steps)),
            Pass(_workspace_facts(spec, bound)),
        )
    )
    filled = tuple(_fill_step(step, replacements) for step in steps)
    spec = msgspec.structs.replace(spec, steps=filled, step_template=None)
    return PreparedRun(run=run, spec=spec, workspaces=bound)


def workspace_path(spec: TaskSpec, name: str) -> str:
    """Where steps see the workspace ``name``."""
    declared = next(item for item in spec.workspaces if item.name == name)
    return declared.mount_path or f"/workspace/{name}"


def _spec_of(run: TaskRun, tasks: Mapping[str, Task]) -> TaskSpec:
    if run.spec.task_spec is not None:
        return run.spec.task_spec
    reference = run.spec.task_ref
    if reference is None or reference.resolver or reference.kind not in ("", "Task"):
        raise InputError(
            f"{run.metadata.name} refers to no Task of the namespace",
            hint="give taskSpec, or taskRef with the name of a Task",
        )
    if reference.name not in tasks:
        raise InputError(f'tasks.tekton.dev "{reference.name}" not found')
    return tasks[reference.name].spec


def _refuse_foreign(spec: TaskSpec) -> None:
    foreign = ["sidecars"] if spec.sidecars else []
    for step in spec.steps:
        foreign += [
            f"{name} of step {step.name}"
            for name in ("ref", "env_from", "when")
            if getattr(step, name) is not None
        ]
    if foreign:
        raise InputError(
            f"a task has {', '.join(foreign)}, which cannot be run here",
            hint="run it on a cluster",
        )


def _bind_parameters(run: TaskRun, spec: TaskSpec) -> dict[str, Value]:
    given = {item.name: item.value for item in run.spec.params}
    values: dict[str, Value] = {}
    for declared in spec.params:
        value = given.pop(declared.name, declared.default)
        if value is None:
            raise InputError(
                f"missing values for these params which have no default values: [{declared.name}]"
            )
        values[declared.name] = _check_kind(declared, value)
    # What a TaskRun gives and its task does not declare is left alone, as by Tekton.
    return values | given


def _check_kind(declared: ParameterSpec, value: Value) -> Value:
    if kind_of(value) != declared.kind:
        raise InputError(
            f"param types don't match the user-specified type: [{declared.name}]",
            hint=f"give {declared.kind}, not {kind_of(value)}",
        )
    if isinstance(value, dict) and isinstance(declared.default, dict):
        return declared.default | value
    return value


def _bind_workspaces(run: TaskRun, spec: TaskSpec) -> dict[str, Workspace]:
    given = {item.name: item for item in run.spec.workspaces}
    for declared in spec.workspaces:
        if declared.name not in given and not declared.optional:
            raise InputError(
                f'declared workspace "{declared.name}" is required but has not been bound'
            )
    names = {item.name for item in spec.workspaces}
    return {name: item for name, item in given.items() if name in names}


def _complete(step: Step, number: int, spec: TaskSpec) -> Step:
    """``step`` with a name, and with what the template has and it has not."""
    name = step.name or f"unnamed-{number}"
    template = spec.step_template
    if template is None:
        return msgspec.structs.replace(step, name=name)
    own = {item.name for item in step.env}
    mounted = {item.mount_path for item in step.volume_mounts}
    keeps_command = step.command or step.script
    return msgspec.structs.replace(
        step,
        name=name,
        image=step.image or template.image,
        command=step.command if keeps_command else template.command,
        args=step.args or template.args,
        env=(*(item for item in template.env if item.name not in own), *step.env),
        working_dir=step.working_dir or template.working_dir,
        volume_mounts=(
            *(item for item in template.volume_mounts if item.mount_path not in mounted),
            *step.volume_mounts,
        ),
        security_context=combine(template.security_context, step.security_context),
    )


def _context(run: TaskRun) -> dict[str, str]:
    reference = run.spec.task_ref
    labels = run.metadata.labels
    return {
        "context.taskRun.name": run.metadata.name,
        "context.taskRun.namespace": run.metadata.namespace,
        "context.taskRun.uid": run.metadata.uid,
        "context.task.name": reference.name if reference else run.metadata.name,
        "context.task.retry-count": "0",
        "context.pipelineRun.name": labels.get("tekton.dev/pipelineRun", ""),
        "context.pipeline.name": labels.get("tekton.dev/pipeline", ""),
    }


def _result_paths(spec: TaskSpec) -> dict[str, str]:
    paths: dict[str, str] = {}
    for result in spec.results:
        for spelled in (f".{result.name}", f'["{result.name}"]', f"['{result.name}']"):
            paths[f"results{spelled}.path"] = f"{RESULTS_FOLDER}/{result.name}"
    return paths


def _exit_code_paths(steps: list[Step]) -> dict[str, str]:
    return {
        f"steps.step-{step.name}.exitCode.path": f"{_STEPS_FOLDER}/step-{step.name}/exitCode"
        for step in steps
    }


def _workspace_facts(spec: TaskSpec, bound: Mapping[str, Workspace]) -> dict[str, str]:
    """Of a workspace that is not bound, the path is empty."""
    facts: dict[str, str] = {}
    for declared in spec.workspaces:
        prefix, found = f"workspaces.{declared.name}", bound.get(declared.name)
        claim = found.persistent_volume_claim if found else None
        facts |= {
            f"{prefix}.bound": "true" if found else "false",
            f"{prefix}.path": workspace_path(spec, declared.name) if found else "",
            f"{prefix}.claim": claim.claim_name if claim else "",
            f"{prefix}.volume": f"ws-{declared.name}" if found else "",
        }
    return facts


def _fill_step(step: Step, replacements: Replacements) -> Step:
    text = replacements.text
    return msgspec.structs.replace(
        step,
        image=text(step.image),
        command=replacements.items(step.command),
        args=replacements.items(step.args),
        script=text(step.script),
        working_dir=text(step.working_dir),
        on_error=text(step.on_error),
        env=tuple(msgspec.structs.replace(item, value=text(item.value)) for item in step.env),
        volume_mounts=tuple(
            msgspec.structs.replace(
                item, mount_path=text(item.mount_path), sub_path=text(item.sub_path)
            )
            for item in step.volume_mounts
        ),
    )
