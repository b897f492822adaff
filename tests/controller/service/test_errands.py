# SPDX-License-Identifier: Apache-2.0
"""Long work holds no pass up: verdicts are given beside it, and its end is taken note of later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest
from rig import INPUT, STREAM, Rig

from okd_payload.controller.configuration.model import (
    Input,
    Runner,
    StreamConfiguration,
    Verification,
)
from okd_payload.controller.creation.makers import ProcessMaker
from okd_payload.controller.creation.making import MadePayload
from okd_payload.controller.model import FrozenInput, Phase, Release, RunState, VerificationRun
from okd_payload.controller.reconciling.actions import Begin
from okd_payload.controller.records import releases, runs, streams
from okd_payload.controller.service import Service
from okd_payload.controller.service.errands import Errands
from okd_payload.errors import RegistryUnavailable, StorageError
from okd_payload.oci.location import Location
from okd_payload.oci.repository import Repository
from okd_payload.testing.small_stream import push_small_stream

IMPATIENT = 0.0
DEADLINE = 60.0


class Gate:
    """Something that work waits for until a test lets it go on."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.waiting = 0

    async def pass_through(self) -> None:
        """Wait until it is open."""
        self.waiting += 1
        try:
            await self.open.wait()
        finally:
            self.waiting -= 1


class GatedMaker(ProcessMaker):
    """Makes payloads when the gate is open."""

    def __init__(self, rig: Rig, gate: Gate) -> None:
        super().__init__(rig.surroundings)
        self._gate = gate

    async def make(
        self, configuration: StreamConfiguration, release: Release, inputs: Sequence[FrozenInput]
    ) -> MadePayload:
        """The payload, later."""
        await self._gate.pass_through()
        return await super().make(configuration, release, inputs)


class SucceedingVerifier:
    """Every verification succeeds when it is told to."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.state = RunState.RUNNING

    async def advance(self, configuration: StreamConfiguration, release: Release) -> None:
        """Write one run of each."""
        for each in configuration.verifications:
            run = VerificationRun(
                id=f"{release.name}-{each.name}",
                release=release.name,
                verification=each.name,
                state=self.state,
                runner="scripted",
                queued=self._rig.clock.now(),
            )
            await self._rig.database.write(
                lambda unit, run=run: runs.write(unit, run, time=run.queued)
            )

    async def abort(self, release: Release, *, reason: str) -> None:
        """Nothing runs."""


class GatedFollower:
    """Publishes, say, for as long as the gate is closed."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.done = 0

    async def advance(self, configuration: StreamConfiguration) -> float | None:
        """Work."""
        await self._gate.pass_through()
        self.done += 1
        return None


class Slow:
    """A controller whose making and publishing a test holds up."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.making, self.following = Gate(), Gate()
        self.verifier = SucceedingVerifier(rig)
        self.follower = GatedFollower(self.following)
        self.service = Service(
            rig.surroundings,
            verifier=self.verifier,
            followers=(self.follower,),
            maker=GatedMaker(rig, self.making),
            patience=IMPATIENT,
            lease_seconds=1e6,
        )

    async def until(self, *phases: Phase) -> list[Release]:
        """Passes until the releases, the newest first, are in ``phases``."""
        async with asyncio.timeout(DEADLINE):
            while True:
                await self.service.sync(STREAM)
                found = await self.rig.database.read(lambda unit: releases.list_of(unit, STREAM))
                if [each.phase for each in found] == list(phases):
                    return found
                self.rig.clock.advance(5)
                await asyncio.sleep(0.001)


@pytest.fixture
async def slow(rig: Rig) -> AsyncIterator[Slow]:
    """The controller, acting, over a stream with one verification."""
    rig.configure(verifications=(Verification(name="e2e", runner=Runner(kind="manual")),))
    made = Slow(rig)
    await made.service.leadership.renew()
    yield made
    await made.service.passes.close()


async def test_a_verdict_does_not_wait_for_the_payload_of_the_next_release(slow: Slow) -> None:
    """It is accepted while the other is still being made; then that goes on, too."""
    await push_small_stream(slow.rig.repository(INPUT))
    await slow.until(Phase.READY)
    slow.making.open.clear()
    await push_small_stream(slow.rig.repository(INPUT), change="two")
    await slow.until(Phase.PENDING, Phase.READY)
    slow.verifier.state = RunState.SUCCEEDED
    await slow.until(Phase.PENDING, Phase.ACCEPTED)
    assert slow.making.waiting == 1
    slow.making.open.set()
    await slow.until(Phase.ACCEPTED, Phase.ACCEPTED)


async def test_a_verdict_does_not_wait_for_publishing(slow: Slow) -> None:
    """Followers work one after the other, and never twice at once for one stream."""
    slow.following.open.clear()
    await push_small_stream(slow.rig.repository(INPUT))
    slow.verifier.state = RunState.SUCCEEDED
    await slow.until(Phase.ACCEPTED)
    assert (slow.following.waiting, slow.follower.done) == (1, 0)
    slow.following.open.set()
    async with asyncio.timeout(DEADLINE):
        while slow.follower.done < 2:
            await slow.service.sync(STREAM)
            await asyncio.sleep(0.001)


async def test_whoever_acts_no_more_leaves_nothing_under_way(slow: Slow) -> None:
    """The next one makes the payload from its beginning."""
    slow.making.open.clear()
    await push_small_stream(slow.rig.repository(INPUT))
    await slow.until(Phase.PENDING)
    await slow.service.sync(STREAM)
    await asyncio.sleep(0)
    assert slow.making.waiting == 1
    await slow.service.passes.close()
    assert slow.making.waiting == 0
    slow.making.open.set()
    await slow.until(Phase.READY)


async def test_nothing_is_made_of_images_that_are_half_copied(slow: Slow) -> None:
    """While they are, and after copying failed, the page says so and no release is begun."""
    rig, other = slow.rig, "quay.test/ocp/4.20"
    await push_small_stream(rig.repository(other))
    rig.configure(input=Input(repository=INPUT, mirror_from=other), verifications=())
    gate = Gate()
    gate.open.clear()
    opened = rig.open

    async def open_later(location: Location) -> Repository:
        if location.repository == other:
            await gate.pass_through()
        return await opened(location)

    surroundings = msgspec.structs.replace(rig.surroundings, open_location=open_later)
    service = Service(surroundings, verifier=slow.verifier, patience=IMPATIENT, lease_seconds=1e6)
    await slow.service.leadership.give_up()
    await service.leadership.renew()
    await push_small_stream(rig.repository(INPUT), change="half")
    decision = await service.sync(STREAM)
    assert decision.actions == ()
    assert decision.waiting == f"the images of {other} are being copied"
    rig.errors[other] = RegistryUnavailable("down")
    gate.open.set()
    async with asyncio.timeout(DEADLINE):
        while not (state := await rig.database.read(lambda unit: streams.find(unit, STREAM))).error:
            assert (await service.sync(STREAM)).actions == ()
    assert state.error == f"mirroring {other}: down"
    del rig.errors[other]
    async with asyncio.timeout(DEADLINE):
        while not (decision := await service.sync(STREAM)).actions:
            pass
    assert [type(action) for action in decision.actions] == [Begin]
    await service.passes.close()


async def test_errors_of_what_was_left_alone_come_with_the_next_question() -> None:
    """And it is begun anew when it is asked for after that."""
    errands, gate = Errands(IMPATIENT), Gate()
    gate.open.clear()

    async def work() -> str:
        await gate.pass_through()
        if gate.open.is_set() and not tries:
            tries.append(1)
            raise StorageError("the disk is full")
        return "done"

    tries: list[int] = []
    key = ("make", "a")
    assert await errands.go_on(key, work) is None
    gate.open.set()
    with pytest.raises(StorageError):
        await ended(errands, work)
    assert await ended(errands, work) == "done"


async def ended(errands: Errands, work: object) -> str:
    """What came of it, in the end."""
    async with asyncio.timeout(DEADLINE):
        while True:
            found = await errands.go_on(("make", "a"), work)  # type: ignore[arg-type]
            if found is not None:
                return str(found)
            await asyncio.sleep(0)
