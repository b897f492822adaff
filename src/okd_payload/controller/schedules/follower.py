# SPDX-License-Identifier: Apache-2.0
"""Doing what schedules ask for, after each pass.

That something is due, and what it is about, is written in one unit of work; what was written is
then brought to its end, by whichever pass comes next. A time that was missed is made up for once.
The runs that schedules queue are carried out as all late runs are (``verification.afterwards``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import Schedule, StreamConfiguration
from okd_payload.controller.model import Phase, RunState, VerificationRun
from okd_payload.controller.reconciling.actions import Promote, Taken
from okd_payload.controller.reconciling.actions import Schedule as Due
from okd_payload.controller.records import releases, runs, schedules, streams
from okd_payload.controller.records.schedules import ScheduleRun, ScheduleState
from okd_payload.controller.schedules.builder import Builder
from okd_payload.controller.schedules.promotion import Promoting, plan_promotion, promote
from okd_payload.controller.schedules.timing import next_time
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.origins import find_origin
from okd_payload.errors import ContentError, InputError, OkdPayloadError, RecordsError, ReleaseError

Write = Callable[[Callable[[Connection], None]], Awaitable[None]]

_ACTIVE_SECONDS = 5.0
"""Until the next look while something is under way."""
_TROUBLED_SECONDS = 60.0
_CERTAIN = (ReleaseError, InputError, ContentError)
"""What no further attempt will change."""


class ScheduleFollower:
    """Follows the schedules of streams; implements ``service.Follower``."""

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        write: Write,
        builder: Builder | None = None,
        promoting: Promoting = promote,
    ) -> None:
        """Without ``builder``, schedules that build say that nobody here can."""
        self._promoting = promoting
        self._surroundings = surroundings
        self._write = write
        self._builder = builder

    async def advance(self, configuration: StreamConfiguration) -> float | None:
        """Do what is due; when to be called again at the latest."""
        await self._forget_removed(configuration)
        wakes = []
        for schedule in configuration.schedules:
            await self._write_if_due(configuration, schedule)
            run = await self._find(configuration, schedule)
            if run.state is ScheduleState.RUNNING:
                wakes.append(await self._bring_on(configuration, schedule, run))
            due = next_time(schedule, run.since)
            wakes += [due] if due is not None else []
        return min(wakes, default=None)

    async def _forget_removed(self, configuration: StreamConfiguration) -> None:
        """Let go of what is known of schedules that are no more."""
        known = await self._surroundings.database.read(
            lambda unit: schedules.list_of(unit, configuration.name)
        )
        names = {each.name for each in configuration.schedules}
        gone = [run.schedule for run in known if run.schedule not in names]
        for name in gone:
            await self._write(
                lambda unit, name=name: schedules.forget(unit, configuration.name, name)  # type: ignore[misc]  # a default is how a loop's value is bound
            )

    async def _find(self, configuration: StreamConfiguration, schedule: Schedule) -> ScheduleRun:
        found = await self._surroundings.database.read(
            lambda unit: schedules.find(unit, configuration.name, schedule.name)
        )
        return found or _first(configuration, schedule, self._now())

    async def _write_if_due(self, configuration: StreamConfiguration, schedule: Schedule) -> None:
        now = self._now()
        known = await self._surroundings.database.read(
            lambda unit: schedules.find(unit, configuration.name, schedule.name)
        )
        if known is None:
            first = _first(configuration, schedule, now)
            await self._write(lambda unit: schedules.write(unit, first, time=now))
        elif known.state is not ScheduleState.RUNNING and _is_due(schedule, known, now):
            begun: list[ScheduleRun] = []
            await self._write(lambda unit: self._begin(unit, configuration, schedule, begun))
            for run in begun:
                action = Due(
                    schedule=schedule.name,
                    kind=schedule.kind,
                    subject=run.subject,
                    reason=run.message,
                )
                self._surroundings.progress(Taken(subject=run.stream, action=action))

    def _begin(
        self,
        unit: Connection,
        configuration: StreamConfiguration,
        schedule: Schedule,
        begun: list[ScheduleRun],
    ) -> None:
        """Write down that the schedule is due, and everything that its run is about.

        Also into ``begun``.
        """
        begun.clear()
        now = self._now()
        known = schedules.find(unit, configuration.name, schedule.name)
        if known is None or not _is_due(schedule, known, now):
            return  # another pass was quicker
        if configuration.end_of_life or streams.find(unit, configuration.name).paused:
            return  # what is missed meanwhile is made up for once
        moment = dt.datetime.fromtimestamp(now, tz=dt.UTC)
        run = ScheduleRun(
            stream=configuration.name,
            schedule=schedule.name,
            since=now,
            state=ScheduleState.RUNNING,
            identity=f"{schedule.name}-{moment:%Y-%m-%d-%H%M%S}",
            started=now,
            failing=known.failing,
        )
        if schedule.kind == "verify":
            run = self._queue(unit, configuration, schedule, run)
        elif schedule.kind == "promote":
            run = _plan(unit, configuration, schedule, run)
        else:
            handle = f"{run.stream}-{run.identity}"
            run = msgspec.structs.replace(run, subject=schedule.stream_file, handle=handle)
        schedules.write(unit, run, time=now)
        begun.append(run)

    def _queue(
        self,
        unit: Connection,
        configuration: StreamConfiguration,
        schedule: Schedule,
        run: ScheduleRun,
    ) -> ScheduleRun:
        """Queue a run against the newest accepted release."""
        accepted = releases.list_of(unit, configuration.name, phases=[Phase.ACCEPTED], limit=1)
        verification = schedule.verification
        if not accepted or verification is None:
            return _ended(run, ScheduleState.FAILED, "there is no accepted release", self._now())
        release = accepted[0]
        queued = VerificationRun(
            id=f"{release.name}-{run.identity}",
            release=release.name,
            verification=verification.name,
            attempt=_count_runs(unit, release.name, verification.name),
            runner=verification.runner.kind,
            platform=verification.platform,
            architecture=verification.architecture,
            queued=self._now(),
        )
        if verification.upgrade is not None:
            origin = find_origin(
                verification.upgrade,
                release,
                configurations=self._surroundings.configurations(),
                releases=releases.list_of(unit),
            )
            if origin is None:
                message = "there is no release that an update could start from"
                return _ended(run, ScheduleState.FAILED, message, self._now())
            queued = msgspec.structs.replace(
                queued, from_release=origin.name, from_pull_spec=origin.pull_spec
            )
        runs.write(unit, queued, time=self._now())
        return msgspec.structs.replace(run, subject=release.name, handle=queued.id)

    async def _bring_on(
        self, configuration: StreamConfiguration, schedule: Schedule, run: ScheduleRun
    ) -> float:
        """Bring a run that was written on; when to look again."""
        try:
            after = await self._step(configuration, schedule, run)
        except RecordsError:
            raise
        except _CERTAIN as error:
            after = _ended(run, ScheduleState.FAILED, error.message, self._now())
        except OkdPayloadError as error:
            after = msgspec.structs.replace(run, message=error.message)
            await self._note(run, after)
            return self._now() + _TROUBLED_SECONDS
        await self._note(run, after)
        return self._now() + _ACTIVE_SECONDS

    async def _step(
        self, configuration: StreamConfiguration, schedule: Schedule, run: ScheduleRun
    ) -> ScheduleRun:
        if schedule.kind == "verify":
            return await self._follow_verification(run)
        if schedule.kind == "promote":
            return await self._promote(configuration, schedule, run)
        return await self._build(run)

    async def _follow_verification(self, run: ScheduleRun) -> ScheduleRun:
        found = await self._surroundings.database.read(lambda unit: runs.find(unit, run.handle))
        if found is None:
            return _ended(run, ScheduleState.FAILED, "its release was removed", self._now())
        if not found.state.is_final:
            return run
        passed = found.state is RunState.SUCCEEDED
        state = ScheduleState.DONE if passed else ScheduleState.FAILED
        return _ended(run, state, found.message or found.state.value, self._now())

    async def _promote(
        self, configuration: StreamConfiguration, schedule: Schedule, run: ScheduleRun
    ) -> ScheduleRun:
        known = self._surroundings.configurations()
        if schedule.promote_to not in known:
            raise InputError(f"{schedule.promote_to}, which it promotes into, is not configured")
        action = Promote(
            release=run.subject, version=run.handle, into=schedule.promote_to, reason=run.message
        )
        self._surroundings.progress(Taken(subject=run.stream, action=action))
        target = known[schedule.promote_to]
        await self._promoting(self._surroundings, configuration, target, run)
        message = f"{run.subject} is {run.handle} in {schedule.promote_to}: {run.message}"
        return _ended(run, ScheduleState.DONE, message, self._now())

    async def _build(self, run: ScheduleRun) -> ScheduleRun:
        if self._builder is None:
            raise InputError("this controller builds nothing", hint="start one with an engine")
        progress = await self._builder.advance(run.subject, run.handle)
        if not progress.ended:
            return msgspec.structs.replace(run, message=progress.message)
        state = ScheduleState.DONE if progress.succeeded else ScheduleState.FAILED
        return _ended(run, state, progress.message, self._now())

    async def _note(self, before: ScheduleRun, after: ScheduleRun) -> None:
        if after != before:
            await self._write(lambda unit: schedules.write(unit, after, time=self._now()))

    def _now(self) -> float:
        return self._surroundings.clock.now()


def _first(configuration: StreamConfiguration, schedule: Schedule, now: float) -> ScheduleRun:
    """A schedule that nobody has looked at before: what was before today is not made up for."""
    return ScheduleRun(stream=configuration.name, schedule=schedule.name, since=now)


def _count_runs(unit: Connection, release: str, verification: str) -> int:
    """How often the release was verified so: the number that tells objects of its runs apart."""
    made = runs.list_of(unit, [release])[release]
    return sum(each.verification == verification for each in made)


def _is_due(schedule: Schedule, known: ScheduleRun, now: float) -> bool:
    due = next_time(schedule, known.since)
    return due is not None and due <= now


def _plan(
    unit: Connection, configuration: StreamConfiguration, schedule: Schedule, run: ScheduleRun
) -> ScheduleRun:
    """Decide what is promoted, and write the reasons down before anything is done."""
    plan = plan_promotion(unit, configuration, schedule, now=run.since)
    if not plan.choice.release:
        # that nothing is new is no failure, that everything new has something against it is one
        state = ScheduleState.FAILED if plan.choice.considered else ScheduleState.DONE
        return _ended(run, state, plan.choice.message, run.since)
    if not plan.version:
        message = f"{schedule.promote_to} has no version to count on from: push the first by hand"
        return _ended(run, ScheduleState.FAILED, message, run.since)
    return msgspec.structs.replace(
        run, subject=plan.choice.release, handle=plan.version, message=plan.choice.message
    )


def _ended(run: ScheduleRun, state: ScheduleState, message: str, now: float) -> ScheduleRun:
    failing = state is ScheduleState.FAILED
    return msgspec.structs.replace(run, state=state, message=message, ended=now, failing=failing)
