# SPDX-License-Identifier: Apache-2.0
"""Rules for matrices: how many combinations, and what may use their results.

After ``pkg/apis/pipeline/v1/matrix_types.go`` of tektoncd/pipeline.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from okd_payload.testing.tekton.admission.model import Matrix, PipelineTask
from okd_payload.testing.tekton.admission.parameters import check_unique
from okd_payload.testing.tekton.admission.refusals import (
    FieldError,
    both,
    invalid_value,
    within,
)
from okd_payload.testing.tekton.admission.variables import (
    looks_like_result,
    result_reference,
    value_expressions,
)

MOST_COMBINATIONS = 256


def check_matrices(tasks: tuple[PipelineTask, ...]) -> Iterator[FieldError]:
    """Each matrix alone, and that its results are used all together."""
    for index, task in enumerate(tasks):
        if task.matrix is not None:
            yield from within(f"[{index}]", _check_matrix(task, task.matrix))
    yield from _check_consumers(tasks)


def count_combinations(matrix: Matrix) -> int:
    """How many runs a matrix makes."""
    if not matrix.params:
        return len(matrix.include)
    count = math.prod(len(it.value) if isinstance(it.value, tuple) else 0 for it in matrix.params)
    values = {it.name: it.value for it in matrix.params}
    for include in matrix.include:
        for param in include.params:
            if param.name in values:
                if param.value in values[param.name]:
                    break
                count += 1
    return count


def is_matrixed(task: PipelineTask) -> bool:
    """Whether the task is repeated at all."""
    return task.matrix is not None and bool(task.matrix.params or task.matrix.include)


def _check_matrix(task: PipelineTask, matrix: Matrix) -> Iterator[FieldError]:
    names = {it.name for it in matrix.params}
    names |= {param.name for include in matrix.include for param in include.params}
    for param in task.params:
        if param.name in names:
            yield both(f"matrix[{param.name}]", f"params[{param.name}]")
    if not is_matrixed(task):
        return
    if (count := count_combinations(matrix)) > MOST_COMBINATIONS:
        yield FieldError(f"expected 0 <= {count} <= {MOST_COMBINATIONS}", ("matrix",))
    for index, include in enumerate(matrix.include):
        place = f"matrix.include[{index}].params"
        yield from within(place, check_unique(include.params))
    yield from within("matrix.params", check_unique(matrix.params))


def _check_consumers(tasks: tuple[PipelineTask, ...]) -> Iterator[FieldError]:
    repeated = {it.name: it for it in tasks if is_matrixed(it)}
    consumed = [
        expression
        for task in tasks
        for param in task.params
        for expression in value_expressions(param.value)
        if looks_like_result(expression) and expression.split(".")[1] in repeated
    ]
    single = [it for it in consumed if not it.endswith("[*]")]
    for expression in single:
        yield FieldError(
            "A matrixed pipelineTask can only be consumed in aggregate using [*] notation, "
            f"but is currently set to {expression}"
        )
    for reference in () if single else map(result_reference, consumed):
        if reference is None or (spec := repeated[reference.task].task_spec) is None:
            continue
        for result in spec.results:
            if result.name == reference.result and result.type != "string":
                yield invalid_value(
                    "Matrixed PipelineTasks emitting results must have an underlying type "
                    f"string, but result {result.name} has type {result.type} in pipelineTask",
                    "",
                )
