# SPDX-License-Identifier: Apache-2.0
"""Which BuildConfigs a pipeline starts, and what is certain about their order.

A task starts builds in one of two ways: its script names them (``oc start-build NAME``), or it
is a Task whose steps start builds and get a list of names as a parameter. A list is started
together, unless a parameter says that there is one build at a time. Scripts go on with the next
command when they wait for a build (``-w``, ``-F``), and otherwise at once.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from okd_payload.catalog.lint.tekton import Pipeline, PipelineTask, Task
from okd_payload.documents import FieldPath

_COMMAND = re.compile(r"\bstart-build\s+([^\n;&|]*)")
_LIST = re.compile(r"\$\(params\.([A-Za-z0-9_-]+)\[\*\]\)")
_NAME = re.compile(r"(?:(?:bc|buildconfigs?)/)?([a-z0-9][a-z0-9.-]*)")
_WAITS = frozenset({"-w", "--wait", "--wait=true", "-F", "--follow", "--follow=true"})
_TAKES_VALUE = frozenset(
    {"-n", "--namespace", "-e", "--env", "--build-arg", "--commit", "--context", "--kubeconfig"}
    | {"--from-archive", "--from-build", "--from-dir", "--from-file", "--from-repo", "--cluster"}
)
_AT_ONCE = re.compile(r"concurren|parallel|processes|jobs", re.IGNORECASE)


class StartedBuild(msgspec.Struct, frozen=True):
    """A build that a pipeline starts; ``position`` orders those of one task, equal ones race."""

    name: str
    line: int
    position: int


class Batch(msgspec.Struct, frozen=True):
    """The builds of one task."""

    task: str
    line: int
    builds: tuple[StartedBuild, ...]


class Batches(msgspec.Struct, frozen=True, dict=True):
    """All builds of a pipeline."""

    pipeline: Pipeline
    batches: tuple[Batch, ...]

    @functools.cached_property
    def places(self) -> dict[str, tuple[Batch, StartedBuild]]:
        """Where each build is started; one that is started twice counts where it is first."""
        found: dict[str, tuple[Batch, StartedBuild]] = {}
        for batch in self.batches:
            for build in batch.builds:
                found.setdefault(build.name, (batch, build))
        return found

    def is_before(self, first: str, second: str) -> bool:
        """Whether it is certain that the build ``first`` ends before ``second`` begins."""
        (batch, build), (other_batch, other) = self.places[first], self.places[second]
        if batch is other_batch:
            return build.position < other.position
        return batch.task in self.pipeline.ancestors(other_batch.task)


def read_batches(pipeline: Pipeline, tasks: Mapping[str, Task]) -> Batches:
    """The builds of ``pipeline``, whose tasks refer to ``tasks``."""
    found = []
    for number, task in enumerate(pipeline.fields.tasks):
        builds = tuple(_builds_of(pipeline, number, task, tasks))
        if builds:
            found.append(Batch(task.name, pipeline.line_of("tasks", number), builds))
    return Batches(pipeline, tuple(found))


def _builds_of(
    pipeline: Pipeline, number: int, task: PipelineTask, tasks: Mapping[str, Task]
) -> Iterator[StartedBuild]:
    known = tasks.get(task.task_ref.name)
    fields = task.task_spec or (known.fields if known else None)
    text = "\n".join(step.text for step in fields.steps) if fields else ""
    if "start-build" in text:
        together = task.given(next(_limits(task), "")) != "1"
        for name in dict.fromkeys(_LIST.findall(text)):
            yield from _listed(pipeline, number, name, together=together)
    if task.task_spec:
        for index, step in enumerate(task.task_spec.steps):
            place: FieldPath = ("tasks", number, "taskSpec", "steps", index, "script")
            yield from _named(step.script, pipeline.line_of(*place))
    for index, given in enumerate(task.params):
        if isinstance(given.value, str):
            place = ("tasks", number, "params", index, "value")
            yield from _named(given.value, pipeline.line_of(*place))


def _limits(task: PipelineTask) -> Iterator[str]:
    """The parameters of ``task`` that say how many builds there are at a time."""
    return (given.name for given in task.params if _AT_ONCE.search(given.name))


def _listed(
    pipeline: Pipeline, number: int, parameter: str, *, together: bool
) -> Iterator[StartedBuild]:
    for index, given in enumerate(pipeline.fields.tasks[number].params):
        if given.name != parameter:
            continue
        values: Any = given.value if isinstance(given.value, list) else []
        for position, value in enumerate(values):
            if isinstance(value, str) and "$(" not in value:
                place: FieldPath = ("tasks", number, "params", index, "value", position)
                yield StartedBuild(value, pipeline.line_of(*place), 0 if together else position)


def _named(script: str, line: int) -> Iterator[StartedBuild]:
    """The builds that ``script`` starts; it stands below the line ``line``, as block texts do."""
    position = 0
    for offset, text in enumerate(script.split("\n"), 1):
        for command in _COMMAND.finditer(text):
            words = command[1].split()
            names = [
                match[1]
                for before, word in zip(["", *words], words, strict=False)
                if before not in _TAKES_VALUE and (match := _NAME.fullmatch(word))
            ]
            if names:
                yield StartedBuild(names[0], line + offset if "\n" in script else line, position)
                position += bool(_WAITS & set(words))
