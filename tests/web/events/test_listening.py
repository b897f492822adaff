# SPDX-License-Identifier: Apache-2.0
"""Listeners over real connections and several instances: none misses or leaves anything."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from asking import add_release
from rig import STREAM, Rig

from okd_payload.cli.serving.http import answer, listen
from okd_payload.controller.model import Event
from okd_payload.controller.records import Database, events, open_database
from okd_payload.testing.clock import StandingClock
from okd_payload.web.application import make_application
from okd_payload.web.events.hub import EventHub
from okd_payload.web.site import Site

REQUEST = b"GET /api/v2/events?after=0 HTTP/1.1\r\nHost: releases.test\r\n\r\n"


@contextlib.asynccontextmanager
async def serve(site: Site) -> AsyncIterator[tuple[str, int]]:
    """Where the events of ``site`` are answered, until the end of the block."""
    stop = asyncio.Event()

    async def rest() -> None:
        await stop.wait()

    with listen("127.0.0.1", 0) as opened:
        serving = asyncio.create_task(
            answer(make_application(site, parts=("events",)), opened, beside=rest())
        )
        yield opened.getsockname()[:2]
        stop.set()
        await serving


def readers() -> int:
    """How many read the log of events for listeners now."""
    return sum("EventHub._read" in repr(task.get_coro()) for task in asyncio.all_tasks())


async def test_who_goes_away_leaves_nothing_behind(rig, site):
    """A browser that is closed says no word: the reader ends with the last listener."""
    await add_release(rig, 0)
    async with serve(site) as place, asyncio.timeout(60):
        lines = []
        for _ in range(3):
            reader, writer = await asyncio.open_connection(*place)
            writer.write(REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"x-accel-buffering: no" in head.lower(), "proxies would hold events back"
            await reader.readuntil(b"event: release.created")
            lines.append(writer)
        assert readers() == 1
        for writer in lines:
            writer.close()
        while readers():  # noqa: ASYNC110 - nobody is told of who goes
            await asyncio.sleep(0.01)


async def test_who_reads_late_misses_nothing(rig, site):
    """More than the shared buffer holds happened meanwhile; it is handed over in pieces."""
    hub = EventHub(site, seconds=0.01)
    slow, quick = hub.follow(0), hub.follow(None)
    await add_release(rig, 0)
    first = [event.sequence for event in await anext(slow)]
    waiting = asyncio.create_task(anext(quick))
    async with asyncio.timeout(60):
        while hub.listeners < 2:  # noqa: ASYNC110 - nobody is told of who comes
            await asyncio.sleep(0.01)

    def unit(connection):
        for number in range(1200):
            events.add(connection, Event(time=1.0, kind="test", message=str(number)))

    await rig.database.write(unit)
    last = await rig.database.read(events.last_number)
    async with asyncio.timeout(60):
        await waiting
        while first[-1] < last:
            batch = await anext(slow)
            assert len(batch) <= 100
            first += [event.sequence for event in batch]
    assert first == list(range(1, last + 1))
    await slow.aclose()
    await quick.aclose()


@pytest.mark.integration
async def test_events_of_several_instances_come_in_one_order(postgresql, tmp_path):
    """Whichever wrote them: numbers only grow, none is passed over, and none comes twice."""
    writers: list[Database] = [open_database(postgresql) for _ in range(3)]
    rigs = [Rig(tmp_path, each, clock=StandingClock()) for each in writers]
    hub = EventHub(Site(surroundings=rigs[0].surroundings), seconds=0.01)
    before = await writers[0].read(events.last_number)
    listener = hub.follow(before)

    async def write(database: Database, name: str) -> None:
        for number in range(40):
            event = Event(time=1.0, kind="test", stream=STREAM, message=f"{name} {number}")
            await database.write(lambda unit, it=event: events.add(unit, it))

    async def take() -> list[Event]:
        found: list[Event] = []
        while len(found) < 120:
            found += await anext(listener)
        return found

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        taking = group.create_task(take())
        for number, database in enumerate(writers):
            group.create_task(write(database, str(number)))
    found = taking.result()
    numbers = [event.sequence for event in found]
    assert numbers == sorted(set(numbers))
    for name in "012":
        told = [event.message for event in found if event.message.startswith(name)]
        assert told == [f"{name} {number}" for number in range(40)]
    await listener.aclose()
    for each in writers:
        await each.close()
