# SPDX-License-Identifier: Apache-2.0
"""How runs and their steps end, and what they leave: results of at most 4096 bytes.

Each container tells its results through its termination message: JSON, all results that are
there by then, and when it started. When that is too long the step fails, and every later one,
because the files of results are shared.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from okd_payload.errors import InputError
from okd_payload.testing.task_runner.model import ResultSpec, Value

MOST_BYTES = 4096
TOO_LARGE = "Termination message is above max allowed size 4096, caused by large task result.\n"
_STARTED = {"key": "StartedAt", "value": "2025-01-01T00:00:00.000Z", "type": 3}


class StepEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a step ended."""

    name: str
    exit_code: int
    reason: str
    """``Completed``, ``Error``, ``Continued``, ``Skipped`` or ``TimeoutExceeded``."""
    log: Path
    """What it printed; both outputs, in the order in which they came."""
    results: Mapping[str, Value] = {}
    """What it added."""

    @property
    def failed(self) -> bool:
        """Whether the steps behind it are skipped."""
        return self.reason in ("Error", "Skipped", "TimeoutExceeded")


class TaskRunEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a TaskRun ended."""

    name: str
    reason: str
    """``Succeeded``, or why not: ``Failed``, ``TaskRunTimeout``."""
    message: str
    steps: tuple[StepEnd, ...]
    results: Mapping[str, Value] = {}

    @property
    def succeeded(self) -> bool:
        """Whether all went well."""
        return self.reason == "Succeeded"

    def log(self) -> str:
        """What all steps printed."""
        return "".join(step.log.read_text(errors="replace") for step in self.steps)


def read_results(folder: Path, declared: Sequence[ResultSpec]) -> dict[str, Value]:
    """The results that are in ``folder``, of those that are ``declared``. Raises InputError."""
    found: dict[str, Value] = {}
    for result in declared:
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            text = (folder / result.name).read_bytes().decode(errors="replace")
            found[result.name] = _value_of(result, text)
    return found


def fits(results: Mapping[str, Value]) -> bool:
    """Whether a container can tell ``results``."""
    told = [
        {"key": name, "value": value if isinstance(value, str) else _json(value), "type": 1}
        for name, value in results.items()
    ]
    return len(msgspec.json.encode([*told, _STARTED])) <= MOST_BYTES


def message_of(steps: Sequence[StepEnd]) -> str:
    """What Tekton says about a run with ``steps``: the first that failed by itself."""
    for step in steps:
        if step.failed and step.reason != "Skipped":
            return f'"step-{step.name}" exited with code {step.exit_code}: Error'
    return "All Steps have completed executing"


def _value_of(result: ResultSpec, text: str) -> Value:
    kinds: dict[str, type] = {"array": list[str], "object": dict[str, str]}
    if result.type not in kinds:
        return text
    try:
        value: Value = msgspec.json.decode(text, type=kinds[result.type])
    except msgspec.MsgspecError as error:
        raise InputError(f"result {result.name} is no {result.type}: {error}") from error
    return value


def _json(value: Value) -> str:
    return msgspec.json.encode(value).decode()
