# SPDX-License-Identifier: Apache-2.0
"""Runs of builtin checks: a task each, a few at a time, found again by the file they end with.

A check changes nothing, so one that was cut off by a kill is simply made again. What ends a run
is written to its folder before anybody is told. A registry or disk that does not answer is no
verdict: the check is made again until the run's time is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from okd_payload.controller.model import RunState
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.junit import write_junit
from okd_payload.controller.verification.run_files import (
    JUNIT,
    RunOutcome,
    read_outcome,
    tell_outcome,
    write_log,
    write_outcome,
)
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.controller.verification.runners.builtin.checks import (
    CheckSurroundings,
    check_release,
)
from okd_payload.controller.verification.runners.builtin.places import Places
from okd_payload.errors import (
    ContentError,
    NotFound,
    OkdPayloadError,
    ReleaseError,
)
from okd_payload.oci.documents import DocumentAsker
from okd_payload.release.output_file import write_output

_log = logging.getLogger(__name__)

_AT_ONCE = 2
_BLAMES_RELEASE = (NotFound, ContentError, ReleaseError)
"""Errors that say something of the release, not of what it was looked at with."""


class BuiltinRunner:
    """Implements ``LocalRunner``."""

    def __init__(
        self,
        surroundings: Surroundings,
        documents: DocumentAsker,
        *,
        wake: Callable[[str], None] = lambda _stream: None,
    ) -> None:
        """``wake`` is told the stream of each check that ends."""
        self._around = CheckSurroundings(
            places=Places(surroundings),
            documents=documents,
            clock=surroundings.clock,
            state=surroundings.state,
        )
        self._wake = wake
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, context: RunContext) -> RunUpdate:
        """Begin the check, unless it runs or has ended."""
        return await self.poll(context)

    async def poll(self, context: RunContext) -> RunUpdate:
        """How it ended, or that it runs: one that a restart cut off is begun anew.

        Raises what stood in its way; the next poll begins it anew.
        """
        outcome = read_outcome(context.folder)
        name = context.run.id
        if outcome is not None:
            self._tasks.pop(name, None)
            return tell_outcome(context.folder, outcome)
        task = self._tasks.get(name)
        if task is not None and task.done():
            del self._tasks[name]
            return _explain(task)
        if task is None:
            task = asyncio.create_task(self._check(context), name=f"check {name}")
            task.add_done_callback(lambda _: self._wake(context.configuration.name))
            self._tasks[name] = task
        return RunUpdate(state=RunState.RUNNING, handle=name)

    async def cancel(self, context: RunContext) -> None:
        """End the check."""
        task = self._tasks.pop(context.run.id, None)
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, OkdPayloadError):
                await task

    async def wait(self) -> bool:
        """Wait until the checks that run have ended; whether any has an outcome."""
        running = [task for task in self._tasks.values() if not task.done()]
        ended = await asyncio.gather(*running, return_exceptions=True)
        return any(each is None for each in ended)

    async def _check(self, context: RunContext) -> None:
        async with self._places:
            try:
                findings = await check_release(context, self._around)
            except _BLAMES_RELEASE as error:
                write_log(context.folder, f"{error.message}\n".encode())
                outcome = RunOutcome(state=RunState.FAILED, message=error.message)
            else:
                outcome = findings.outcome
                write_log(context.folder, findings.log)
                results = write_junit(context.verification.name, findings.cases)
                write_output(context.folder / JUNIT, results)
        write_outcome(context.folder, outcome)


def _explain(task: asyncio.Task[None]) -> RunUpdate:
    """What to say of a check that ended without an outcome. Raises what may pass by itself."""
    failure = None if task.cancelled() else task.exception()
    if isinstance(failure, OkdPayloadError):
        raise failure
    if failure is None:
        return RunUpdate(state=RunState.ERROR, message="the check was cut off")
    _log.error("%s failed", task.get_name(), exc_info=failure)
    return RunUpdate(
        state=RunState.ERROR, message=f"unexpected {type(failure).__name__}: {failure}"
    )
