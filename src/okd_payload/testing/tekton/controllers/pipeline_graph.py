# SPDX-License-Identifier: Apache-2.0
"""What a PipelineRun does next, decided from its specification and its TaskRuns: pure.

A task is ready when everything it waits for has ended well or was skipped; it is skipped when
its conditions do not hold, when a result that it needs will never be there, or when the run is
about to stop. Final tasks begin when all others have ended.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from okd_payload.testing.kubernetes.documents import JsonObject, list_at, object_at
from okd_payload.testing.tekton.controllers.substitution import (
    Values,
    fill_in,
    fill_in_params,
    spread,
)

_RESULT = re.compile(r"\$\(tasks\.([^.()\s]+)\.results\.([^()\s]+)\)")
FALSE_WHEN = "When Expressions evaluated to false"
NO_RESULTS = "Results were missing"
STOPPING = "PipelineRun was stopping"


class Child(msgspec.Struct, frozen=True):
    """A TaskRun of a task."""

    name: str
    status: str
    """Of its condition ``Succeeded``; ``Unknown`` while there is none."""
    reason: str
    results: Mapping[str, Any]

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self.status != "Unknown"

    @property
    def failed(self) -> bool:
        """Whether it has failed, and this counts."""
        return self.status == "False" and self.reason != "FailureIgnored"

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled, by somebody who did not wait for the time to be over."""
        return self.status == "False" and self.reason == "TaskRunCancelled"


class Task:
    """A task of the pipeline, and what became of it so far."""

    def __init__(self, spec: JsonObject, children: list[Child]) -> None:
        self.spec = spec
        self.name: str = spec.get("name", "")
        self.children = children
        self.skipped = ""
        """Why it is not run."""
        self.invalid = ""
        """Which result it needs that was never written."""

    @property
    def started(self) -> bool:
        """Whether it has TaskRuns."""
        return bool(self.children)

    @property
    def done(self) -> bool:
        """Whether it will do no more."""
        if self.skipped or self.invalid:
            return True
        return self.started and all(it.done for it in self.children)

    @property
    def failed(self) -> bool:
        """Whether one of its TaskRuns failed, and this counts."""
        return any(it.failed for it in self.children)

    @property
    def outcome(self) -> str:
        """What ``$(tasks.NAME.status)`` is."""
        if not self.started or not self.done:
            return "None"
        return "Failed" if any(it.status == "False" for it in self.children) else "Succeeded"


class Graph:
    """A pipeline while it runs."""

    def __init__(
        self, spec: JsonObject, children: Mapping[str, list[Child]], values: Values
    ) -> None:
        """``values`` are those of the parameters and of the run."""
        self.tasks = {
            it["name"]: Task(it, children.get(it["name"], [])) for it in _of(spec, "tasks")
        }
        self.final = {
            it["name"]: Task(it, children.get(it["name"], [])) for it in _of(spec, "finally")
        }
        self._values = values

    def settle(self, *, stop: str = "") -> None:
        """Find out which tasks will not be run; with ``stop`` nothing new may begin."""
        for task in self._open():
            if self._may_begin(task) and self.holds(task) and not self._lost_result(task):
                task.invalid = self._missing(task)
        if any(it.failed or it.invalid for it in self.tasks.values()):
            stop = STOPPING
        changed = True
        while changed:
            changed = False
            for task in self._open():
                task.skipped = stop or self._skipped(task)
                if not task.skipped and self._may_begin(task):
                    task.invalid = self._missing(task)
                changed = changed or task.done

    def settle_final(self) -> None:
        """The same for final tasks, when all others are done."""
        for task in self.final.values():
            if not task.started:
                if self._lost_result(task):
                    task.skipped = NO_RESULTS
                elif not self.holds(task):
                    task.skipped = FALSE_WHEN

    def is_failing(self) -> bool:
        """Whether a task failed, and others are left to finish what they began."""
        failed = any(
            child.failed and not child.cancelled
            for task in self.tasks.values()
            for child in task.children
        )
        return failed and any(it.started and not it.done for it in self.tasks.values())

    def final_begun(self) -> bool:
        """Whether final tasks run."""
        return any(it.started for it in self.final.values())

    def ready(self) -> list[Task]:
        """Tasks that begin now."""
        return [it for it in self._open() if self._may_begin(it)]

    def ready_final(self) -> list[Task]:
        """Final tasks that begin now."""
        return [it for it in self.final.values() if not it.started and not it.skipped]

    def holds(self, task: Task) -> bool:
        """Whether the conditions of a task hold."""
        for condition in self.fill_in(list_at(task.spec, "when")):
            found = condition.get("input", "") in condition.get("values", [])
            if found != (condition.get("operator") == "in"):
                return False
        return True

    def fill_in(self, value: Any) -> Any:
        """``value`` with parameters, results, and states of tasks."""
        return fill_in(value, self.values())

    def values(self) -> Values:
        """What variables stand for now."""
        failed = any(it.failed for it in self.tasks.values())
        skipped = any(it.skipped for it in self.tasks.values())
        texts = dict(self._values.texts)
        lists, objects = dict(self._values.lists), dict(self._values.objects)
        texts["tasks.status"] = "Failed" if failed else "Completed" if skipped else "Succeeded"
        for task in self.tasks.values():
            texts[f"tasks.{task.name}.status"] = task.outcome
            reasons = [it.reason for it in task.children]
            texts[f"tasks.{task.name}.reason"] = reasons[0] if reasons else "None"
            results = self._result_values(task)
            texts |= results.texts
            lists |= results.lists
            objects |= results.objects
        return Values(texts, lists, objects)

    def fill_in_params(self, params: list[JsonObject]) -> list[JsonObject]:
        """Parameters of a task, where a reference to a whole list or object becomes one."""
        return fill_in_params(params, self.values())

    def combinations(self, task: Task) -> list[list[JsonObject]]:
        """The parameters of each run that a matrix makes; the first one changes fastest."""
        matrix = object_at(task.spec, "matrix")
        params = self.fill_in_params(list_at(matrix, "params"))
        if params:
            product = itertools.product(*(it["value"] for it in reversed(params)))
            names = [it["name"] for it in params]
            return [
                [
                    {"name": name, "value": value}
                    for name, value in zip(names, reversed(values), strict=True)
                ]
                for values in product
            ]
        return [self.fill_in(list_at(it, "params")) for it in list_at(matrix, "include")]

    def needs(self, task: Task) -> set[str]:
        """The tasks whose end a task waits for."""
        return {*list_at(task.spec, "runAfter"), *(name for name, _ in _results(task.spec))}

    def _open(self) -> list[Task]:
        return [it for it in self.tasks.values() if not it.started and not it.done]

    def _may_begin(self, task: Task) -> bool:
        return all(self.tasks[it].done for it in self.needs(task) if it in self.tasks)

    def _skipped(self, task: Task) -> str:
        if self._lost_result(task):
            return NO_RESULTS
        used = {name for name, _ in _results(list_at(task.spec, "when"))}
        known = all(self.tasks[it].done for it in used if it in self.tasks)
        first = all(self.tasks[it].done for it in self.needs(task) if it in self.tasks)
        return FALSE_WHEN if known and first and not self.holds(task) else ""

    def _lost_result(self, task: Task) -> bool:
        """Whether a result is needed of a task that was skipped, or failed without it."""
        for name, result in _results(task.spec):
            source = self.tasks.get(name)
            if source is None or not source.done:
                continue
            if source.skipped or source.invalid:
                return True
            if source.outcome == "Failed" and not _written(source, result):
                return task.name in self.final
        return False

    def _missing(self, task: Task) -> str:
        """What is said of a task that needs a result which an ended task did not write."""
        for name, result in _results(task.spec):
            source = self.tasks.get(name)
            if source is None or not source.started or not source.done or source.failed:
                continue
            if not _written(source, result):
                plain = result.partition("[")[0].partition(".")[0]
                if source.outcome == "Failed":
                    return (
                        "Invalid task result reference: Could not find result with name "
                        f"{plain} for pipeline task {name}"
                    )
                return (
                    f'task "{name}" completed successfully but did not emit the result '
                    f'"{plain}", which is referenced by task "{task.name}"'
                )
        return ""

    def _result_values(self, task: Task) -> Values:
        prefix = f"tasks.{task.name}.results."
        if "matrix" not in task.spec:
            found = {name: it for child in task.children for name, it in child.results.items()}
            return spread({prefix + name: it for name, it in found.items()})
        names = {name for it in task.children for name in it.results}
        gathered = {
            prefix + name: [it.results[name] for it in task.children if name in it.results]
            for name in names
        }
        values = spread(gathered)
        length = {f"tasks.{task.name}.matrix.length": str(len(task.children))}
        return msgspec.structs.replace(values, texts={**values.texts, **length})


def _results(value: Any) -> Iterator[tuple[str, str]]:
    """The results of tasks that are used anywhere in ``value``."""
    text = msgspec.json.encode(value).decode()
    yield from _RESULT.findall(text) if "$(tasks." in text else ()


def _written(task: Task, result: str) -> bool:
    name = result.partition("[")[0].partition(".")[0]
    return any(name in it.results for it in task.children)


def _of(spec: JsonObject, field: str) -> list[JsonObject]:
    return list_at(spec, field)
