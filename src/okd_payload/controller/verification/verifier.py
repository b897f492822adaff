# SPDX-License-Identifier: Apache-2.0
"""Bringing the runs of a release on: queued, started, followed, ended.

Each step is written before the next, and a run is found again by its handle, so a kill between
any two costs nothing: what was queued is started, what was started is polled. A runner that does
not answer is waited for until the run's time is over; then the run is an error of its own kind,
which may be retried, and the reason is on the page. One that hangs, or fails in a way that nobody
thought of, holds up nothing but its own run: runs are brought on side by side, each call has its
time, and this is the one place below the service that catches everything.

What nobody needs any more is ended for real: a run whose end cannot be asked for now stays open
and is ended in a later pass (``afterwards``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.configuration.durations import format_duration
from okd_payload.controller.configuration.model import Runner as RunnerSettings
from okd_payload.controller.configuration.model import StreamConfiguration, Verification
from okd_payload.controller.model import Release, RunState, VerificationRun
from okd_payload.controller.reconciling.actions import Action, EndRun, StartRun, Taken
from okd_payload.controller.records import releases, runs, streams
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.endings import clean_words
from okd_payload.controller.verification.origins import find_origin
from okd_payload.controller.verification.planning import NeededRun, plan_runs
from okd_payload.controller.verification.runner import RunContext, Runner, RunUpdate
from okd_payload.controller.verification.shared_files import FileSharing
from okd_payload.errors import OkdPayloadError

_log = logging.getLogger(__name__)

Result = TypeVar("Result")
Told = TypeVar("Told")
Write = Callable[[Callable[[Connection], Result]], Awaitable[Result]]

PATIENCE = 60.0
"""Seconds that a runner may take to answer."""
_NO_ORIGIN = "there is no release that an update could start from"


class RunnerVerifier:
    """Implements ``Verifier`` over runners by kind."""

    def __init__(
        self,
        surroundings: Surroundings,
        runners: Mapping[str, Runner],
        *,
        write: Write[None],
        patience: float = PATIENCE,
    ) -> None:
        """``write`` runs units of work, and refuses them when this instance acts no more."""
        self._surroundings = surroundings
        self._patience = patience
        self._runners = dict(runners)
        self._write = write
        self._sharing = FileSharing(surroundings.database, write)

    async def advance(self, configuration: StreamConfiguration, release: Release) -> None:
        """Queue what is missing, start what is queued, and note what has ended."""
        await self._advance(configuration, release, planned=configuration)

    async def go_on(
        self, configuration: StreamConfiguration, release: Release, *, since: float, begin: bool
    ) -> None:
        """Bring on what still runs for a release that is decided and was ready ``since``.

        With ``begin``, what nobody had to wait for is begun as well.
        """
        informing = tuple(each for each in configuration.verifications if each.optional)
        planned = msgspec.structs.replace(configuration, verifications=informing if begin else ())
        ready = msgspec.structs.replace(release, changed=since)
        await self._advance(configuration, ready, planned=planned)

    async def _advance(
        self, configuration: StreamConfiguration, release: Release, *, planned: StreamConfiguration
    ) -> None:
        made = await self._runs_of(release)
        plan = plan_runs(planned, release, made, now=self._now())
        for needed in plan.needed:
            made.append(await self._queue(release, needed))
        useless = {run.id for run in plan.useless}
        known = known_verifications(configuration)
        steps = []
        for run in made:
            if run.state.is_final:
                continue
            verification = known.get(run.verification)
            if verification is None or verification.disabled or run.id in useless:
                reason = "its outcome changes nothing" if verification else "it was taken away"
                steps.append(self._end(configuration, release, run, reason=reason))
            else:
                context = self._context(configuration, verification, release, run)
                steps.append(self._bring_on(context))
        await _all(steps)

    async def abort(self, release: Release, *, reason: str) -> None:
        """End all runs that are under way."""
        configuration = self._surroundings.configurations()[release.stream]
        await _all(
            self._end(configuration, release, run, reason=reason)
            for run in await self._runs_of(release)
            if not run.state.is_final
        )

    async def _runs_of(self, release: Release) -> list[VerificationRun]:
        found = await self._surroundings.database.read(
            lambda unit: runs.list_of(unit, [release.name])
        )
        return found[release.name]

    async def _queue(self, release: Release, needed: NeededRun) -> VerificationRun:
        verification, now = needed.verification, self._now()
        run = VerificationRun(
            id=needed.identity(release.name),
            release=release.name,
            verification=verification.name,
            attempt=needed.attempt,
            number=needed.number,
            runner=verification.runner.kind,
            platform=verification.platform,
            architecture=verification.architecture,
            queued=max(now, release.changed),  # what is before that does not count
        )
        if verification.upgrade is not None:
            known = await self._surroundings.database.read(releases.list_of)
            origin = find_origin(
                verification.upgrade,
                release,
                configurations=self._surroundings.configurations(),
                releases=known,
            )
            if origin is None:  # it holds nothing up: there is nobody who could update
                run = msgspec.structs.replace(
                    run, state=RunState.SUCCEEDED, ended=now, message=_NO_ORIGIN
                )
            else:
                run = msgspec.structs.replace(
                    run, from_release=origin.name, from_pull_spec=origin.pull_spec
                )
        await self._note(run)
        return run

    async def _bring_on(self, context: RunContext) -> None:
        run = context.run
        runner = self._runners.get(run.runner)
        if runner is None:
            message = f"this controller has no runner of the kind {run.runner}"
            await self._note(_ended(run, RunState.ERROR, message, self._now()))
            return
        update = await self._ask(runner, context)
        if not update.state.is_final and self._is_over(context):
            reason = f"it did not end within {format_duration(context.verification.timeout)}"
            self._tell_end(context, reason=reason)
            await self._attempt(context, runner.cancel(context))
            told = f"{reason}: {update.message}" if update.message else reason
            await self._note(_ended(run, RunState.ERROR, told, self._now()))
            return
        changed = self._with(run, update)
        files = [name for name in (update.log, *update.artifacts) if name]
        shared = await self._sharing.share(context.folder, run.id, files)
        if changed != run:
            await self._note(changed)
        if shared and changed.state.is_final:
            await self._sharing.let_go(context.folder, run.id)

    async def _ask(self, runner: Runner, context: RunContext) -> RunUpdate:
        """What the runner says; where it says nothing, the run stays as it is, with the reason."""
        if context.run.state is not RunState.QUEUED:
            told = await self._attempt(context, runner.poll(context))
        else:
            self._tell_start(context)
            told = await self._attempt(context, runner.start(context))
        if isinstance(told, RunUpdate):
            return told
        return RunUpdate(state=context.run.state, message=told)

    async def _attempt(self, context: RunContext, work: Awaitable[Told]) -> Told | str:
        """What the runner answers to ``work``, or what stood in the way."""
        run = context.run
        try:
            async with asyncio.timeout(self._patience):
                return await work
        except OkdPayloadError as error:
            return error.message
        except TimeoutError:
            return self._tell_silence()
        except Exception as error:  # noqa: BLE001 - what one run leaves must not stop its stream
            _log.exception("%s: the runner %s failed", run.id, run.runner)
            return _unexpected(error)

    def _with(self, run: VerificationRun, update: RunUpdate) -> VerificationRun:
        now = self._now()
        place = f"runs/{run.id}/"
        begun = update.state is not RunState.QUEUED
        return msgspec.structs.replace(
            run,
            state=update.state,
            started=run.started if run.started is not None or not begun else now,
            ended=now if update.state.is_final else None,
            url=update.url or run.url,
            handle=update.handle or run.handle,
            message=update.message,
            log=place + update.log if update.log else run.log,
            artifacts=tuple(place + name for name in update.artifacts) or run.artifacts,
        )

    def _is_over(self, context: RunContext) -> bool:
        began = context.run.started or context.run.queued
        return self._now() > began + context.verification.timeout

    async def _end(
        self,
        configuration: StreamConfiguration,
        release: Release,
        run: VerificationRun,
        *,
        reason: str,
    ) -> None:
        known = known_verifications(configuration)
        runner = self._runners.get(run.runner)
        taken_away = Verification(name=run.verification, runner=RunnerSettings(kind=run.runner))
        context = self._context(
            configuration, known.get(run.verification, taken_away), release, run
        )
        self._tell_end(context, reason=reason)
        trouble = None
        if runner is not None:  # also where it may not have been started
            trouble = await self._attempt(context, runner.cancel(context))
        if trouble and not self._is_over(context):
            waiting = f"{reason}; it cannot be ended now: {trouble}"
            if waiting != run.message:
                await self._note(msgspec.structs.replace(run, message=waiting))
            return
        await self._note(_ended(run, RunState.ABORTED, reason, self._now()))

    def _tell_start(self, context: RunContext) -> None:
        run = context.run
        reason = f"an update from {run.from_release}" if run.from_release else ""
        action = StartRun(release=run.release, run=run.id, runner=run.runner, reason=reason)
        self._tell(context, action)

    def _tell_end(self, context: RunContext, *, reason: str) -> None:
        action = EndRun(release=context.run.release, run=context.run.id, reason=reason)
        self._tell(context, action)

    def _tell(self, context: RunContext, action: Action) -> None:
        self._surroundings.progress(Taken(subject=context.configuration.name, action=action))

    def _tell_silence(self) -> str:
        return f"the runner did not answer within {format_duration(self._patience)}"

    async def _note(self, run: VerificationRun) -> None:
        """Write ``run`` down; of a tested update, what it says too."""
        now = self._now()

        def unit(connection: Connection) -> None:
            runs.write(connection, run, time=now)
            streams.add_tested(connection, run, time=now)

        await self._write(unit)

    def _context(
        self,
        configuration: StreamConfiguration,
        verification: Verification,
        release: Release,
        run: VerificationRun,
    ) -> RunContext:
        return RunContext(
            configuration=configuration,
            verification=verification,
            release=release,
            run=run,
            folder=self._surroundings.state / "runs" / run.id,
        )

    def _now(self) -> float:
        return self._surroundings.clock.now()


def _ended(run: VerificationRun, state: RunState, message: str, now: float) -> VerificationRun:
    return msgspec.structs.replace(run, state=state, message=message, ended=now)


def _unexpected(error: Exception) -> str:
    """A fault of ours, or something that nobody thought of."""
    return clean_words(f"unexpected {type(error).__name__}: {error}")


async def _all(steps: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Take all ``steps`` side by side. Raises the first error after all have ended."""
    ended = await asyncio.gather(*steps, return_exceptions=True)
    for error in ended:
        if isinstance(error, BaseException):
            raise error


def known_verifications(configuration: StreamConfiguration) -> dict[str, Verification]:
    """What runs may be of, by name: verifications, and schedules that verify."""
    scheduled = (each.verification for each in configuration.schedules)
    every = (*configuration.verifications, *filter(None, scheduled))
    return {each.name: each for each in every}
