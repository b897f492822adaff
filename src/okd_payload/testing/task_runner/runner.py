# SPDX-License-Identifier: Apache-2.0
"""Runs TaskRuns for real on this machine, each step in its image's own root file system.

    runner = TaskRunner(images, folder=state, surroundings=Surroundings())
    async with runner:
        end = await runner.run(task_run, tasks={"build": task})

Each step is a container in namespaces of its own (``entry``): its image's files under an
overlay, so that nothing is changed in them, the volumes of the run, the rights that its security
context gives. The network is this machine's, so that loopback registries are reached.

All of a run is in one folder that goes when the runner is left; whoever comes next removes what
a killed one left. Processes and mounts end with their namespace, whichever way we end. Root is
needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from okd_payload import process
from okd_payload.errors import InputError, MissingTool
from okd_payload.scratch import private_folder
from okd_payload.testing.task_runner.model import Step, Task, TaskRun, Value
from okd_payload.testing.task_runner.outcome import (
    TOO_LARGE,
    StepEnd,
    TaskRunEnd,
    fits,
    message_of,
    read_results,
)
from okd_payload.testing.task_runner.pod import Pod
from okd_payload.testing.task_runner.preparation import PreparedRun, prepare
from okd_payload.testing.task_runner.roots import Images
from okd_payload.testing.task_runner.volumes import Surroundings

_ENTRY = Path(__file__).with_name("entry.py")
_NAMESPACES = ("--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_HOUR = 3600.0


class TaskRunner:
    """Runs any number of TaskRuns, at once or one after the other."""

    def __init__(
        self, images: Images, *, folder: Path, surroundings: Surroundings | None = None
    ) -> None:
        self._images = images
        self._parent = folder
        self._surroundings = surroundings or Surroundings()
        self._stack = contextlib.ExitStack()
        self._folder: Path | None = None
        self._numbers = itertools.count()

    async def __aenter__(self) -> Self:
        """Take a folder. Raises MissingTool for anybody but root."""
        if os.geteuid() != 0:
            raise MissingTool(
                "running TaskRuns needs root on this machine",
                hint="it mounts the root file system of each step",
            )
        process.find_program("unshare", needed_for="running TaskRuns")
        self._folder = self._stack.enter_context(private_folder(self._parent))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()
        self._folder = None

    async def run(
        self,
        run: TaskRun,
        *,
        tasks: Mapping[str, Task] | None = None,
        surroundings: Surroundings | None = None,
    ) -> TaskRunEnd:
        """Run ``run`` to its end, however it ends; ``surroundings`` stand in for the runner's.

        Raises InputError for what Tekton would not start, and RegistryError for images.
        """
        prepared = prepare(run, tasks or {})
        pod = self._make_pod(prepared, surroundings or self._surroundings)
        steps: list[StepEnd] = []
        limit = seconds_of(run.spec.timeout) or _HOUR
        timed_out = False
        try:
            async with asyncio.timeout(limit):
                for step in prepared.spec.steps:
                    steps.append(await self._run_step(step, pod, steps))
        except TimeoutError:
            timed_out = True
        results = read_results(pod.results, prepared.spec.results)
        if timed_out:
            reason, message = "TaskRunTimeout", f"failed to finish within {run.spec.timeout}"
            results = {}
        else:
            failed = any(step.failed for step in steps)
            reason, message = "Failed" if failed else "Succeeded", message_of(steps)
        return TaskRunEnd(
            name=run.metadata.name,
            reason=reason,
            message=message,
            steps=tuple(steps),
            results=results,
        )

    def _make_pod(self, prepared: PreparedRun, surroundings: Surroundings) -> Pod:
        if self._folder is None:
            raise InputError("the runner was not entered", hint="use it with `async with`")
        folder = self._folder / f"pod-{next(self._numbers)}"
        folder.mkdir()
        return Pod(folder, prepared, surroundings)

    async def _run_step(self, step: Step, pod: Pod, before: list[StepEnd]) -> StepEnd:
        log = pod.log_of(step)
        if any(end.failed for end in before):
            log.write_text("Skipping step because a previous step failed\n")
            return StepEnd(name=step.name, exit_code=1, reason="Skipped", log=log)
        root = await self._images.bring(step.image)
        container = pod.write_container(step, root)
        code, reason = 0, "Completed"
        command = ["unshare", *_NAMESPACES, sys.executable, "-I", "-S", str(_ENTRY), str(container)]
        with log.open("ab") as file:
            try:
                outcome = await process.run(
                    command, log=file, deadline=seconds_of(step.timeout) or None
                )
            except TimeoutError:
                if not step.timeout:
                    raise
                return StepEnd(name=step.name, exit_code=1, reason="TimeoutExceeded", log=log)
            code = outcome.code
            results = read_results(pod.results, pod.declared)
            if not fits(results):
                file.write(TOO_LARGE.encode())
                code, results = 1, {}
        pod.write_exit_code(step, code)
        if code:
            reason = "Continued" if step.on_error == "continue" else "Error"
        new = {name: value for name, value in results.items() if not _is_known(name, value, before)}
        return StepEnd(name=step.name, exit_code=code, reason=reason, log=log, results=new)


def seconds_of(duration: str) -> float:
    """A duration as Go writes it, ``1h0m0s``; 0 for none. Raises InputError."""
    found = _DURATION.findall(duration)
    if "".join(number + unit for number, unit in found) != duration:
        if duration == "0":
            return 0.0
        raise InputError(f"{duration!r} is no duration", hint="write it as 90s or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in found)


def _is_known(name: str, value: Value, before: list[StepEnd]) -> bool:
    return any(end.results.get(name) == value for end in before)
