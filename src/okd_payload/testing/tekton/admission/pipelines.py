# SPDX-License-Identifier: Apache-2.0
"""Rules for pipelines: their tasks together, final tasks, results, workspaces and variables.

After ``pkg/apis/pipeline/v1/pipeline_validation.go`` of tektoncd/pipeline.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeAlias

from okd_payload.testing.tekton.admission.graph import all_params, check_graph
from okd_payload.testing.tekton.admission.matrix import check_matrices
from okd_payload.testing.tekton.admission.model import (
    Param,
    ParamSpec,
    PipelineResult,
    PipelineSpec,
    PipelineTask,
    WhenExpression,
)
from okd_payload.testing.tekton.admission.parameters import (
    check_declared_once,
    check_enums,
    check_types,
    check_unique,
    check_usage,
)
from okd_payload.testing.tekton.admission.pipeline_tasks import check_pipeline_tasks, check_when
from okd_payload.testing.tekton.admission.refusals import (
    FieldError,
    invalid_value,
    needs_flag,
    within,
)
from okd_payload.testing.tekton.admission.variables import (
    check_known,
    check_lists_alone,
    check_no_lists,
    check_no_objects,
    expressions,
    looks_like_result,
    refers_to_artifact,
    result_reference,
    texts_of,
    value_expressions,
    whole_reference,
)

_CONTEXTS = {
    "context.pipelineRun": ("name", "namespace", "uid"),
    "context.pipeline": ("name",),
    "context.pipelineTask": ("retries",),
}
_ALL_TASKS = "tasks.status"

_Check: TypeAlias = Callable[[list[str], str], Iterator[FieldError]]


def check_pipeline(spec: PipelineSpec) -> Iterator[FieldError]:
    """The rules for a pipeline, wherever it is written."""
    if spec == PipelineSpec():
        fields = ("description", "params", "resources", "tasks", "workspaces")
        yield FieldError("expected at least one, got none", fields)
    yield from check_pipeline_tasks(spec.tasks, spec.final)
    yield from check_graph(spec.tasks)
    for field, tasks in (("tasks", spec.tasks), ("finally", spec.final)):
        yield from within(field, check_given(tasks, spec.params))
        yield from within(field, _check_contexts(tasks))
    yield from within("tasks", _in_conditions(spec.tasks, _no_status))
    names = {it.name for it in spec.tasks}
    yield from within("finally", _in_conditions(spec.final, _known_status(names)))
    yield from _check_workspaces(spec)
    final_names = {it.name for it in spec.final}
    for index, result in enumerate(spec.results):
        yield from within(f"results[{index}].value", _check_result(result, names, final_names))
    if spec.final and not spec.tasks:
        text = f"spec.tasks is empty but spec.finally has {len(spec.final)} tasks"
        yield invalid_value(text, "finally")
    yield from within("finally", _check_final(spec.final, names, final_names))
    for field, tasks in (("tasks", spec.tasks), ("finally", spec.final)):
        for index, task in enumerate(tasks):
            yield from within(f"{field}[{index}]", check_when(task.when))
            yield from within(f"{field}[{index}].params", _check_artifacts(task))
        yield from within(field, check_matrices(tasks))


def check_pipeline_alone(spec: PipelineSpec) -> Iterator[FieldError]:
    """The rules for a Pipeline object, which no run completes."""
    yield from check_pipeline(spec)
    for field, tasks in (("tasks", spec.tasks), ("finally", spec.final)):
        for index, task in enumerate(tasks):
            if task.task_spec is not None:
                known = {it.name: it for it in (*spec.params, *task.task_spec.params)}
                usage = check_usage(task.task_spec.steps, tuple(known.values()))
                yield from within(f"{field}[{index}]", usage)
        yield from within(field, check_parameter_usage(tasks, spec.params))
        yield from within(field, _check_workspace_usage(spec, tasks))


def check_given(
    tasks: Iterable[PipelineTask], params: tuple[ParamSpec, ...]
) -> Iterator[FieldError]:
    """Declarations make sense, and no task is given a parameter twice."""
    yield from within("params", check_types(params))
    yield from check_declared_once(params)
    yield from within("params", check_enums(params))
    for index, task in enumerate(tasks):
        yield from within(f"[{index}].params", check_unique(task.params))


def check_parameter_usage(
    tasks: Iterable[PipelineTask], params: tuple[ParamSpec, ...]
) -> Iterator[FieldError]:
    """What tasks are given uses declared parameters, each as its type allows."""
    usage = _Usage(params)
    for index, task in enumerate(tasks):
        place = f"[{index}]"
        for param in task.params:
            yield from within(place, usage.check_param(param))
        if task.matrix is not None:
            for include in task.matrix.include:
                for number, param in enumerate(include.params):
                    path = f"{place}.matrix.include.params[{number}]"
                    yield from within(path, usage.check_text("".join(texts_of(param.value))))
            for param in task.matrix.params:
                for number, text in enumerate(texts_of(param.value)):
                    path = f"{place}.matrix.params[{param.name}].value[{number}]"
                    yield from within(path, usage.check_in_list(text))
        for number, condition in enumerate(task.when):
            yield from within(f"{place}.when[{number}]", usage.check_condition(condition))
        yield from within(f"{place}.params", check_unique(task.params))


class _Usage:
    """Whether texts use parameters as their types allow."""

    def __init__(self, params: tuple[ParamSpec, ...]) -> None:
        self._names = {it.name for it in params}
        self._lists = {it.name for it in params if it.type == "array"}
        self._objects = {it.name: set(it.properties or ()) for it in params if it.type == "object"}

    def check_param(self, param: Param) -> Iterator[FieldError]:
        """The value that a task is given."""
        place = f"params[{param.name}]"
        if isinstance(param.value, tuple):
            for index, text in enumerate(param.value):
                yield from within(f"{place}.value[{index}]", self.check_in_list(text))
        elif isinstance(param.value, dict):
            for key, text in param.value.items():
                yield from within(f"{place}.properties[{key}]", self.check_text(text))
        elif (name := whole_reference(param.value, "params")) is not None:
            if name not in self._names:
                yield from within(place, check_known(param.value, "params", self._names))
        else:
            yield from within(place, self.check_text(param.value))

    def check_condition(self, condition: WhenExpression) -> Iterator[FieldError]:
        """The input and values of a condition."""
        yield from within("input", self.check_text(condition.input))
        for text in condition.values:
            listed = whole_reference(text, "params") in self._lists
            check = self.check_in_list if listed else self.check_text
            yield from within("values", check(text))

    def check_in_list(self, text: str) -> Iterator[FieldError]:
        """A text where a list may stand alone."""
        yield from check_known(text, "params", self._names)
        yield from self._check_objects(text)
        yield from check_lists_alone(text, "params", self._lists)

    def check_text(self, text: str) -> Iterator[FieldError]:
        """A text where lists and objects have no place."""
        yield from check_known(text, "params", self._names)
        yield from self._check_objects(text)
        yield from check_no_lists(text, "params", self._lists)

    def _check_objects(self, text: str) -> Iterator[FieldError]:
        for name, keys in self._objects.items():
            yield from check_known(text, f"params.{name}", keys)
        yield from check_no_objects(text, "params", self._objects)


def _check_artifacts(task: PipelineTask) -> Iterator[FieldError]:
    if any(refers_to_artifact(text) for it in task.params for text in texts_of(it.value)):
        yield needs_flag("enable-artifacts", "use artifacts feature.", "")


def _check_contexts(tasks: tuple[PipelineTask, ...]) -> Iterator[FieldError]:
    if not tasks:
        return
    # The webhook looks at the last task only: it forgets the values of those before.
    for param in all_params(tasks[-1]):
        for text in texts_of(param.value):
            for prefix, names in _CONTEXTS.items():
                yield from within("value", check_known(text, prefix, names))


def _in_conditions(tasks: Iterable[PipelineTask], check: _Check) -> Iterator[FieldError]:
    """Apply a check to the variables of each parameter and condition."""
    for index, task in enumerate(tasks):
        for param in task.params:
            found = value_expressions(param.value)
            yield from within(f"[{index}].params[{param.name}]", check(found, "value"))
        for number, condition in enumerate(task.when):
            texts = (condition.input, *condition.values)
            found = [it for text in texts for it in expressions(text)]
            yield from within(f"[{index}].when[{number}]", check(found, ""))


def _is_status(expression: str) -> bool:
    return expression.startswith("tasks.") and expression.endswith((".status", ".reason"))


def _no_status(found: list[str], path: str) -> Iterator[FieldError]:
    if any(map(looks_like_result, found)):
        return
    if any(map(_is_status, found)):
        yield invalid_value(
            "pipeline tasks can not refer to execution status of any other pipeline task "
            "or aggregate status of tasks",
            path,
        )


def _known_status(names: Collection[str]) -> _Check:
    def check(found: list[str], path: str) -> Iterator[FieldError]:
        if any(map(looks_like_result, found)):
            return
        for expression in filter(_is_status, found):
            task = expression.removeprefix("tasks.").rpartition(".")[0]
            if expression != _ALL_TASKS and task not in names:
                text = f"pipeline task {task} is not defined in the pipeline"
                yield invalid_value(text, path)

    return check


def _check_final(
    tasks: tuple[PipelineTask, ...], names: Collection[str], final: Collection[str]
) -> Iterator[FieldError]:
    """Final tasks use results of tasks that are done by then, and have no order of their own."""
    for index, task in enumerate(tasks):
        if task.run_after:
            yield invalid_value(
                "no runAfter allowed under spec.finally, "
                f"final task {task.name} has runAfter specified",
                f"[{index}]",
            )

    def check(found: list[str], path: str) -> Iterator[FieldError]:
        for reference in map(result_reference, found):
            if reference is None:
                continue
            text = "invalid task result reference, final task has task result reference from a "
            if reference.task in final:
                yield invalid_value(f"{text}final task {reference.task}", path)
            elif reference.task not in names:
                told = f"{text}task {reference.task} which is not defined in the pipeline"
                yield invalid_value(told, path)

    yield from _in_conditions(tasks, check)


def _check_result(
    result: PipelineResult, names: Collection[str], final: Collection[str]
) -> Iterator[FieldError]:
    found = value_expressions(result.value)
    text = "expected pipeline results to be task result expressions but "
    if not found:
        yield invalid_value(f"{text}no expressions were found", "")
    if not any(map(looks_like_result, found)):
        yield invalid_value(f"{text}an invalid expressions was found", "")
    meant = [it for it in found if looks_like_result(it)]
    references = [it for it in map(result_reference, meant) if it is not None]
    if len(references) != len(meant):
        yield invalid_value(
            f"expected all of the expressions [{' '.join(meant)}] to be result expressions but "
            f"only [{' '.join(f'{it.task}.{it.result}' for it in references)}] were",
            "",
        )
    if isinstance(result.value, str) and not _names_tasks(result.value, names, final):
        yield invalid_value("referencing a nonexistent task", "")


def _names_tasks(value: str, names: Collection[str], final: Collection[str]) -> bool:
    """Whether everything in the value is a result of a task that exists."""
    for part in filter(None, value.split("$")):
        expression = f"${part}".removeprefix("$(").removesuffix(")")
        reference = result_reference(expression)
        if reference is None:
            return False
        if reference.task not in (names if expression.startswith("tasks") else final):
            return False
    return True


def _check_workspaces(spec: PipelineSpec) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, workspace in enumerate(spec.workspaces):
        path = f"workspaces[{index}]"
        if not workspace.name:
            yield invalid_value(f"workspace {index} has empty name", path)
        if workspace.name in seen:
            text = f'workspace with name "{workspace.name}" appears more than once'
            yield invalid_value(text, path)
        seen.add(workspace.name)


def _check_workspace_usage(
    spec: PipelineSpec, tasks: Iterable[PipelineTask]
) -> Iterator[FieldError]:
    declared = {it.name for it in spec.workspaces}
    for index, task in enumerate(tasks):
        seen: set[str] = set()
        for number, binding in enumerate(task.workspaces):
            path = f"[{index}].workspaces[{number}]"
            if binding.name in seen:
                yield FieldError(f'workspace name "{binding.name}" must be unique', (path,))
            seen.add(binding.name)
            name = binding.workspace or binding.name
            if name not in declared:
                yield invalid_value(
                    f'pipeline task "{task.name}" expects workspace with name "{name}" '
                    "but none exists in pipeline spec",
                    path,
                )
