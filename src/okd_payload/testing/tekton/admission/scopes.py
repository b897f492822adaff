# SPDX-License-Identifier: Apache-2.0
"""What a variable may refer to at one place, and whether it does.

Unlike the webhook this knows all variables that Tekton replaces, and takes everything else with
the form of one for a mistake: ``$(foo.bar)`` is no command that anybody means.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import msgspec

from okd_payload.testing.tekton.admission.model import ParamSpec, TaskSpec

_VARIABLE = re.compile(r"\$\(([_a-zA-Z][_a-zA-Z0-9-]*(?:\.|\[['\"])[^()\s$]*)\)")
_QUOTED = re.compile(r"\[(?:'([^']*)'|\"([^\"]*)\")\]")
_INDEX = re.compile(r"\[(?:[0-9]+|\*)\]$")
_ALWAYS = {
    *("context.taskRun.name", "context.taskRun.namespace", "context.taskRun.uid"),
    *("context.task.name", "context.task.retry-count", "credentials.path"),
    *("context.pipelineRun.name", "context.pipelineRun.namespace", "context.pipelineRun.uid"),
    *("context.pipeline.name", "context.pipelineTask.retries"),
}
_WORKSPACE_PARTS = ("path", "bound", "claim", "volume")


class Scope(msgspec.Struct, frozen=True):
    """What texts of one specification may refer to."""

    params: Mapping[str, ParamSpec]
    workspaces: Collection[str]
    results: Collection[str] = ()
    steps: Mapping[str, Collection[str]] = {}
    """The results of each step."""
    tasks: Mapping[str, TaskSpec | None] = {}
    """Tasks of the pipeline; None for those that are not known."""
    final: bool = False


def variables_in(text: str) -> list[str]:
    """Everything in the text with the form of a variable."""
    return _VARIABLE.findall(text) if "$(" in text else []


def problem_with(variable: str, scope: Scope) -> str | None:
    """Why the variable means nothing here; None when it means something."""
    if variable in _ALWAYS:
        return None
    first, *rest = _parts(variable)
    match first, rest:
        case "params", [name, *keys]:
            return _param_problem(name, keys, scope)
        case "workspaces", [name, part] if part in _WORKSPACE_PARTS:
            return None if name in scope.workspaces else f"no workspace {name} is declared"
        case "results", [name, "path"]:
            return None if name in scope.results else f"no result {name} is declared"
        case "steps" | "step", _:
            return _step_problem(rest, scope)
        case _:
            return _task_problem(rest if first in {"tasks", "finally"} else [], scope)


def _param_problem(name: str, keys: list[str], scope: Scope) -> str | None:
    spec = scope.params.get(_INDEX.sub("", name))
    if spec is None:
        return f"no parameter {name} is declared"
    if keys and spec.type == "object" and keys[0] not in (spec.properties or {}):
        return f"parameter {name} has no key {keys[0]}"
    if keys and spec.type != "object":
        return f"parameter {name} has no keys"
    return None


def _step_problem(rest: list[str], scope: Scope) -> str | None:
    match rest:
        case ["results", _, "path"]:
            return None
        case [name, "results", result, *_]:
            known = _INDEX.sub("", result) in scope.steps.get(name, ())
            return None if known else "no step has this result"
        case [name, "exitCode", "path"]:
            known = name.removeprefix("step-") in scope.steps
            return None if known else f"there is no step {name}"
        case _:
            return "nothing has this name"


def _task_problem(rest: list[str], scope: Scope) -> str | None:
    match rest:
        case ["status"]:
            return None if scope.final else "the status is known to final tasks only"
        case [name, "status" | "reason"]:
            known = scope.final and name in scope.tasks
            return None if known else "this status is not known here"
        case [name, "results", result, *keys]:
            return _result_problem(name, result, keys, scope)
        case _:
            return "nothing has this name"


def _result_problem(name: str, result: str, keys: list[str], scope: Scope) -> str | None:
    if name not in scope.tasks:
        return f"there is no task {name}"
    if (spec := scope.tasks[name]) is None:
        return None
    found = next((it for it in spec.results if it.name == _INDEX.sub("", result)), None)
    if found is None:
        return f"task {name} has no result {result}"
    if keys and keys[0] not in (found.properties or {}):
        return f"result {result} of task {name} has no key {keys[0]}"
    return None


def _parts(variable: str) -> list[str]:
    """``params['a.b'].c`` as ``params``, ``a.b`` and ``c``."""
    parts: list[str] = []
    position = 0
    for match in _QUOTED.finditer(variable):
        parts += variable[position : match.start()].strip(".").split(".")
        parts.append(match[1] or match[2])
        position = match.end()
    if rest := variable[position:].strip("."):
        parts += rest.split(".")
    return parts
