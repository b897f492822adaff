# SPDX-License-Identifier: Apache-2.0
"""What still runs for releases that are decided goes on, or is ended for real."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from rig import STREAM, Rig

from okd_payload.controller.configuration.model import Runner as RunnerSettings
from okd_payload.controller.configuration.model import Verification
from okd_payload.controller.model import Phase, Release, RunState, VerificationRun
from okd_payload.controller.records import releases, runs
from okd_payload.controller.verification.afterwards import LateRuns
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.controller.verification.verifier import RunnerVerifier
from okd_payload.errors import ClusterUnavailable


class Runner:
    """A runner whose runs end when a test says so, and which can be away or hang."""

    def __init__(self) -> None:
        self.ended: set[str] = set()
        self.cancelled: list[str] = []
        self.away = False
        self.hangs: set[str] = set()

    async def start(self, context: RunContext) -> RunUpdate:
        """Begin."""
        return await self.poll(context)

    async def poll(self, context: RunContext) -> RunUpdate:
        """How far it is."""
        if context.verification.name in self.hangs:
            await asyncio.Event().wait()
        ended = context.verification.name in self.ended
        return RunUpdate(state=RunState.SUCCEEDED if ended else RunState.RUNNING)

    async def cancel(self, context: RunContext) -> None:
        """Remembered."""
        if self.away:
            raise ClusterUnavailable("the cluster is away")
        self.cancelled.append(context.run.id)


class World:
    """A stream with runs."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.runner = Runner()
        self.verifier = RunnerVerifier(
            rig.surroundings, {"scripted": self.runner}, write=rig.database.write, patience=0.05
        )
        self.late = LateRuns(rig.surroundings, self.verifier)

    def configure(self, **verifications: dict[str, Any]) -> None:
        """Verifications by name."""
        self.rig.configure(
            verifications=tuple(
                Verification(name=name, runner=RunnerSettings(kind="scripted"), **fields)
                for name, fields in verifications.items()
            )
        )

    async def release(self, name: str = "r") -> Release:
        """A release that is ready."""
        now = self.rig.clock.now()
        made = Release(name=name, stream=STREAM, created=now, changed=now, input_hash=name)

        def unit(connection: Any) -> Release:
            releases.create(connection, made, ())
            return releases.move(connection, made, Phase.READY, time=now)

        return await self.rig.database.write(unit)

    async def settle(self, release: Release, phase: Phase) -> Release:
        """The release is decided."""
        self.rig.clock.advance(100)
        now = self.rig.clock.now()
        return await self.rig.database.write(
            lambda unit: releases.move(unit, release, phase, time=now)
        )

    async def advance(self, release: Release) -> None:
        """A pass while it is ready."""
        await self.verifier.advance(self.rig.streams[STREAM], release)

    async def follow(self) -> float | None:
        """What follows a pass."""
        self.rig.clock.advance(10)
        return await self.late.advance(self.rig.streams[STREAM])

    async def runs(self, release: Release) -> dict[str, VerificationRun]:
        """Its runs by verification."""
        found = await self.rig.database.read(lambda unit: runs.list_of(unit, [release.name]))
        return {run.verification: run for run in found[release.name]}


@pytest.fixture
def world(rig: Rig) -> World:
    """A stream with runs."""
    return World(rig)


async def test_informing_runs_of_an_accepted_release_are_followed(world: World) -> None:
    """They end as they would have, and nothing is made twice."""
    world.configure(a={}, b={"optional": True})
    release = await world.release()
    await world.advance(release)
    world.runner.ended = {"a"}
    await world.advance(release)
    accepted = await world.settle(release, Phase.ACCEPTED)
    assert await world.follow() is not None
    assert (await world.runs(accepted))["b"].state is RunState.RUNNING
    world.runner.ended = {"a", "b"}
    await world.follow()
    assert (await world.runs(accepted))["b"].state is RunState.SUCCEEDED
    assert await world.follow() is None
    assert len(await world.runs(accepted)) == 2


async def test_what_nobody_waits_for_is_begun_all_the_same(world: World) -> None:
    """A stream with nothing else accepts at once, and its newest release is still looked at."""
    world.configure(slow={"optional": True, "asynchronous": True})
    older = await world.settle(await world.release("older"), Phase.ACCEPTED)
    newest = await world.settle(await world.release("newest"), Phase.ACCEPTED)
    await world.follow()
    assert await world.runs(older) == {}
    assert (await world.runs(newest))["slow"].state is RunState.RUNNING


@pytest.mark.parametrize("phase", [Phase.REJECTED, Phase.ACCEPTED])
async def test_what_nobody_needs_is_ended_although_the_first_try_was_lost(
    world: World, phase: Phase
) -> None:
    """A kill between the verdict and the end of its runs, or a cluster that was away."""
    world.configure(a={}, b={})
    release = await world.release()
    await world.advance(release)
    decided = await world.settle(release, phase)
    if phase is Phase.ACCEPTED:
        now = world.rig.clock.now()
        await world.rig.database.write(
            lambda unit: releases.change(unit, _withdrawn(decided, now), time=now)
        )
    world.runner.away = True
    assert await world.follow() is not None
    run = (await world.runs(release))["a"]
    assert run.state is RunState.RUNNING
    assert "it cannot be ended now: the cluster is away" in run.message
    world.runner.away = False
    await world.follow()
    assert {run.state for run in (await world.runs(release)).values()} == {RunState.ABORTED}
    assert sorted(world.runner.cancelled) == ["r-a", "r-b"]


def _withdrawn(release: Release, now: float) -> Release:
    return msgspec.structs.replace(release, withdrawn=now)


async def test_a_runner_that_hangs_holds_up_its_own_run_only(world: World) -> None:
    """The page says so, and at the end of its time the run is an error."""
    world.configure(a={"timeout": 60.0}, b={})
    world.runner.hangs, world.runner.ended = {"a"}, {"b"}
    release = await world.release()
    await world.advance(release)
    found = await world.runs(release)
    assert found["b"].state is RunState.SUCCEEDED
    assert found["a"].state is RunState.QUEUED
    assert found["a"].message.startswith("the runner did not answer within")
    world.rig.clock.advance(61)
    await world.advance(release)
    assert (await world.runs(release))["a"].state is RunState.ERROR


async def test_a_queued_run_is_cancelled_too(world: World) -> None:
    """It may have been started and not noted."""
    world.configure(a={})
    world.runner.hangs = {"a"}
    release = await world.release()
    await world.advance(release)
    await world.verifier.abort(release, reason="superseded")
    assert world.runner.cancelled == ["r-a"]
