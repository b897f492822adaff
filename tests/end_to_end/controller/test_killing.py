# SPDX-License-Identifier: Apache-2.0
"""Servers killed at random moments while changes come in: nothing is lost, nothing made twice."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

import pytest
from invariants import Records, check, read_records
from serving import Server, Streams, wait_for

from okd_payload.controller.model import Phase
from okd_payload.controller.records import Database, open_database
from okd_payload.testing.postgresql import PostgresqlServer

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Serve = Callable[..., Server]

NAMES = ("4.19.0-0.okd", "4.20.0-0.okd", "4.21.0-0.okd")
LEASE = "1"
"""Seconds: the shorter, the more often somebody else goes on in the middle of something."""
CALM = 120.0


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.endurance)])
async def test_one_server_may_be_killed_at_any_moment(
    serve: Serve, streams: Streams, kills: int
) -> None:
    """On SQLite: whoever is started next goes on with what it finds."""
    chance = random.Random(kills)
    for name in NAMES:
        streams.add(name)
        await streams.push(name, "zero")
    for number in range(kills):
        server = serve("--lease", LEASE)
        await push_something(streams, chance, number)
        await asyncio.sleep(chance.uniform(0.5, 2.5))
        server.kill()
    server = serve("--lease", LEASE).wait_until_it_answers()
    database = open_database(f"sqlite:///{server.program.state}/controller/records.db")
    await check_end(database, streams, least=kills // 3)
    assert server.stop() == 0
    assert server.program.processes() == []


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.endurance)])
async def test_either_of_two_servers_may_be_killed_at_any_moment(
    serve: Serve, streams: Streams, postgresql: PostgresqlServer, kills: int
) -> None:
    """On PostgreSQL: the other one goes on, and the killed one comes back."""
    chance = random.Random(kills + 1)
    for name in NAMES:
        streams.add(name)
        await streams.push(name, "zero")
    place = {"OKD_PAYLOAD_DATABASE": postgresql.url}
    servers = [serve("--lease", LEASE, home=home, **place) for home in ("one", "two")]
    for number in range(kills):
        await push_something(streams, chance, number)
        await asyncio.sleep(chance.uniform(0.3, 2.0))
        acting = [each for each in servers if each.acts]
        victim = chance.choice(acting or servers) if number % 4 else chance.choice(servers)
        victim.kill()
        servers.remove(victim)
        servers.append(serve("--lease", LEASE, home=victim.program.home.name, **place))
    database = open_database(postgresql.url)
    await check_end(database, streams, least=kills // 3)
    assert [server.stop() for server in servers] == [0, 0]


async def push_something(streams: Streams, chance: random.Random, number: int) -> None:
    """Change the images of one stream, or of two: to something new, or back to the old."""
    for name in chance.sample(NAMES, chance.randint(1, 2)):
        change = f"change {number}" if chance.random() < 0.8 else f"change {number // 2}"
        await streams.push(name, change)


async def check_end(database: Database, streams: Streams, *, least: int) -> None:
    """Wait until all is decided, and look at everything."""
    for name in NAMES:
        await streams.push(name, "the last change")
    records = await settled(database)
    await check(records, streams)
    for name in NAMES:
        newest = records.of(name)[0]
        assert newest.phase is Phase.ACCEPTED, newest
        inputs = {image.tag: image.digest for image in records.inputs[newest.name]}
        images = streams.layout(name, "images")
        assert inputs["etcd"] == (await images.manifests.get("etcd")).digest
    assert len(records.releases) >= least
    await database.close()


async def settled(database: Database) -> Records:
    """The records once the last change of every stream is decided."""
    deadline = time.monotonic() + CALM
    still = ""
    while time.monotonic() < deadline:
        records = await read_records(database)
        now = repr([(each.name, each.phase) for each in records.releases])
        if records.settled and now == still:
            return records
        still = now
        await asyncio.sleep(3.0)  # longer than it takes a server to begin what it has seen
    raise AssertionError(f"not decided within {CALM:g} s: {still}")


def test_another_server_goes_on_within_twenty_seconds(
    serve: Serve, streams: Streams, postgresql: PostgresqlServer
) -> None:
    """Exactly one of two acts; when it is killed the other one does, with the ordinary lease."""
    streams.add(NAMES[0])
    place = {"OKD_PAYLOAD_DATABASE": postgresql.url}
    servers = [serve(home=home, **place).wait_until_it_answers() for home in ("one", "two")]
    first = wait_for(lambda: next((each for each in servers if each.acts), None), what="acting")
    (second,) = (each for each in servers if each is not first)
    time.sleep(1.0)  # it would have to try at least once
    assert not second.acts
    assert second.get("/readyz").status == 200
    killed = time.monotonic()
    first.kill()
    wait_for(lambda: second.acts, what="the second goes on")
    assert time.monotonic() - killed < 20
    assert second.stop() == 0


def test_a_server_that_is_told_to_end_hands_over_at_once(
    serve: Serve, streams: Streams, postgresql: PostgresqlServer
) -> None:
    """It gives its lease up; nobody waits until that ends by itself."""
    streams.add(NAMES[0])
    place = {"OKD_PAYLOAD_DATABASE": postgresql.url}
    servers = [serve(home=home, **place).wait_until_it_answers() for home in ("one", "two")]
    first = wait_for(lambda: next((each for each in servers if each.acts), None), what="acting")
    (second,) = (each for each in servers if each is not first)
    asked = time.monotonic()
    assert first.stop() == 0
    wait_for(lambda: second.acts, what="the second goes on")
    assert time.monotonic() - asked < 8
