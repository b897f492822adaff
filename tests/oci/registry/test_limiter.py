# SPDX-License-Identifier: Apache-2.0
"""How many requests a host is sent at a time."""

from __future__ import annotations

import asyncio

import pytest

from okd_payload.oci.registry.limiter import Limiter


async def _round(limiter, *, cut=False, latency=None):
    """As many requests as may be under way at once."""
    begun = asyncio.Event()

    async def one():
        async with limiter.slot() as slot:
            await begun.wait()
            if cut:
                limiter.cut(slot)
            else:
                limiter.succeeded(slot, latency)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(limiter.limit):
            tasks.create_task(one())
        await asyncio.sleep(0)
        begun.set()


async def test_never_more_than_the_limit(clock):
    """However many ask at once, no more than the limit are under way."""
    limiter = Limiter(most=3, clock=clock)
    running = most = 0

    async def one():
        nonlocal running, most
        async with limiter.slot() as slot:
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1
            limiter.succeeded(slot)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(50):
            tasks.create_task(one())
    assert most == 3


async def test_success_raises_the_limit_up_to_the_most(clock):
    """A host that bears what it gets is given more, never more than allowed."""
    limiter = Limiter(most=40, clock=clock)
    begin = limiter.limit
    await _round(limiter)
    assert begin < limiter.limit <= 2 * begin
    for _ in range(10):
        await _round(limiter)
    assert limiter.limit == 40


async def test_idle_capacity_is_no_reason_to_grow(clock):
    """One request after the other says nothing about many at once."""
    limiter = Limiter(most=40, clock=clock)
    begin = limiter.limit
    for _ in range(20):
        async with limiter.slot() as slot:
            limiter.succeeded(slot)
    assert limiter.limit == begin


async def test_a_round_of_refusals_halves_once(clock):
    """What was under way together counts as one push-back."""
    limiter = Limiter(most=40, clock=clock)
    for _ in range(10):
        await _round(limiter)
    await _round(limiter, cut=True)
    assert limiter.limit == 20
    for _ in range(2):
        await _round(limiter)
    assert limiter.limit == 21


async def test_one_request_always_may(clock):
    """However often the host pushes back, the limit stays at one at least."""
    limiter = Limiter(most=40, clock=clock)
    for _ in range(20):
        await _round(limiter, cut=True)
    assert limiter.limit == 1
    await _round(limiter)


async def test_a_host_that_becomes_slow_gets_less(clock):
    """Answers that take much longer than they did are a push-back."""
    limiter = Limiter(most=8, clock=clock)
    for _ in range(5):
        await _round(limiter, latency=0.05)
    before = limiter.limit
    for _ in range(3):
        await _round(limiter, latency=30.0)
    assert limiter.limit < before


async def test_a_pause_holds_for_all(clock):
    """While the host wants to be left alone, no request begins."""
    limiter = Limiter(most=8, clock=clock)
    limiter.pause(30)
    async with limiter.slot():
        assert clock.waits == [30]
    async with limiter.slot():
        assert clock.waits == [30]


@pytest.mark.parametrize("granted", [False, True])
async def test_a_cancelled_wait_loses_no_slot(clock, granted):
    """A task that is cancelled while it waits, or just as its turn comes, blocks nobody."""
    limiter = Limiter(most=1, clock=clock)

    async def hold():
        async with limiter.slot():
            pytest.fail("it was cancelled before")

    async with limiter.slot():
        waiting = asyncio.create_task(hold())
        await asyncio.sleep(0)
        if not granted:
            waiting.cancel()
            await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(60), limiter.slot():
        pass
