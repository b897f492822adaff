# SPDX-License-Identifier: Apache-2.0
"""The graph of a pipeline: what waits for what, by order and by results.

A task depends on what it runs after and on every task whose result it uses: in its parameters,
matrix and conditions, and in the steps of a specification that it embeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from okd_payload.testing.tekton.admission.model import (
    Param,
    PipelineTask,
    Sidecar,
    Step,
    TaskSpec,
)
from okd_payload.testing.tekton.admission.refusals import FieldError, invalid_value
from okd_payload.testing.tekton.admission.variables import (
    ResultReference,
    expressions,
    result_reference,
    value_expressions,
)


def all_params(task: PipelineTask) -> Iterator[Param]:
    """What a task is given, by its matrix too."""
    yield from task.params
    if task.matrix is not None:
        yield from task.matrix.params
        for include in task.matrix.include:
            yield from include.params


def used_results(task: PipelineTask) -> list[ResultReference]:
    """The results of other tasks that a task uses."""
    found: list[str] = []
    for param in all_params(task):
        found += value_expressions(param.value)
    for condition in task.when:
        found += expressions(condition.input)
        found += [it for text in condition.values for it in expressions(text)]
    if task.task_spec is not None:
        found += _in_containers(task.task_spec)
    return [it for it in map(result_reference, found) if it is not None]


def dependencies(task: PipelineTask) -> list[str]:
    """The tasks that must have ended before a task begins."""
    return sorted({*(it.task for it in used_results(task)), *task.run_after})


def check_graph(tasks: tuple[PipelineTask, ...]) -> Iterator[FieldError]:
    """Tasks have names of their own, wait for tasks that exist, and never for themselves.

    The webhook stops at the first of these.
    """
    known: set[str] = set()
    for task in tasks:
        if task.name in known:
            yield invalid_value(
                f"task {task.name} is already present in Graph, can't add it again: "
                "duplicate pipeline task",
                "tasks",
            )
            return
        known.add(task.name)
    edges = {task.name: dependencies(task) for task in tasks}
    if cycle := _in_cycle(edges):
        first = min(cycle)
        others = ", ".join(f'"{it}"' for it in sorted(cycle[first]))
        yield invalid_value(f'cycle detected; task "{first}" depends on {others}', "tasks")
        return
    for name, needed in edges.items():
        for other in needed:
            if other not in known:
                yield invalid_value(
                    f"couldn't add link between {name} and {other}: task {name} depends on "
                    f"{other} but {other} wasn't present in Pipeline",
                    "tasks",
                )
                return


def _in_cycle(edges: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """What is left when everything that waits for nothing is taken away, again and again."""
    left = {name: set(needed) for name, needed in edges.items() if needed}
    free = [it for needed in left.values() for it in needed if it not in left]
    while free:
        done = free.pop()
        for name in [it for it, needed in left.items() if done in needed]:
            left[name].discard(done)
            if not left[name]:
                del left[name]
                free.append(name)
    return left


def _in_containers(spec: TaskSpec) -> list[str]:
    found: list[str] = []
    containers: tuple[Step | Sidecar, ...] = (*spec.steps, *spec.sidecars)
    for container in containers:
        texts = [container.script, container.image, container.working_dir]
        texts += [*container.command, *container.args, *(it.value for it in container.env)]
        found += [it for text in texts for it in expressions(text)]
    return found
