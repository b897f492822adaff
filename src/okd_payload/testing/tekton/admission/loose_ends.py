# SPDX-License-Identifier: Apache-2.0
"""What admission lets through and nobody wants: variables and bindings that mean nothing.

Tekton leaves what it does not know as text. ``$(workspaces.w.path)`` of a workspace that nobody
declares, or ``$(tasks.b.result.r)``, becomes a command substitution of the shell, and the run
succeeds with an empty string. Whoever writes Tasks and Pipelines by program checks them here: all
documents at once, so that a reference to a Task is checked against that Task.

    assert check_variables(task, pipeline) == ()
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec

from okd_payload.testing.tekton.admission.admit import has_rules
from okd_payload.testing.tekton.admission.core_model import EnvVar
from okd_payload.testing.tekton.admission.decoding import decode
from okd_payload.testing.tekton.admission.defaults import (
    complete_pipeline,
    complete_task,
    type_of,
)
from okd_payload.testing.tekton.admission.graph import all_params
from okd_payload.testing.tekton.admission.model import (
    Param,
    ParamSpec,
    PipelineSpec,
    PipelineTask,
    Sidecar,
    Step,
    TaskSpec,
)
from okd_payload.testing.tekton.admission.refusals import join
from okd_payload.testing.tekton.admission.run_model import (
    PipelineRunSpec,
    TaskRunSpec,
)
from okd_payload.testing.tekton.admission.scopes import Scope, problem_with, variables_in
from okd_payload.testing.tekton.admission.variables import texts_of


class LooseEnd(msgspec.Struct, frozen=True, order=True):
    """Something that means nothing, where it stands and why."""

    place: str
    """Kind, name and path: ``Task build: steps[0].script``."""
    problem: str


def check_variables(*documents: bytes) -> tuple[LooseEnd, ...]:
    """Everything in Tasks, Pipelines and runs that refers to what is not there.

    They must be such as admission takes; other kinds of objects are passed over.
    """
    decoded = [it for it in map(msgspec.json.decode, documents) if has_rules(it)]
    known = {
        it["metadata"]["name"]: complete_task(decode(it.get("spec"), TaskSpec))
        for it in decoded
        if it.get("kind") == "Task"
    }
    found: set[LooseEnd] = set()
    for document in decoded:
        metadata = document.get("metadata", {})
        name = metadata.get("name") or metadata.get("generateName", "")
        place = f"{document.get('kind')} {name}: "
        ends = _check_document(document.get("kind", ""), document.get("spec"), known)
        found |= {LooseEnd(place + it.place, it.problem) for it in ends}
    return tuple(sorted(found))


def _check_document(kind: str, spec: object, known: Mapping[str, TaskSpec]) -> Iterator[LooseEnd]:
    match kind:
        case "Task":
            yield from _check_task(complete_task(decode(spec, TaskSpec)), ())
        case "Pipeline":
            yield from _check_pipeline(complete_pipeline(decode(spec, PipelineSpec)), (), known)
        case "TaskRun":
            yield from _check_task_run(decode(spec, TaskRunSpec), known)
        case "PipelineRun":
            run = decode(spec, PipelineRunSpec)
            if run.pipeline_spec is not None:
                pipeline = complete_pipeline(run.pipeline_spec)
                inside = _check_pipeline(pipeline, run.params, known)
                yield from _below("pipelineSpec", inside)
                given = {it.name for it in run.workspaces}
                needed = {it.name for it in pipeline.workspaces if not it.optional}
                yield from _check_bound(given, needed, {it.name for it in pipeline.workspaces})
                yield from _check_given(run.params, pipeline.params)


def _check_task_run(run: TaskRunSpec, known: Mapping[str, TaskSpec]) -> Iterator[LooseEnd]:
    spec = run.task_spec
    if spec is not None:
        spec = complete_task(spec)
        yield from _below("taskSpec", _check_task(spec, run.params))
    elif run.task_ref is not None:
        spec = known.get(run.task_ref.name)
    if spec is not None:
        needed = {it.name for it in spec.workspaces if not it.optional}
        given = {it.name for it in run.workspaces}
        yield from _check_bound(given, needed, {it.name for it in spec.workspaces})
        yield from _check_given(run.params, spec.params)


def _check_task(spec: TaskSpec, given: Iterable[Param]) -> Iterator[LooseEnd]:
    scope = _scope_of(spec, given)
    for place, text in _texts(spec):
        yield from _check_text(place, text, scope)


def _check_pipeline(
    spec: PipelineSpec, given: Iterable[Param], known: Mapping[str, TaskSpec]
) -> Iterator[LooseEnd]:
    workspaces = {it.name for it in spec.workspaces}
    tasks = {it.name: _spec_of(it, known) for it in spec.tasks}
    scope = Scope(_declared(spec.params, given), workspaces, tasks=tasks)
    for field, listed in (("tasks", spec.tasks), ("finally", spec.final)):
        inside = msgspec.structs.replace(scope, final=field == "finally")
        for index, task in enumerate(listed):
            ends = _check_pipeline_task(task, inside, _spec_of(task, known))
            yield from _below(f"{field}[{index}]", ends)
    done = {it.name: _spec_of(it, known) for it in (*spec.tasks, *spec.final)}
    outside = msgspec.structs.replace(scope, tasks=done, final=True)
    for index, result in enumerate(spec.results):
        for text in texts_of(result.value):
            yield from _check_text(f"results[{index}].value", text, outside)


def _check_pipeline_task(
    task: PipelineTask, scope: Scope, spec: TaskSpec | None
) -> Iterator[LooseEnd]:
    for param in all_params(task):
        for text in texts_of(param.value):
            yield from _check_text(f"params[{param.name}]", text, scope)
    for index, condition in enumerate(task.when):
        for text in (condition.input, *condition.values):
            yield from _check_text(f"when[{index}]", text, scope)
    for index, binding in enumerate(task.workspaces):
        if (binding.workspace or binding.name) not in scope.workspaces:
            problem = f"the pipeline has no workspace {binding.workspace or binding.name}"
            yield LooseEnd(f"workspaces[{index}]", problem)
    if spec is None:
        return
    if task.task_spec is not None:
        own = _scope_of(spec, task.params)
        params = {**scope.params, **own.params}  # what the pipeline has reaches embedded steps
        inner = msgspec.structs.replace(own, params=params, tasks=scope.tasks, final=scope.final)
        for place, text in _texts(spec):
            yield from _below("taskSpec", _check_text(place, text, inner))
    needed = {it.name for it in spec.workspaces if not it.optional}
    bound = {it.name for it in task.workspaces}
    yield from _check_bound(bound, needed, {it.name for it in spec.workspaces})
    yield from _check_given(tuple(all_params(task)), spec.params)


def _check_bound(
    given: Collection[str], needed: Collection[str], declared: Collection[str]
) -> Iterator[LooseEnd]:
    for name in sorted(set(needed) - set(given)):
        yield LooseEnd("workspaces", f"workspace {name} is not bound")
    for name in sorted(set(given) - set(declared)):
        yield LooseEnd("workspaces", f"workspace {name} is bound, and nobody declares it")


def _check_given(given: Iterable[Param], declared: Iterable[ParamSpec]) -> Iterator[LooseEnd]:
    values = {it.name: it.value for it in given}
    specs = {it.name: it for it in declared}
    for name, spec in sorted(specs.items()):
        if name not in values and spec.default is None:
            yield LooseEnd("params", f"parameter {name} is not given")
        elif name in values and not _may_have_type(values[name], spec.type):
            yield LooseEnd(f"params[{name}]", f"is no {spec.type}")
    for name in sorted(set(values) - set(specs)):
        yield LooseEnd("params", f"parameter {name} is given, and nobody declares it")


def _may_have_type(value: object, kind: str) -> bool:
    if isinstance(value, str):
        return kind == "string" or value.endswith("[*])")
    return isinstance(value, tuple | dict) and (type_of(value) == kind or kind == "string")


def _check_text(place: str, text: str, scope: Scope) -> Iterator[LooseEnd]:
    for variable in variables_in(text):
        if (problem := problem_with(variable, scope)) is not None:
            yield LooseEnd(place, f"$({variable}): {problem}")


def _scope_of(spec: TaskSpec, given: Iterable[Param]) -> Scope:
    return Scope(
        _declared(spec.params, given),
        {it.name for it in spec.workspaces},
        results={it.name for it in spec.results},
        steps={it.name: {result.name for result in it.results} for it in spec.steps},
    )


def _declared(declared: Iterable[ParamSpec], given: Iterable[Param]) -> dict[str, ParamSpec]:
    implied = {it.name: ParamSpec(name=it.name, type=type_of(it.value)) for it in given}
    return implied | {it.name: it for it in declared}


def _spec_of(task: PipelineTask, known: Mapping[str, TaskSpec]) -> TaskSpec | None:
    if task.task_spec is not None:
        return task.task_spec
    return None if task.task_ref is None else known.get(task.task_ref.name)


def _texts(spec: TaskSpec) -> Iterator[tuple[str, str]]:
    """Every text of a task in which variables are replaced."""
    containers: list[tuple[str, Step | Sidecar]] = []
    containers += [(f"steps[{index}]", it) for index, it in enumerate(spec.steps)]
    containers += [(f"sidecars[{index}]", it) for index, it in enumerate(spec.sidecars)]
    for place, it in containers:
        yield f"{place}.script", it.script
        yield f"{place}.image", it.image
        yield f"{place}.workingDir", it.working_dir
        for field, listed in (("command", it.command), ("args", it.args)):
            yield from ((f"{place}.{field}[{index}]", text) for index, text in enumerate(listed))
        yield from _environment(place, it.env)
        for mount in it.volume_mounts:
            yield f"{place}.volumeMounts", mount.mount_path
            yield f"{place}.volumeMounts", mount.sub_path
    if spec.step_template is not None:
        yield "stepTemplate.image", spec.step_template.image
        yield from _environment("stepTemplate", spec.step_template.env)
    for index, volume in enumerate(spec.volumes):
        text = msgspec.json.encode(msgspec.to_builtins(volume)).decode()
        yield f"volumes[{index}]", text


def _environment(place: str, variables: Iterable[EnvVar]) -> Iterator[tuple[str, str]]:
    for variable in variables:
        yield f"{place}.env[{variable.name}]", variable.value


def _below(place: str, ends: Iterable[LooseEnd]) -> Iterator[LooseEnd]:
    for end in ends:
        yield LooseEnd(join(place, end.place), end.problem)
