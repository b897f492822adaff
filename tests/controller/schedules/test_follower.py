# SPDX-License-Identifier: Apache-2.0
"""What is due is done once, whoever dies on the way, and what was missed is made up for once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from killing import each_kill
from rig import STREAM, Rig
from schedules_rig import HOUR, Builds, follower, last, make, passes

from okd_payload.controller import actions
from okd_payload.controller.configuration.model import (
    Runner,
    Schedule,
    UpgradeOrigin,
    Verification,
)
from okd_payload.controller.model import RunState
from okd_payload.controller.records import events, runs, schedules
from okd_payload.controller.records.schedules import ScheduleState
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.cluster_runs import name_of_run

VERIFY = Schedule(
    name="s",
    kind="verify",
    interval=HOUR,
    verification=Verification(name="s", runner=Runner(kind="manual"), optional=True),
)


async def test_a_periodic_verification_runs_on_the_newest_accepted_release(rig: Rig) -> None:
    """At its time and not before; its outcome is on record and judges nothing."""
    rig.configure(schedules=(VERIFY,))
    await make(rig, "4.20.0-0.test-1")
    newest = await make(rig, "4.20.0-0.test-2", "two")
    follows = follower(rig.surroundings)
    due = await follows.advance(rig.streams[STREAM])
    assert due == rig.clock.now() + HOUR
    assert (await last(rig)).state is ScheduleState.IDLE
    rig.clock.advance(HOUR)
    await passes(rig, follows)
    run = await last(rig)
    assert (run.state, run.subject, run.message) == (ScheduleState.DONE, newest.name, "seen")
    found = await rig.database.read(lambda unit: runs.list_of(unit, [newest.name]))
    assert [each.state for each in found[newest.name]] == [RunState.SUCCEEDED]


async def test_missed_times_are_made_up_for_once(rig: Rig) -> None:
    """A week without us is one run, and then it goes on from now."""
    rig.configure(schedules=(VERIFY,))
    newest = await make(rig, "4.20.0-0.test-1")
    follows = follower(rig.surroundings)
    await passes(rig, follows)
    rig.clock.advance(7 * 24 * HOUR)
    await passes(rig, follows, 6)
    found = await rig.database.read(lambda unit: runs.list_of(unit, [newest.name]))
    assert len(found[newest.name]) == 1
    rig.clock.advance(HOUR)
    await passes(rig, follows, 6)
    found = await rig.database.read(lambda unit: runs.list_of(unit, [newest.name]))
    assert len(found[newest.name]) == 2


async def test_each_time_is_a_run_of_its_own_in_a_cluster_too(rig: Rig) -> None:
    """Of one release as well: none takes the object of the one before for its own."""
    rig.configure(schedules=(VERIFY,))
    newest = await make(rig, "4.20.0-0.test-1")
    follows = follower(rig.surroundings)
    for _ in range(3):
        await passes(rig, follows)
        rig.clock.advance(HOUR)
    await passes(rig, follows)
    names = [name_of_run(context) for context in follows.runner.started]
    first = f"{newest.name}-s"
    assert names == [first, f"{first}-1", f"{first}-2"]


async def test_a_paused_stream_starts_nothing_until_it_goes_on(rig: Rig) -> None:
    """And then what was missed is made up for."""
    rig.configure(schedules=(VERIFY,))
    await make(rig, "4.20.0-0.test-1")
    follows = follower(rig.surroundings)
    await passes(rig, follows)
    await actions.pause(rig.surroundings, STREAM, actor="ann", reason="a freeze")
    rig.clock.advance(2 * HOUR)
    await passes(rig, follows)
    assert (await last(rig)).state is ScheduleState.IDLE
    await actions.resume(rig.surroundings, STREAM, actor="ann", reason="")
    await passes(rig, follows)
    assert (await last(rig)).state is ScheduleState.DONE


async def test_without_a_release_or_an_origin_there_is_nothing_to_verify(rig: Rig) -> None:
    """That is told, and the next time is another try."""
    upgrade = Verification(
        name="s", runner=Runner(kind="manual"), upgrade=UpgradeOrigin(rule="Previous")
    )
    rig.configure(schedules=(msgspec.structs.replace(VERIFY, verification=upgrade),))
    follows = follower(rig.surroundings)
    await passes(rig, follows)
    rig.clock.advance(HOUR)
    await passes(rig, follows)
    assert (await last(rig)).message == "there is no accepted release"
    await make(rig, "4.20.0-0.test-1")
    rig.clock.advance(HOUR)
    await passes(rig, follows)
    assert (await last(rig)).message == "there is no release that an update could start from"


BUILD = Schedule(name="s", kind="build", interval=HOUR, stream_file="stream.yaml")


@pytest.mark.parametrize("succeeds", [True, False])
async def test_a_periodic_build_is_started_and_followed(rig: Rig, *, succeeds: bool) -> None:
    """By whoever builds; what comes of it is on record."""
    rig.configure(schedules=(BUILD,))
    builds = Builds(succeeds=succeeds)
    follows = follower(rig.surroundings, builds)
    await passes(rig, follows)
    rig.clock.advance(HOUR)
    await passes(rig, follows)
    run = await last(rig)
    assert run.state is (ScheduleState.DONE if succeeds else ScheduleState.FAILED)
    assert builds.started == [("stream.yaml", f"{STREAM}-{run.identity}")]
    assert run.message == f"{run.handle} built"


async def test_two_instances_begin_what_is_due_once(rig: Rig) -> None:
    """Also in the moment in which one takes over from the other."""
    rig.configure(schedules=(BUILD, msgspec.structs.replace(VERIFY, name="again")))
    newest = await make(rig, "4.20.0-0.test-1")
    builds = Builds()
    instances = [follower(rig.surroundings, builds) for _ in range(2)]
    await passes(rig, instances[0])
    rig.clock.advance(HOUR)
    for _ in range(4):
        await asyncio.gather(*(each.advance(rig.streams[STREAM]) for each in instances))
    assert len(builds.started) == 1
    found = await rig.database.read(lambda unit: runs.list_of(unit, [newest.name]))
    assert len(found[newest.name]) == 1


async def test_a_run_is_told_when_it_begins_and_when_it_ends(rig: Rig) -> None:
    """With how, and not each time that somebody looks at it."""
    rig.configure(schedules=(BUILD,))
    follows = follower(rig.surroundings, Builds(succeeds=False))
    await passes(rig, follows)
    rig.clock.advance(HOUR)
    await passes(rig, follows, 5)
    told = await rig.database.read(lambda unit: events.read_since(unit, 0))
    words = [each.message for each in told if each.kind == "schedule"]
    assert words == ["s: Running", f"s: Failed, {(await last(rig)).handle} built"]


async def test_a_schedule_fails_until_it_succeeds(rig: Rig) -> None:
    """While the next run goes on, too: an alert must not end for a while each night."""
    rig.configure(schedules=(BUILD,))
    await passes(rig, follower(rig.surroundings, Builds()))
    rig.clock.advance(HOUR)
    for succeeds, expected in ((False, ("Failed", True)), (True, ("Done", False))):
        follows = follower(rig.surroundings, Builds(succeeds=succeeds))
        before = (await last(rig)).failing
        await passes(rig, follows, 1)
        assert ((await last(rig)).state, (await last(rig)).failing) == (
            ScheduleState.RUNNING,
            before,
        )
        await passes(rig, follows, 1)
        assert ((await last(rig)).state.value, (await last(rig)).failing) == expected
        rig.clock.advance(HOUR)


async def test_what_is_known_of_a_schedule_goes_with_it(rig: Rig) -> None:
    """Pages and alerts do not tell for ever that it failed."""
    rig.configure(schedules=(BUILD,))
    await passes(rig, follower(rig.surroundings, Builds()))
    rig.configure(schedules=())
    await passes(rig, follower(rig.surroundings, Builds()))
    assert await rig.database.read(schedules.list_of) == []


async def test_a_controller_without_an_engine_says_so(rig: Rig) -> None:
    """And does not try for ever."""
    rig.configure(schedules=(BUILD,))
    follows = follower(rig.surroundings)
    await passes(rig, follows)
    rig.clock.advance(HOUR)
    await passes(rig, follows)
    run = await last(rig)
    assert (run.state, run.message) == (ScheduleState.FAILED, "this controller builds nothing")


@pytest.mark.slow
async def test_a_kill_at_any_step_queues_one_run(tmp_path: Path) -> None:
    """A verification that was due is queued once."""

    async def prepare(rig: Rig) -> None:
        rig.configure(schedules=(VERIFY,))
        await make(rig, "4.20.0-0.test-1")
        await follower(rig.surroundings).advance(rig.streams[STREAM])
        rig.clock.advance(HOUR)

    async def act(surroundings: Surroundings) -> None:
        follows = follower(surroundings)
        for _ in range(4):
            await follows.advance(surroundings.configurations()[STREAM])

    async for rig in each_kill(tmp_path, prepare, act):
        found = await rig.database.read(lambda unit: runs.list_of(unit, ["4.20.0-0.test-1"]))
        assert [each.state for each in found["4.20.0-0.test-1"]] == [RunState.SUCCEEDED]
        assert (await last(rig)).state is ScheduleState.DONE
