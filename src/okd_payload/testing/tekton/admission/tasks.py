# SPDX-License-Identifier: Apache-2.0
"""Rules for tasks: steps, sidecars, workspaces, volumes and results.

After ``task_validation.go``, ``container_validation.go`` and ``result_validation.go`` in
``pkg/apis/pipeline/v1`` of tektoncd/pipeline.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

import msgspec

from okd_payload.testing.tekton.admission.model import (
    Sidecar,
    Step,
    StepActionSpec,
    StepResult,
    StepTemplate,
    TaskResult,
    TaskSpec,
)
from okd_payload.testing.tekton.admission.names import is_dns_label
from okd_payload.testing.tekton.admission.parameters import (
    check_declarations,
    check_enums,
    check_types,
    check_usage,
    duplicates,
    in_steps,
)
from okd_payload.testing.tekton.admission.references import check_reference
from okd_payload.testing.tekton.admission.refusals import (
    FieldError,
    both,
    invalid_value,
    missing,
    needs_alpha,
    needs_flag,
    within,
)
from okd_payload.testing.tekton.admission.values import nanoseconds
from okd_payload.testing.tekton.admission.variables import (
    check_known,
    refers_to_artifact,
    refers_to_step_result,
)

_RESERVED_SIDECAR = "tekton-log-results"
_RESULT_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_TASK_RUN_CONTEXT = ("name", "namespace", "uid")
_TASK_CONTEXT = ("name", "retry-count")


def check_task(spec: TaskSpec) -> Iterator[FieldError]:
    """The rules for a task, wherever it is written."""
    if not spec.steps:
        yield missing("steps")
    for index, volume in enumerate(spec.volumes):
        if any(it.name == volume.name for it in spec.volumes[:index]):
            text = f'multiple volumes with same name "{volume.name}"'
            yield FieldError(text, (f"volumes[{index}].name",))
    yield from within("workspaces", _check_workspaces(spec))
    yield from _check_workspace_usage(spec)
    yield from within("steps", check_steps(merged_steps(spec)))
    for sidecar in spec.sidecars:
        yield from within("sidecars", _check_sidecar(sidecar))
    yield from within("params", check_types(spec.params))
    yield from within("params", check_enums(spec.params))
    yield from check_declarations(spec.steps, spec.params)
    yield from in_steps(spec.steps, check_known, "context.taskRun", _TASK_RUN_CONTEXT)
    yield from in_steps(spec.steps, check_known, "context.task", _TASK_CONTEXT)
    results = {it.name for it in spec.results}
    for index, step in enumerate(spec.steps):
        yield from within(f"steps[{index}].script", check_known(step.script, "results", results))
    for index, result in enumerate(spec.results):
        yield from within(f"results[{index}]", _check_result(result))


def check_task_alone(spec: TaskSpec) -> Iterator[FieldError]:
    """The rules for a Task object, which no run completes."""
    yield from check_task(spec)
    yield from check_usage(spec.steps, spec.params)


def check_step_action(spec: StepActionSpec) -> Iterator[FieldError]:
    """The rules for a StepAction, which is one step."""
    if not spec.image:
        yield missing("Image")
    if spec.script and spec.command:
        yield FieldError("script cannot be used with command", ("script",))
    step = msgspec.convert(
        {"name": "", "computeResources": {}}
        | msgspec.to_builtins(msgspec.structs.replace(spec, description="", params=(), results=())),
        Step,
    )
    yield from within("params", check_types(spec.params))
    for error in (*check_declarations((step,), spec.params), *check_usage((step,), spec.params)):
        paths = tuple(it.removeprefix("steps[0].") for it in error.paths)
        yield msgspec.structs.replace(error, paths=paths)
    yield from within("volumeMounts", _check_mounts(step))
    for index, result in enumerate(spec.results):
        yield from within(f"results[{index}]", _check_result(result))


def check_steps(steps: Iterable[Step]) -> Iterator[FieldError]:
    """The rules for steps, with the template applied."""
    names: set[str] = set()
    for index, step in enumerate(steps):
        texts = (step.script, *step.command, *step.args, *(it.value for it in step.env))
        if any(map(refers_to_artifact, texts)):
            yield needs_flag("enable-artifacts", "use artifacts feature.", f"[{index}]")
        else:
            yield from within(f"[{index}]", _check_step(step))
        if step.name and step.name in names:
            yield both(f"[{index}].name")
        names.add(step.name)
        declared = {it.name for it in step.results}
        if step.results:
            yield from within(
                f"[{index}].script", check_known(step.script, "step.results", declared)
            )
            for result in step.results:
                yield from within(f"results[{index}]", _check_result(result))


def merged_steps(spec: TaskSpec) -> tuple[Step, ...]:
    """The steps with what the template gives them, as far as rules look at it."""
    template = spec.step_template
    return spec.steps if template is None else tuple(_merge(it, template) for it in spec.steps)


def _merge(step: Step, template: StepTemplate) -> Step:
    own = {it.name for it in step.env}
    mounts = {it.mount_path for it in step.volume_mounts}
    return msgspec.structs.replace(
        step,
        image=step.image or template.image,
        command=step.command or (() if step.script else template.command),
        args=step.args or template.args,
        working_dir=step.working_dir or template.working_dir,
        env=(*(it for it in template.env if it.name not in own), *step.env),
        volume_mounts=(
            *(it for it in template.volume_mounts if it.mount_path not in mounts),
            *step.volume_mounts,
        ),
    )


def _check_step(step: Step) -> Iterator[FieldError]:
    if step.ref is not None:
        yield from check_reference(step.ref)
        yield from _check_nothing_beside_ref(step)
    else:
        if step.params:
            yield FieldError("params cannot be used without Ref", ("params",))
        if not step.image:
            yield missing("Image")
        if step.script and step.command:
            yield FieldError("script cannot be used with command", ("script",))
    if step.name and not is_dns_label(step.name):
        yield FieldError(
            f'invalid value "{step.name}"',
            ("name",),
            "Task step name must be a valid DNS Label, For more info refer to "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names",
        )
    if step.timeout is not None and nanoseconds(step.timeout) < 0:
        yield invalid_value(step.timeout, "negative timeout")
    yield from within("volumeMounts", _check_mounts(step))
    yield from _check_on_error(step.on_error)
    if step.script.strip().startswith("#!win"):
        yield needs_alpha("windows script support")
    if step.stdout_config is not None:
        yield needs_alpha("step stdout stream support")
    if step.stderr_config is not None:
        yield needs_alpha("step stderr stream support")
    yield from _check_step_results(step)


def _check_on_error(on_error: str) -> Iterator[FieldError]:
    if on_error not in {"", "continue", "stopAndFail"} and not on_error.startswith("$(params"):
        yield FieldError(
            f'invalid value: "{on_error}"',
            ("onError",),
            'Task step onError must be either "continue" or "stopAndFail"',
        )


def _check_nothing_beside_ref(step: Step) -> Iterator[FieldError]:
    for field, word, given in (
        ("image", "image", step.image),
        ("command", "command", step.command),
        ("args", "args", step.args),
        ("script", "script", step.script),
        ("workingDir", "working dir", step.working_dir),
        ("env", "env", step.env),
        ("volumeMounts", "volumeMounts", step.volume_mounts),
        ("results", "results", step.results),
    ):
        if given:
            yield FieldError(f"{word} cannot be used with Ref", (field,))


def _check_step_results(step: Step) -> Iterator[FieldError]:
    """Results of other steps are known to variables, commands and arguments only."""
    fields = [
        ("name", step.name),
        ("image", step.image),
        ("script", step.script),
        ("imagePullPolicy", step.image_pull_policy),
        ("workingDir", step.working_dir),
    ]
    for source in step.env_from:
        fields.append(("envFrom.prefix", source.prefix))
        if source.config_map_ref is not None:
            fields.append(("envFrom.configMapRef", source.config_map_ref.name))
        if source.secret_ref is not None:
            fields.append(("envFrom.secretRef", source.secret_ref.name))
    for mount in step.volume_mounts:
        fields += [
            ("volumeMounts.name", mount.name),
            ("volumeMounts.mountPath", mount.mount_path),
            ("volumeMounts.subPath", mount.sub_path),
        ]
    for path, text in fields:
        if refers_to_step_result(text):
            yield FieldError(
                "stepResult substitutions are only allowed in env, command and args. "
                "Found usage in",
                (path,),
            )


def _check_mounts(step: Step) -> Iterator[FieldError]:
    for index, mount in enumerate(step.volume_mounts):
        path = mount.mount_path
        if path.startswith("/tekton/") and not path.startswith("/tekton/home"):
            yield FieldError(
                f'volumeMount cannot be mounted under /tekton/ (volumeMount "{mount.name}" '
                f'mounted at "{path}")',
                (f"[{index}].mountPath",),
            )
        if mount.name.startswith("tekton-internal-"):
            yield FieldError(
                f'volumeMount name "{mount.name}" cannot start with "tekton-internal-"',
                (f"[{index}].name",),
            )


def _check_sidecar(sidecar: Sidecar) -> Iterator[FieldError]:
    if sidecar.name == _RESERVED_SIDECAR:
        yield FieldError(f"Invalid: cannot use reserved sidecar name {sidecar.name} ", ("name",))
    if not sidecar.image:
        yield missing("image")
    if sidecar.script and sidecar.command:
        yield FieldError("script cannot be used with command", ("script",))


def _check_workspaces(spec: TaskSpec) -> Iterator[FieldError]:
    template = spec.step_template.volume_mounts if spec.step_template is not None else ()
    mounts = [*template, *(mount for step in spec.steps for mount in step.volume_mounts)]
    taken = {posixpath.normpath(it.mount_path) for it in mounts}
    twice = set(duplicates(it.name for it in spec.workspaces))
    seen: set[str] = set()
    for index, workspace in enumerate(spec.workspaces):
        if workspace.name in twice and workspace.name in seen:
            text = f'workspace name "{workspace.name}" must be unique'
            yield FieldError(text, (f"[{index}].name",))
        seen.add(workspace.name)
        path = posixpath.normpath(workspace.mount_path or f"/workspace/{workspace.name}")
        if path in taken:
            text = f'workspace mount path "{path}" must be unique'
            yield FieldError(text, (f"[{index}].mountpath",))
        taken.add(path)


def _check_workspace_usage(spec: TaskSpec) -> Iterator[FieldError]:
    declared = {it.name for it in spec.workspaces}
    users: tuple[tuple[str, tuple[Step | Sidecar, ...]], ...] = (
        ("steps", spec.steps),
        ("sidecars", spec.sidecars),
    )
    for field, containers in users:
        for index, container in enumerate(containers):
            for number, usage in enumerate(container.workspaces):
                if usage.name not in declared:
                    path = f"{field}[{index}].workspaces[{number}].name"
                    yield FieldError(f'undefined workspace "{usage.name}"', (path,))


def _check_result(result: TaskResult | StepResult) -> Iterator[FieldError]:
    if not _RESULT_NAME.fullmatch(result.name):
        yield FieldError(
            f'invalid key name "{result.name}"',
            ("name",),
            "Name must consist of alphanumeric characters, '-', '_', and must start and end with "
            "an alphanumeric character (e.g. 'MyName',  or 'my-name',  or 'my_name', regex used "
            f"for validation is '^{_RESULT_NAME.pattern}$')",
        )
    elif result.type == "object" and result.properties is None:
        yield missing(f"{result.name}.properties")
    elif result.type == "object":
        keys = [key for key, it in (result.properties or {}).items() if it.type != "string"]
        if keys:
            yield FieldError(
                f"The value type specified for these keys [{' '.join(keys)}] is invalid, "
                "the type must be string",
                (f"{result.name}.properties",),
            )
    elif result.type not in {"", "string", "array"}:
        yield invalid_value(result.type, "type", "type must be string")
