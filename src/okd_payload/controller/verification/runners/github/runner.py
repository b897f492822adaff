# SPDX-License-Identifier: Apache-2.0
"""Runs that are workflows of a forge: asked for, found by a mark, followed to their end.

A forge does not say which run a request became, so each carries the run's name as an input, which
the workflow puts into its own name (``run-name``). Before one is asked for it is looked for, and
that it is asked for is written down before: a kill in between makes no second run.

The forge is asked at most every half minute for each run: tokens have hourly limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from okd_payload.controller.model import RunState
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.contract import release_variables
from okd_payload.controller.verification.endings import clean_words, page_address
from okd_payload.controller.verification.printed_artifacts import take_artifacts
from okd_payload.controller.verification.run_files import LogEnds, RunOutcome, tell_outcome
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.controller.verification.runners.github.forge import (
    Workflow,
    WorkflowJob,
    WorkflowRun,
)
from okd_payload.controller.verification.web_answers import PatientWeb
from okd_payload.errors import (
    ContentError,
    InputError,
    RegistryError,
    RegistryRefused,
    StorageError,
    Unauthorized,
)
from okd_payload.oci.threads import finish_in_thread
from okd_payload.oci.web_requests import WebAsker
from okd_payload.release.output_file import write_output

MARK_INPUT = "okd_payload_run"
"""The input that carries the name of the run."""
_ASKED = "asked.json"
_MAX_JOBS = 20
_APPEARS_SECONDS = 300.0
_POLL_SECONDS = 30.0
_ENDED = {
    "success": RunState.SUCCEEDED,
    "neutral": RunState.SUCCEEDED,
    "failure": RunState.FAILED,
    "cancelled": RunState.ABORTED,
}
"""Other conclusions, as ``timed_out`` and ``startup_failure``, say nothing of the release."""


class _Asked(msgspec.Struct, frozen=True):
    time: float


class GithubRunner:
    """Implements ``Runner`` with workflows."""

    def __init__(self, surroundings: Surroundings, web: WebAsker) -> None:
        self._clock = surroundings.clock
        self._web = PatientWeb(web, surroundings.clock)
        self._polled: dict[str, float] = {}

    async def start(self, context: RunContext) -> RunUpdate:
        """Ask for a run of the workflow, unless that was done. Raises RegistryError, InputError."""
        workflow = Workflow(self._web, context)
        mark = context.folder / _ASKED
        asked = _read_mark(mark)
        if asked is not None and self._is_early(context):
            return RunUpdate(state=RunState.QUEUED, message=context.run.message)
        found = await workflow.find(context.run.id, since=context.run.queued)
        if found is not None:
            return await self._tell(context, workflow, found)
        now = self._clock.now()
        if asked is not None:
            return _wait(context, asked, now)
        write_output(mark, msgspec.json.encode(_Asked(now)))
        try:
            await workflow.dispatch(_inputs(context))
        except (RegistryRefused, Unauthorized):
            mark.unlink(missing_ok=True)  # it is certain that none was made
            raise
        return RunUpdate(state=RunState.QUEUED, message="asked for, not there yet")

    async def poll(self, context: RunContext) -> RunUpdate:
        """How far the workflow is. Raises RegistryError, InputError."""
        run = context.run
        if self._is_early(context):
            return RunUpdate(state=run.state, message=run.message)
        workflow = Workflow(self._web, context)
        number = _number(context)
        found = await workflow.read(number)
        if found is None:
            return RunUpdate(
                state=RunState.ERROR, message=f"run {number} of {workflow.repository} is gone"
            )
        return await self._tell(context, workflow, found)

    async def cancel(self, context: RunContext) -> None:
        """End the workflow, also where only the forge knows its number yet."""
        workflow = Workflow(self._web, context)
        number = _number(context)
        if not number:
            found = await workflow.find(context.run.id, since=context.run.queued)
            number = str(found.id) if found else ""
        if number:
            await workflow.cancel(number)

    async def _tell(self, context: RunContext, workflow: Workflow, found: WorkflowRun) -> RunUpdate:
        handle = f"{workflow.repository}/{found.id}"
        url = page_address(found.html_url)
        if found.status != "completed":
            words = clean_words((found.status or "").replace("_", " "))
            return RunUpdate(state=RunState.RUNNING, message=words, url=url, handle=handle)
        conclusion = found.conclusion or ""
        state = _ENDED.get(conclusion, RunState.ERROR)
        message = "" if state is RunState.SUCCEEDED else clean_words(conclusion.replace("_", " "))
        jobs = await workflow.jobs(str(found.id))
        await _keep_logs(workflow, jobs, context.folder)
        if state is RunState.FAILED:
            failed = [clean_words(job.name) for job in jobs if job.conclusion == "failure"]
            message = f"failed: {', '.join(failed)}" if failed else "the workflow failed"
        told = tell_outcome(context.folder, RunOutcome(state=state, message=message))
        return msgspec.structs.replace(told, url=url, handle=handle)

    def _is_early(self, context: RunContext) -> bool:
        """Whether the forge was asked about the run only just now; else note that it is."""
        now, last = self._clock.monotonic(), self._polled.get(context.run.id)
        if last is not None and now < last + _POLL_SECONDS:
            return True
        self._polled[context.run.id] = now
        return False


async def _keep_logs(workflow: Workflow, jobs: Sequence[WorkflowJob], folder: Path) -> None:
    """Keep what the jobs of a run printed, and the files in it; what cannot be had is said."""
    found = LogEnds()
    for job in jobs[:_MAX_JOBS]:
        found.take(f"==> {clean_words(job.name)}\n".encode())
        try:
            log = await workflow.job_log(job)
        except (RegistryError, ContentError) as error:
            found.take(f"[{clean_words(error.message)}]\n".encode())
        else:
            found.take(await finish_in_thread(take_artifacts, log, folder))
    if jobs:
        found.write(folder)


def _inputs(context: RunContext) -> dict[str, str]:
    """What the workflow is told: it has to declare each of these."""
    releases = {name.lower(): value for name, value in release_variables(context).items()}
    return {
        MARK_INPUT: context.run.id,
        **releases,
        "platform": context.run.platform,
        **context.verification.runner.environment,
    }


def _wait(context: RunContext, asked: _Asked, now: float) -> RunUpdate:
    """What to say of a run that was asked for and is not there yet."""
    if now < asked.time + _APPEARS_SECONDS:
        return RunUpdate(state=RunState.QUEUED, message="asked for, not there yet")
    return RunUpdate(
        state=RunState.ERROR,
        message=f"asked for, but no run has {context.run.id} in its name: "
        f"the workflow needs run-name: ${{{{ inputs.{MARK_INPUT} }}}}",
    )


def _number(context: RunContext) -> str:
    return context.run.handle.rpartition("/")[2]


def _read_mark(path: Path) -> _Asked | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Asked)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise InputError(f"{path} is not what was written there: remove it") from error
