# SPDX-License-Identifier: Apache-2.0
"""Everybody hears of everything that happens after what they know, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from asking import add_release
from rig import STREAM
from sqlalchemy import Connection

from okd_payload.controller.model import Event, Phase
from okd_payload.controller.records import Database, events
from okd_payload.web.events.hub import HEARTBEAT, EventHub
from okd_payload.web.events.routes import _write, write_event


async def take(listener: Any, number: int) -> list[Event]:
    """The next ``number`` events of a listener."""
    found: list[Event] = []
    async with asyncio.timeout(60):
        while len(found) < number:
            found += await anext(listener)
    return found


async def listening(hub: EventHub, number: int) -> None:
    """Return when so many listen."""
    async with asyncio.timeout(60):
        while hub.listeners < number:  # noqa: ASYNC110 - nobody is told of who comes
            await asyncio.sleep(0.01)


@pytest.fixture
def hub(site) -> EventHub:
    """A hub that reads often."""
    return EventHub(site, seconds=0.01)


async def test_what_was_missed_comes_first_and_then_what_happens(rig, hub):
    """From the number that is known, in order, without a gap."""
    await add_release(rig, 0, phase=Phase.ACCEPTED)
    listener = hub.follow(1)
    assert [event.sequence for event in await take(listener, 2)] == [2, 3]
    await add_release(rig, 1)
    assert [event.sequence for event in await take(listener, 2)] == [4, 5]
    await listener.aclose()


async def test_who_knows_what_never_was_hears_from_now_on(rig, hub):
    """A backup was put back: nobody waits until as many things happened again."""
    await add_release(rig, 0)
    listener = hub.follow(4711)
    waiting = asyncio.create_task(take(listener, 1))
    await listening(hub, 1)
    await add_release(rig, 1)
    assert (await waiting)[0].release == f"{STREAM}-0001"
    await listener.aclose()


async def test_who_knows_nothing_hears_from_now_on(rig, hub):
    """What was before is not told to who does not ask for it."""
    await add_release(rig, 0)
    listener = hub.follow(None)
    waiting = asyncio.create_task(take(listener, 1))
    await listening(hub, 1)
    await add_release(rig, 1)
    assert (await waiting)[0].release == f"{STREAM}-0001"
    await listener.aclose()


class CountedDatabase:
    """The records, and how often they were asked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.asked = 0

    async def read(self, unit: Callable[[Connection], Any]) -> Any:
        """What ``unit`` finds."""
        self.asked += 1
        return await self._database.read(unit)


async def test_many_listen_and_one_reads(rig, site):
    """A hundred listeners cost the questions of one, and the reader ends with the last."""
    database = CountedDatabase(rig.database)
    surroundings = msgspec.structs.replace(rig.surroundings, database=database)
    hub = EventHub(msgspec.structs.replace(site, surroundings=surroundings), seconds=0.01)
    listeners = [hub.follow(0) for _ in range(100)]
    waiting = [asyncio.create_task(take(each, 2)) for each in listeners]
    await listening(hub, 100)
    at_the_start = database.asked
    await add_release(rig, 0)
    for told in await asyncio.gather(*waiting):
        assert [event.sequence for event in told] == [1, 2]
    assert at_the_start < 400
    assert database.asked - at_the_start < 150
    for each in listeners:
        await each.aclose()
    assert hub.listeners == 0
    assert hub._reader is None


async def test_a_heartbeat_comes_when_nothing_happens(hub):
    """So that proxies and browsers know that somebody is there."""
    listener = hub.follow(None, heartbeat=0.01)
    assert list(await anext(listener)) == []
    await listener.aclose()


async def test_who_wants_nothing_of_all_that_happens_hears_a_word_in_time(rig, hub):
    """Else proxies would cut whoever listens to a quiet stream of a busy site."""
    stream = _write(hub, 0, clock=rig.clock, stream="quiet", release="")
    assert await anext(stream) == b"retry: 3000\n\n"
    waiting = asyncio.create_task(anext(stream))
    await listening(hub, 1)
    await add_release(rig, 0)
    rig.clock.advance(HEARTBEAT)
    await add_release(rig, 1)
    async with asyncio.timeout(60):
        assert await waiting == b": still here\n\n"
    await stream.aclose()


async def test_what_is_written_can_be_read_by_browsers(rig, hub):
    """One event is its lines and an empty one, whatever stands in it; others' are left out."""
    nasty = Event(
        time=1.0,
        kind="release.phase",
        stream=STREAM,
        release="x",
        message="a\n\ndata: b\r\nid: 7</script>",
    )
    other = Event(time=1.0, kind="release.phase", stream="other", release="y")

    def unit(connection):
        events.add(connection, other)
        events.add(connection, nasty)

    await rig.database.write(unit)
    stream = _write(hub, 0, clock=rig.clock, stream=STREAM, release="")
    assert await anext(stream) == b"retry: 3000\n\n"
    told = await anext(stream)
    assert told.endswith(b"\n\n")
    lines = told[:-2].split(b"\n")
    assert [line.partition(b": ")[0] for line in lines] == [b"id", b"event", b"data"]
    content = msgspec.json.decode(lines[2].removeprefix(b"data: "))
    assert (content["number"], content["message"]) == (2, nasty.message)
    await stream.aclose()


def test_a_kind_cannot_end_its_line():
    """Even one that nobody of us writes."""
    assert write_event(Event(time=1.0, kind="a\nid: 9")).splitlines()[1] == b"event: aid: 9"
