# SPDX-License-Identifier: Apache-2.0
"""A clock that is set, on or back by a day: releases keep their order, and nobody waits for it."""

from __future__ import annotations

import pytest
from rig import INPUT, STREAM, Rig

from okd_payload.controller.configuration.model import Input, Runner, Verification
from okd_payload.controller.model import CONTROLLER, Phase, Release
from okd_payload.controller.records import leases, releases
from okd_payload.controller.service import Service
from okd_payload.controller.service.clock_watch import ClockWatch
from okd_payload.controller.verification.runners.manual import ManualRunner
from okd_payload.controller.verification.verifier import RunnerVerifier
from okd_payload.testing.small_stream import push_small_stream

DAY = 24 * 3600.0


def service_of(rig: Rig) -> Service:
    """A controller that verifies by hand."""
    verifier = RunnerVerifier(
        rig.surroundings, {"manual": ManualRunner()}, write=rig.database.write
    )
    return Service(rig.surroundings, verifier=verifier, lease_seconds=15)


async def newest(rig: Rig) -> Release:
    """The newest release of the stream."""
    return (await rig.database.read(lambda unit: releases.list_of(unit, STREAM)))[0]


async def settle(service: Service) -> None:
    """Passes until nothing is due."""
    for _ in range(6):
        await service.leadership.renew()
        await service.sync(STREAM)


@pytest.mark.parametrize("jump", [DAY, -DAY, 400 * DAY])
async def test_releases_keep_their_order(rig: Rig, jump: float) -> None:
    """The one that was made later is the newest, whatever its clock said."""
    service = service_of(rig)
    names = []
    for change in ("one", "two", "three"):
        await push_small_stream(rig.repository(INPUT), change=change)
        await settle(service)
        made = await newest(rig)
        assert made.phase is Phase.ACCEPTED
        names.append(made.name)
        rig.clock.jump(jump)
    assert len(set(names)) == 3
    found = await rig.database.read(lambda unit: releases.list_of(unit, STREAM))
    assert [each.name for each in found] == names[::-1]


async def test_images_count_as_still_although_the_clock_went_back(rig: Rig) -> None:
    """They settle as long as always from then on, and not a day longer."""
    rig.configure(input=Input(repository=INPUT, settle=60.0))
    service = service_of(rig)
    await push_small_stream(rig.repository(INPUT))
    await settle(service)
    await push_small_stream(rig.repository(INPUT), change="two")
    await settle(service)
    before = await newest(rig)
    rig.clock.jump(-DAY)
    await settle(service)
    assert (await newest(rig)).name == before.name
    rig.clock.advance(61)
    await settle(service)
    assert (await newest(rig)).name != before.name


def test_that_it_was_set_is_told_for_a_while(rig: Rig) -> None:
    """Which way and how far; what only passes or is put right a little is no news."""
    watch = ClockWatch(rig.clock)
    rig.clock.advance(DAY)
    rig.clock.jump(2)
    watch.look()
    assert (watch.jumps, watch.words) == (0, "")
    rig.clock.jump(-DAY)
    watch.look()
    assert (watch.jumps, watch.words) == (1, "the clock was set back by 1d")
    rig.clock.jump(3600)
    watch.look()
    assert (watch.jumps, watch.words) == (2, "the clock was set on by 1h")
    rig.clock.advance(DAY)
    watch.look()
    assert (watch.jumps, watch.words) == (2, "")


@pytest.mark.parametrize("jump", [DAY, -DAY])
async def test_a_lease_of_another_time_is_over(rig: Rig, jump: float) -> None:
    """After a restart nobody waits for a lease that seems to last a day."""
    first, second = service_of(rig), service_of(rig)
    await first.leadership.renew()
    rig.clock.jump(jump)

    def take(unit: object) -> leases.Lease | None:
        return leases.take(
            unit,  # type: ignore[arg-type]
            "controller",
            holder="another",
            seconds=15,
            now=rig.clock.now(),
        )

    lease = await rig.database.write(take)
    assert lease is not None
    assert lease.term == 2
    with pytest.raises(leases.LeaseLost):
        await first.sync(STREAM)
    with pytest.raises(leases.LeaseLost):
        await second.sync(STREAM)


async def test_runs_end_by_their_own_time(rig: Rig) -> None:
    """A run that has waited for a day by the clock has had its time; the release says so."""
    verification = Verification(
        name="look", runner=Runner(kind="manual"), timeout=3600, error_retries=0
    )
    rig.configure(verifications=(verification,))
    service = service_of(rig)
    await push_small_stream(rig.repository(INPUT))
    await settle(service)
    assert (await newest(rig)).phase is Phase.READY
    rig.clock.jump(-DAY)
    await settle(service)
    assert (await newest(rig)).phase is Phase.READY
    rig.clock.jump(2 * DAY)
    await settle(service)
    ended = await newest(rig)
    assert ended.phase is Phase.REJECTED
    steps = await rig.database.read(lambda unit: releases.read_transitions(unit, ended.name))
    assert {step.actor for step in steps} == {CONTROLLER}
