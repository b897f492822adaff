# SPDX-License-Identifier: Apache-2.0
"""Tekton Tasks, Pipelines and PipelineRuns, read as data: what they declare, use and hand on.

Both ``tekton.dev/v1beta1`` and ``v1`` are read, as far as checks ask for them. Nothing is
validated that the API server would: only names that lead from one object to another count.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from okd_payload.catalog.plain_values import without_nulls
from okd_payload.documents import Document, FieldPath, convert

GROUP = "tekton.dev"
CLUSTER_TASK = "ClusterTask"

_PARAMETER = re.compile(r"""\$\(params(?:\.([A-Za-z0-9_-]+)|\[["']([^"']+)["']\])""")
_RESULT = re.compile(r"\$\(tasks\.([a-z0-9-]+)\.results\b")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class Part(msgspec.Struct, frozen=True, rename="camel"):
    """Base of the parts: camel case, unknown fields tolerated."""


class Parameter(Part, frozen=True):
    """A declared parameter; ``default`` is unset where one has to be given."""

    name: str
    type: str = ""
    default: Any = msgspec.UNSET


class Given(Part, frozen=True):
    """A parameter with the value it is given."""

    name: str
    value: Any = ""


class Reference(Part, frozen=True):
    """Which Task or Pipeline is meant."""

    name: str = ""
    kind: str = ""


class Workspace(Part, frozen=True):
    """A workspace of a task, and the one of the pipeline that it is."""

    name: str = ""
    workspace: str = ""


class Step(Part, frozen=True):
    """A container of a task."""

    name: str = ""
    script: str = ""
    args: tuple[str, ...] = ()
    command: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All that the step runs."""
        return "\n".join((*self.command, *self.args, self.script))


class TaskFields(Part, frozen=True):
    """What a task takes and runs."""

    params: tuple[Parameter, ...] = ()
    steps: tuple[Step, ...] = ()


class PipelineTask(Part, frozen=True):
    """A task in a pipeline."""

    name: str
    task_ref: Reference = Reference()
    task_spec: TaskFields | None = None
    run_after: tuple[str, ...] = ()
    params: tuple[Given, ...] = ()
    workspaces: tuple[Workspace, ...] = ()
    timeout: str = ""

    def given(self, name: str) -> Any:
        """The value of a parameter, empty when it is not given."""
        return next((each.value for each in self.params if each.name == name), "")

    def workspace(self, name: str) -> str:
        """What the pipeline calls the workspace ``name`` of the task."""
        found = (each for each in self.workspaces if each.name == name)
        return next((each.workspace or name for each in found), name)


class PipelineFields(Part, frozen=True):
    """What a pipeline takes and runs."""

    params: tuple[Parameter, ...] = ()
    tasks: tuple[PipelineTask, ...] = ()
    last: tuple[PipelineTask, ...] = msgspec.field(name="finally", default=())


class Timeouts(Part, frozen=True):
    """How long a run may take."""

    pipeline: str = ""


class RunFields(Part, frozen=True):
    """What a run gives its pipeline."""

    pipeline_ref: Reference = Reference()
    params: tuple[Given, ...] = ()
    timeout: str = ""
    timeouts: Timeouts = Timeouts()


class Metadata(Part, frozen=True):
    """What the object is called."""

    name: str = ""
    generate_name: str = ""


class _TaskObject(Part, frozen=True):
    metadata: Metadata
    spec: TaskFields = TaskFields()


class _PipelineObject(Part, frozen=True):
    metadata: Metadata
    spec: PipelineFields = PipelineFields()


class _RunObject(Part, frozen=True):
    metadata: Metadata
    spec: RunFields = RunFields()


class Task(msgspec.Struct, frozen=True):
    """A Task and its document."""

    name: str
    fields: TaskFields
    document: Document


class Pipeline(msgspec.Struct, frozen=True, dict=True):
    """A Pipeline and its document."""

    name: str
    fields: PipelineFields
    document: Document

    def line_of(self, *field: str | int) -> int:
        """The line of a field below ``spec``."""
        return self.document.line_of(("spec", *field))

    def ancestors(self, task: str) -> frozenset[str]:
        """The tasks that end before ``task`` begins."""
        return self._ancestors.get(task, frozenset())

    @functools.cached_property
    def edges(self) -> dict[str, tuple[str, ...]]:
        """The tasks that each task waits for: because it says so, or for their results."""
        known = {task.name for task in self.fields.tasks}
        found = {}
        for number, task in enumerate(self.fields.tasks):
            value = self.document.value["spec"]["tasks"][number]
            results = [name for text in texts(value) for name in _RESULT.findall(text)]
            found[task.name] = tuple(
                name for name in dict.fromkeys((*task.run_after, *results)) if name in known
            )
        return found

    @functools.cached_property
    def _ancestors(self) -> dict[str, frozenset[str]]:
        return {task: self._reach(task) for task in self.edges}

    def _reach(self, task: str) -> frozenset[str]:
        found: set[str] = set()
        waiting = [task]
        while waiting:
            for name in self.edges.get(waiting.pop(), ()):
                if name not in found:
                    found.add(name)
                    waiting.append(name)
        return frozenset(found)


class Run(msgspec.Struct, frozen=True):
    """A PipelineRun, wherever it stands: as an object, or in a TriggerTemplate."""

    name: str
    fields: RunFields
    document: Document
    place: FieldPath = ()

    def line_of(self, *field: str | int) -> int:
        """The line of a field below ``spec``."""
        return self.document.line_of((*self.place, "spec", *field))

    @property
    def seconds(self) -> float | None:
        """How long it may take; None when it does not say."""
        return parse_duration(self.fields.timeouts.pipeline or self.fields.timeout)


def read_task(document: Document) -> Task:
    """The Task in ``document``. Raises InvalidDocument."""
    read = convert(_clean(document), _TaskObject)
    return Task(read.metadata.name, read.spec, document)


def read_pipeline(document: Document) -> Pipeline:
    """The Pipeline in ``document``. Raises InvalidDocument."""
    read = convert(_clean(document), _PipelineObject)
    return Pipeline(read.metadata.name, read.spec, document)


def read_runs(document: Document) -> Iterator[Run]:
    """The PipelineRuns that ``document`` is or holds as a template. Raises InvalidDocument."""
    if document.value.get("kind") == "PipelineRun":
        yield _read_run(document, ())
        return
    spec = document.value.get("spec")
    templates = spec.get("resourcetemplates") if isinstance(spec, dict) else None
    for number, template in enumerate(templates if isinstance(templates, list) else ()):
        if isinstance(template, dict) and template.get("kind") == "PipelineRun":
            yield _read_run(document, ("spec", "resourcetemplates", number))


def texts(value: Any) -> Iterator[str]:
    """Every text in ``value``."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)


def used_parameters(text: str) -> Iterator[str]:
    """The names of the parameters that ``text`` refers to."""
    for match in _PARAMETER.finditer(text):
        yield match[1] or match[2]


def parse_duration(text: str) -> float | None:
    """Seconds of a duration as Go writes it; None when it is none. 0 means no limit."""
    if text == "0":
        return 0.0
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _read_run(document: Document, place: FieldPath) -> Run:
    value = document.value
    for step in place:
        value = value[step]
    lines = {
        field[len(place) :]: line
        for field, line in document.lines.items()
        if field[: len(place)] == place
    }
    read = convert(_clean(Document(document.path, value, lines)), _RunObject)
    return Run(read.metadata.name or read.metadata.generate_name, read.spec, document, place)


def _clean(document: Document) -> Document:
    return Document(document.path, without_nulls(document.value), document.lines)
