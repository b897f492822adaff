# SPDX-License-Identifier: Apache-2.0
"""Parameters of Tekton objects: declared, used and handed on under the same names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from okd_payload.catalog.lint import codes
from okd_payload.catalog.lint.subject import Subject
from okd_payload.catalog.lint.tekton import CLUSTER_TASK, Given, Parameter, used_parameters
from okd_payload.documents import Document, FieldPath
from okd_payload.errors import nearest_names
from okd_payload.issues import Issue


def check_declarations(subject: Subject) -> Iterator[Issue]:
    """Parameters that a Task or Pipeline uses and does not declare, or declares and never uses."""
    for task in subject.tasks:
        yield from _check(task.name, task.document, task.fields.params)
    for pipeline in subject.pipelines:
        yield from _check(pipeline.name, pipeline.document, pipeline.fields.params)


def check_tasks(subject: Subject) -> Iterator[Issue]:
    """What pipelines give their tasks, against what those take."""
    for pipeline in subject.pipelines:
        for group, tasks in (("tasks", pipeline.fields.tasks), ("finally", pipeline.fields.last)):
            for number, task in enumerate(tasks):
                known = subject.tasks_by_name.get(task.task_ref.name)
                if known is None or task.task_ref.kind == CLUSTER_TASK:
                    continue
                yield from _compare(
                    f"the task {task.name} of {pipeline.name}",
                    pipeline.document,
                    ("spec", group, number),
                    given=task.params,
                    wanted=known.fields.params,
                    taker=f"Task {known.name}",
                )


def check_runs(subject: Subject) -> Iterator[Issue]:
    """What PipelineRuns give their pipelines, against what those take."""
    for run in subject.runs:
        known = subject.pipelines_by_name.get(run.fields.pipeline_ref.name)
        if known is not None:
            yield from _compare(
                f"the PipelineRun {run.name}",
                run.document,
                (*run.place, "spec"),
                given=run.fields.params,
                wanted=known.fields.params,
                taker=f"Pipeline {known.name}",
            )


def _check(name: str, document: Document, declared: Sequence[Parameter]) -> Iterator[Issue]:
    known = [parameter.name for parameter in declared]
    used = dict(_uses(document.value.get("spec"), ("spec",)))
    for number, parameter in enumerate(known):
        if parameter not in used:
            yield codes.UNUSED_PARAMETER.issue(
                f"{name} declares the parameter {parameter} and does not use it",
                file=document.path,
                line=document.line_of(("spec", "params", number)),
                hint="remove it: whoever sets it waits for an effect",
            )
    for parameter, place in used.items():
        if parameter not in known:
            near = nearest_names(parameter, known)
            yield codes.UNDECLARED_PARAMETER.issue(
                f"{name} uses the parameter {parameter} and does not declare it",
                file=document.path,
                line=document.line_of(place),
                hint=f"did you mean {' or '.join(near)}?" if near else "declare it in spec.params",
            )


def _compare(
    giver: str,
    document: Document,
    place: FieldPath,
    *,
    given: Sequence[Given],
    wanted: Sequence[Parameter],
    taker: str,
) -> Iterator[Issue]:
    known = [parameter.name for parameter in wanted]
    names = {each.name for each in given}
    for number, each in enumerate(given):
        if each.name not in known:
            near = nearest_names(each.name, known)
            yield codes.IGNORED_PARAMETER.issue(
                f"{giver} gives the parameter {each.name}, which the {taker} does not declare",
                file=document.path,
                line=document.line_of((*place, "params", number)),
                hint=f"did you mean {' or '.join(near)}?"
                if near
                else "remove it: it has no effect",
            )
    for parameter in wanted:
        if parameter.default is msgspec.UNSET and parameter.name not in names:
            yield codes.MISSING_PARAMETER.issue(
                f"{giver} does not give the parameter {parameter.name}, for which the {taker} "
                "has no default",
                file=document.path,
                line=document.line_of(place),
                hint="give it, or declare a default",
            )


def _uses(value: Any, place: FieldPath) -> Iterator[tuple[str, FieldPath]]:
    """The parameters used below ``value``, in reverse, so that the first place of each counts.

    What a task that is written in place declares itself is its own affair.
    """
    found = [*_walk(value, place, frozenset())]
    yield from reversed(found)


def _walk(value: Any, place: FieldPath, own: frozenset[str]) -> Iterable[tuple[str, FieldPath]]:
    if isinstance(value, str):
        for name in used_parameters(value):
            if name not in own:
                yield name, place
    elif isinstance(value, dict):
        inner = own
        if place and place[-1] == "taskSpec":
            declared = value.get("params")
            items = declared if isinstance(declared, list) else ()
            inner |= {str(item.get("name")) for item in items if isinstance(item, dict)}
        for key, item in value.items():
            yield from _walk(item, (*place, key), inner)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _walk(item, (*place, number), own)
