# SPDX-License-Identifier: Apache-2.0
"""A clock for many who wait at once."""

from __future__ import annotations

import asyncio

from okd_payload.testing.event_clock import EventClock


async def test_who_waits_together_waits_once():
    """Two who wait an hour each, at the same time, wait one hour."""
    async with EventClock() as clock:
        await asyncio.gather(clock.wait(3600), clock.wait(3600))
        assert clock.monotonic() == 3600


async def test_ends_come_in_the_order_of_time():
    """Whoever waits less is done first, whoever came first."""
    order: list[str] = []
    async with EventClock() as clock:

        async def wait(name: str, seconds: float) -> None:
            await clock.wait(seconds)
            order.append(f"{name} at {clock.monotonic():g}")

        await asyncio.gather(wait("late", 30), wait("early", 10), wait("middle", 20))
    assert order == ["early at 10", "middle at 20", "late at 30"]


async def test_nobody_waits_for_who_gave_up():
    """A wait that was cancelled moves no time."""
    async with EventClock() as clock:
        given_up = asyncio.create_task(clock.wait(5000))
        await asyncio.sleep(0)
        given_up.cancel()
        await clock.wait(1)
        assert clock.monotonic() == 1


async def test_time_stands_still_while_there_is_something_to_do():
    """Steps that need no time are all done before time moves on."""
    async with EventClock() as clock:
        wait = asyncio.create_task(clock.wait(10))
        for _ in range(5):
            await asyncio.sleep(0)
            assert clock.monotonic() == 0
        await wait
        assert clock.now() - 1_735_689_600 == 10
