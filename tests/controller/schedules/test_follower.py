# SPDX-License-Identifier: Apache-2.0
"""What is due is done once, whoever dies on the way, and what was missed is made up for once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from killing import each_kill
from rig import CONTENT, INPUT, RELEASES, STREAM, Rig
from sqlalchemy import Connection

from okd_payload.controller import actions
from okd_payload.controller.configuration.model import (
    Input,
    Runner,
    Schedule,
    StreamConfiguration,
    StreamKind,
    UpgradeOrigin,
    Verification,
)
from okd_payload.controller.creation.making import make_payload
from okd_payload.controller.inputs.reading import read_input
from okd_payload.controller.model import Phase, Release, RunState
from okd_payload.controller.records import events, payloads, releases, runs, schedules
from okd_payload.controller.records.schedules import ScheduleRun, ScheduleState
from okd_payload.controller.schedules.builder import BuildProgress
from okd_payload.controller.schedules.follower import ScheduleFollower
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.afterwards import LateRuns
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.controller.verification.verifier import RunnerVerifier
from okd_payload.errors import RegistryUnavailable
from okd_payload.release.load import load_release
from okd_payload.testing.small_stream import push_small_stream

HOUR = 3600.0
STABLE, STABLE_RELEASES = "4-scos-stable", "quay.test/okd/stable"


class PassingRunner:
    """Ends each run well when it is looked at."""

    async def start(self, context: RunContext) -> RunUpdate:
        """Begun."""
        del context
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

        verifier = RunnerVerifier(surroundings, {"manual": PassingRunner()}, write=write)
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


PROMOTE = Schedule(name="s", kind="promote", interval=HOUR, promote_to=STABLE)


async def prepare_promotion(rig: Rig) -> None:
    """A stream with a release, and a stable stream with one before it."""
    rig.configure(schedules=(PROMOTE,))
    rig.configure(
        STABLE,
        kind=StreamKind.STABLE,
        input=Input(),
        releases=STABLE_RELEASES,
        releases_name=STABLE_RELEASES,
    )
    before = await make(rig, "4.20.0-0.test-1")
    stable = Release(
        name="4.20.0-okd-scos.4",
        stream=STABLE,
        phase=Phase.ACCEPTED,
        created=1,
        changed=1,
        input_hash="s",
        digest=before.digest,
        adopted=True,
    )
    await rig.database.write(lambda unit: releases.create(unit, stable, ()))
    await make(rig, "4.20.0-0.test-2", "two")
    await follower(rig.surroundings).advance(rig.streams[STREAM])
    rig.clock.advance(HOUR)


async def test_the_best_candidate_is_put_into_the_stable_stream(rig: Rig) -> None:
    """Under the next name, with the same images, saying where it comes from."""
    await prepare_promotion(rig)
    follows = follower(rig.surroundings)
    await passes(rig, follows)
    run = await last(rig)
    assert (run.state, run.subject, run.handle) == (
        ScheduleState.DONE,
        "4.20.0-0.test-2",
        "4.20.0-okd-scos.5",
    )
    assert run.message.startswith("4.20.0-0.test-2 is 4.20.0-okd-scos.5 in 4-scos-stable: ")
    assert "4.20.0-0.test-1: older" in run.message
    promoted = await load_release(rig.repository(STABLE_RELEASES), "4.20.0-okd-scos.5")
    origin = await load_release(rig.repository(RELEASES), "4.20.0-0.test-2")
    assert [tag.origin for tag in promoted.tags] == [tag.origin for tag in origin.tags]
    assert all(str(tag.origin.name).startswith(CONTENT) for tag in promoted.tags if tag.origin)
    assert promoted.metadata is not None
    assert promoted.metadata.previous == ("4.20.0-okd-scos.4",)
    assert promoted.references.metadata.annotations is not None
    made_from = promoted.references.metadata.annotations["release.openshift.io/from-release"]
    assert made_from == f"{RELEASES}@{origin.digest}"


async def test_a_sprint_without_anything_new_is_no_failure(rig: Rig) -> None:
    """It is told; a release that something speaks against is one, because somebody must look."""
    rig.configure(schedules=(PROMOTE,))
    rig.configure(STABLE, kind=StreamKind.STABLE, input=Input(), releases=STABLE_RELEASES)
    follows = follower(rig.surroundings)
    await passes(rig, follows)
    rig.clock.advance(HOUR)
    await passes(rig, follows)
    run = await last(rig)
    assert run.state is ScheduleState.DONE
    assert run.message == "there is no accepted release that was not promoted before"
    informing = Verification(name="azure", runner=Runner(kind="manual"), optional=True)
    rig.configure(schedules=(PROMOTE,), verifications=(informing,))
    await make(rig, "4.20.0-0.test-1")
    rig.clock.advance(HOUR)
    await follows.advance(rig.streams[STREAM])
    run = await last(rig)
    assert run.state is ScheduleState.FAILED
    assert "azure has not ended" in run.message


async def test_a_version_that_somebody_else_pushed_is_not_written_over(rig: Rig) -> None:
    """The promotion fails and says so; the next one takes the next name."""
    await prepare_promotion(rig)
    follows = follower(rig.surroundings)
    rig.errors[STABLE_RELEASES] = RegistryUnavailable("down")
    await passes(rig, follows, 2)
    assert ((await last(rig)).state, (await last(rig)).message) == (ScheduleState.RUNNING, "down")
    rig.errors.clear()
    theirs = await rig.repository(RELEASES).manifests.get("4.20.0-0.test-1")
    stable = rig.repository(STABLE_RELEASES)
    for digest in (layer.digest for layer in theirs.needs()):
        stable.blobs.contents[digest] = rig.repository(RELEASES).blobs.contents[digest]
    await stable.manifests.put(theirs, tag="4.20.0-okd-scos.5")
    await passes(rig, follows, 2)
    run = await last(rig)
    assert run.state is ScheduleState.FAILED
    assert "has 4.20.0-okd-scos.5 already" in run.message
    assert (await stable.manifests.get("4.20.0-okd-scos.5")).digest == theirs.digest


@pytest.mark.slow
async def test_a_kill_at_any_step_promotes_once(tmp_path: Path) -> None:
    """One version, one payload, whenever the process died."""
    ends = set()

    async def act(surroundings: Surroundings) -> None:
        follows = follower(surroundings)
        for _ in range(2):
            await follows.advance(surroundings.configurations()[STREAM])

    async for rig in each_kill(tmp_path, prepare_promotion, act):
        run = await last(rig)
        repository = rig.repository(STABLE_RELEASES)
        tags = await repository.manifests.tags()
        ends.add(
            (run.state, run.handle, tuple(tags), (await repository.manifests.get(tags[0])).digest)
        )
    assert len(ends) == 1
    ((state, version, tags, _),) = ends
    assert (state, version, tags) == (ScheduleState.DONE, "4.20.0-okd-scos.5", (version,))


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
