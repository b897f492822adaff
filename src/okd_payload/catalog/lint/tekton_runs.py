# SPDX-License-Identifier: Apache-2.0
"""Whether pipelines can run on the Tekton there is: kinds, versions, time, credentials.

The API server takes all of it: that a version is gone, that an hour (Tekton's default for a run)
is not enough, or that a Secret has its credentials under another key shows when a run fails. Times
are added along the longest path; tasks without a limit count nothing, so what is told is certain.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from okd_payload.catalog.lint import codes
from okd_payload.catalog.lint.subject import Subject
from okd_payload.catalog.lint.tekton import (
    CLUSTER_TASK,
    Pipeline,
    PipelineTask,
    parse_duration,
    texts,
)
from okd_payload.documents import Document, FieldPath
from okd_payload.issues import Issue

_OLD_VERSIONS = {
    "tekton.dev/v1alpha1": "tekton.dev/v1",
    "tekton.dev/v1beta1": "tekton.dev/v1",
    "triggers.tekton.dev/v1alpha1": "triggers.tekton.dev/v1beta1",
    "shipwright.io/v1alpha1": "shipwright.io/v1beta1",
    "batch/v1beta1": "batch/v1",
    "rbac.authorization.k8s.io/v1beta1": "rbac.authorization.k8s.io/v1",
}
_STILL_BETA = frozenset({"CustomRun", "StepAction", "VerificationPolicy"})
"""Kinds of tekton.dev without a version v1."""
_DEFAULT_SECONDS = 3600.0
_CREDENTIALS = re.compile(
    r"\$\(workspaces\.([A-Za-z0-9_-]+)\.path\)/(\.dockerconfigjson|\.dockercfg|auth\.json|config\.json)"
)


def check_kinds(subject: Subject) -> Iterator[Issue]:
    """ClusterTasks, once for each pipeline."""
    for pipeline in subject.pipelines:
        tasks = [
            (task.name, pipeline.line_of("tasks", number, "taskRef"))
            for number, task in enumerate(pipeline.fields.tasks)
            if task.task_ref.kind == CLUSTER_TASK
        ]
        if tasks:
            names = ", ".join(name for name, _ in tasks)
            yield codes.CLUSTER_TASK.issue(
                f"{pipeline.name} uses ClusterTasks: {names}",
                file=pipeline.document.path,
                line=tasks[0][1],
                hint="keep a Task beside the pipeline, or name one by a resolver",
            )


def check_versions(subject: Subject) -> Iterator[Issue]:
    """Objects of versions that others have replaced."""
    for document in subject.documents:
        for place, value in _objects_in(document):
            version = str(value.get("apiVersion"))
            successor = _OLD_VERSIONS.get(version)
            if successor and value.get("kind") not in _STILL_BETA:
                yield codes.OLD_API_VERSION.issue(
                    f"{value.get('kind')} is of {version}",
                    file=document.path,
                    line=document.line_of((*place, "apiVersion")),
                    hint=f"write it for {successor}",
                )


def check_timeouts(subject: Subject) -> Iterator[Issue]:
    """Pipelines whose tasks may take longer than a run of them."""
    for pipeline in subject.pipelines:
        needed = _longest(pipeline)
        runs = [run for run in subject.runs if run.fields.pipeline_ref.name == pipeline.name]
        for run in runs:
            allowed = _DEFAULT_SECONDS if run.seconds is None else run.seconds
            if allowed and needed > allowed:
                yield codes.SHORT_TIMEOUT.issue(
                    f"the tasks of {pipeline.name} may take {_hours(needed)}, and the "
                    f"PipelineRun {run.name} ends after {_hours(allowed)}",
                    file=run.document.path,
                    line=run.line_of("timeouts"),
                    hint="set spec.timeouts.pipeline of the PipelineRun",
                )
        if not runs and needed > _DEFAULT_SECONDS:
            yield codes.SHORT_TIMEOUT.issue(
                f"the tasks of {pipeline.name} may take {_hours(needed)}, and a run ends after "
                f"{_hours(_DEFAULT_SECONDS)} unless its PipelineRun says otherwise",
                file=pipeline.document.path,
                line=pipeline.line_of("tasks"),
                hint="supply a PipelineRun with spec.timeouts.pipeline",
            )


def check_credentials(subject: Subject) -> Iterator[Issue]:
    """Workspaces of one name that pipelines read credentials from under different keys."""
    found: dict[str, list[tuple[str, Pipeline, int]]] = defaultdict(list)
    for pipeline in subject.pipelines:
        for number, task in enumerate(pipeline.fields.tasks):
            for workspace, key, line in _keys_of(pipeline, number, task, subject):
                found[workspace].append((key, pipeline, line))
    for workspace, uses in found.items():
        counted = Counter(key for key, _, _ in uses).most_common()
        usual, _ = counted[0]
        others = sorted({pipeline.name for key, pipeline, _ in uses if key == usual})
        for key, pipeline, line in uses:
            if key != usual:
                yield codes.CREDENTIALS_KEY.issue(
                    f"{pipeline.name} reads {key} from the workspace {workspace}, and "
                    f"{', '.join(others)} {usual}",
                    file=pipeline.document.path,
                    line=line,
                    hint="read the same key everywhere, so that one Secret serves all",
                )


def _objects_in(document: Document) -> Iterator[tuple[FieldPath, dict[str, object]]]:
    """The object of ``document``, and those that a TriggerTemplate or a List holds."""
    value = document.value
    if not isinstance(value, dict):
        return
    yield (), value
    spec = value.get("spec")
    templates = spec.get("resourcetemplates") if isinstance(spec, dict) else None
    for place, items in (
        (("items",), value.get("items")),
        (("spec", "resourcetemplates"), templates),
    ):
        for number, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict):
                yield (*place, number), item


def _longest(pipeline: Pipeline) -> float:
    """The most that tasks in a row are allowed to take; those without a limit count nothing."""
    seconds = {task.name: parse_duration(task.timeout) or 0.0 for task in pipeline.fields.tasks}
    longest: dict[str, float] = {}
    for name in sorted(seconds, key=lambda each: len(pipeline.ancestors(each))):
        before = [longest.get(each, 0.0) for each in pipeline.edges.get(name, ())]
        longest[name] = seconds[name] + max(before, default=0.0)
    last = (parse_duration(task.timeout) or 0.0 for task in pipeline.fields.last)
    return max(longest.values(), default=0.0) + max(last, default=0.0)


def _keys_of(
    pipeline: Pipeline, number: int, task: PipelineTask, subject: Subject
) -> Iterator[tuple[str, str, int]]:
    """The pipeline's name of each workspace that ``task`` reads credentials from, and the key."""
    known = subject.tasks_by_name.get(task.task_ref.name)
    if known is not None and task.task_ref.kind != CLUSTER_TASK:
        line = pipeline.line_of("tasks", number, "workspaces")
        for step in known.fields.steps:
            for match in _CREDENTIALS.finditer(step.text):
                yield task.workspace(match[1]), match[2], line
    for index, given in enumerate(task.params):
        line = pipeline.line_of("tasks", number, "params", index, "value")
        for text in texts(given.value):
            for match in _CREDENTIALS.finditer(text):
                offset = text[: match.start()].count("\n") + ("\n" in text)
                yield task.workspace(match[1]), match[2], line + offset


def _hours(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    minutes = rest // 60
    return " ".join(
        text
        for text in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "")
        if text
    )
