# SPDX-License-Identifier: Apache-2.0
"""Schedules that are due, and a follower with a stand-in for whoever builds."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from rig import INPUT, STREAM, Rig
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import (
    StreamConfiguration,
)
from okd_payload.controller.creation.making import make_payload
from okd_payload.controller.inputs.reading import read_input
from okd_payload.controller.model import Phase, Release, RunState
from okd_payload.controller.records import payloads, releases, schedules
from okd_payload.controller.records.schedules import ScheduleRun
from okd_payload.controller.schedules.builder import BuildProgress
from okd_payload.controller.schedules.follower import ScheduleFollower
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.afterwards import LateRuns
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.controller.verification.verifier import RunnerVerifier
from okd_payload.testing.small_stream import push_small_stream

HOUR = 3600.0


class PassingRunner:
    """Remembers what was started, and ends each run well when it is looked at."""

    def __init__(self) -> None:
        self.started: list[RunContext] = []

    async def start(self, context: RunContext) -> RunUpdate:
        """Begun."""
        self.started.append(context)
        return RunUpdate(state=RunState.RUNNING)

    async def poll(self, context: RunContext) -> RunUpdate:
        """Ended."""
        del context
        return RunUpdate(state=RunState.SUCCEEDED, message="seen")

    async def cancel(self, context: RunContext) -> None:
        """Nothing runs."""


class Builds:
    """Remembers what was started; each ends when it is looked at twice."""

    def __init__(self, *, succeeds: bool = True) -> None:
        self.started: list[tuple[str, str]] = []
        self.looks = 0
        self._succeeds = succeeds

    async def advance(self, stream_file: str, identity: str) -> BuildProgress:
        """Begin; ended at the second look."""
        if (stream_file, identity) not in self.started:
            self.started.append((stream_file, identity))
        self.looks += 1
        return BuildProgress(
            ended=self.looks > 1, succeeded=self._succeeds, message=f"{identity} built"
        )


class Follows:
    """Schedules and late runs, as they follow a pass."""

    def __init__(self, surroundings: Surroundings, builds: Builds | None) -> None:
        async def write(unit: Callable[[Connection], None]) -> None:
            await surroundings.database.write(unit)

        self.runner = PassingRunner()
        verifier = RunnerVerifier(surroundings, {"manual": self.runner}, write=write)
        self._late = LateRuns(surroundings, verifier)
        self._schedules = ScheduleFollower(surroundings, write=write, builder=builds)

    async def advance(self, configuration: StreamConfiguration) -> float | None:
        """One pass."""
        await self._late.advance(configuration)
        return await self._schedules.advance(configuration)


def follower(surroundings: Surroundings, builds: Builds | None = None) -> Follows:
    """What follows a pass in these surroundings."""
    return Follows(surroundings, builds)


async def make(rig: Rig, name: str, change: str = "one") -> Release:
    """An accepted release with a real payload."""
    await push_small_stream(rig.repository(INPUT), change=change)
    configuration = rig.streams[STREAM]
    images = await read_input(rig.surroundings, configuration)
    now = rig.clock.now()
    begun = Release(name=name, stream=STREAM, created=now, changed=now, input_hash="h")
    await rig.database.write(lambda unit: releases.create(unit, begun, images.images))
    made = await make_payload(rig.surroundings, configuration, begun, images.images)

    def finish(unit: Connection) -> Release:
        payloads.write(unit, made.facts)
        ready = msgspec.structs.replace(begun, digest=made.digest, pull_spec=made.pull_spec)
        moved = releases.move(unit, ready, Phase.READY, time=now)
        return releases.move(unit, moved, Phase.ACCEPTED, time=now)

    rig.clock.advance(1)
    return await rig.database.write(finish)


async def last(rig: Rig, schedule: str = "s") -> ScheduleRun:
    """The last run of a schedule."""
    found = await rig.database.read(lambda unit: schedules.find(unit, STREAM, schedule))
    assert found is not None
    return found


async def passes(rig: Rig, follows: Follows, count: int = 4) -> None:
    """So many passes a moment apart."""
    for _ in range(count):
        await follows.advance(rig.streams[STREAM])
        rig.clock.advance(1)
