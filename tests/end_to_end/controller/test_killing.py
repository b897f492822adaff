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
CHECKED = """\
verify:
  lint: {settings: {check: lint}}
  images: {settings: {check: images}, optional: true, after: [lint]}
  program: {runner: command, command: [sh, -c, "sleep 0.5; echo looked at it"]}
publish:
  newest: {tag: latest}
"""
LEASE = "1"
"""Seconds: the shorter, the more often somebody else goes on in the middle of something."""
CALM = 180.0


@pytest.mark.parametrize("kills", [8, pytest.param(200, marks=pytest.mark.endurance)])
async def test_one_server_may_be_killed_at_any_moment(
    serve: Serve, streams: Streams, kills: int
) -> None:
    """On SQLite: whoever is started next goes on with what it finds."""
    chance = random.Random(kills)
    for name in NAMES:
        streams.add(name, more=CHECKED)
        await streams.push(name, "zero")
    for number in range(kills):
        server = serve("--lease", LEASE)
        await push_something(streams, chance, number)
        if number % 4:  # the others are killed while they start
            server.wait_until_it_answers()
        await asyncio.sleep(chance.uniform(0.1, 2.5))
        server.kill()
    server = serve("--lease", LEASE).wait_until_it_answers()
    database = open_database(f"sqlite:///{server.program.state}/controller/records.db")
    await check_end(database, streams, least=kills // 4)
    assert server.stop() == 0
    assert server.program.processes() == []


@pytest.mark.parametrize("kills", [8, pytest.param(200, marks=pytest.mark.endurance)])
async def test_either_of_two_servers_may_be_killed_at_any_moment(
    serve: Serve, streams: Streams, postgresql: PostgresqlServer, kills: int
) -> None:
    """On PostgreSQL: the other one goes on, and the killed one comes back."""
    chance = random.Random(kills + 1)
    for name in NAMES:
        streams.add(name, more=CHECKED)
        await streams.push(name, "zero")
    place = {"OKD_PAYLOAD_DATABASE": postgresql.url}
    servers = [serve("--lease", LEASE, home=home, **place) for home in ("one", "two")]
    for number in range(kills):
        await push_something(streams, chance, number)
        if number % 4 == 0:  # a machine that does much else gets somewhere, too
            wait_for(lambda: any(each.acts for each in servers), what="acting")
        await asyncio.sleep(chance.uniform(0.3, 2.0))
        acting = [each for each in servers if each.acts]
        victim = chance.choice(acting or servers) if number % 4 else chance.choice(servers)
        victim.kill()
        servers.remove(victim)
        servers.append(serve("--lease", LEASE, home=victim.program.home.name, **place))
    database = open_database(postgresql.url)
    await check_end(database, streams, least=kills // 4)
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
    records = await settled(database, streams)
    await check(records, streams)
    for name in NAMES:
        assert records.of(name)[0].phase is Phase.ACCEPTED
        assert records.done(name)[-1] == records.of(name)[0].name
    assert len(records.releases) >= least
    await database.close()


async def settled(database: Database, streams: Streams) -> Records:
    """The records once the last change of every stream is decided."""
    deadline = time.monotonic() + CALM
    while time.monotonic() < deadline:
        records = await read_records(database)
        if records.settled and await reflects(records, streams) and are_published(records):
            return records
        await asyncio.sleep(0.5)
    raise AssertionError(f"not decided within {CALM:g} s")


def are_published(records: Records) -> bool:
    """Whether the newest release of each stream is published."""
    return all(records.done(name)[-1:] == [records.of(name)[0].name] for name in NAMES)


async def reflects(records: Records, streams: Streams) -> bool:
    """Whether the newest release of each stream is made of the images as they are."""
    for name in NAMES:
        found = records.of(name)
        now = (await streams.layout(name, "images").manifests.get("etcd")).digest
        if not found or now not in {each.digest for each in records.inputs[found[0].name]}:
            return False
    return True


def test_another_server_goes_on_soon(
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
    first.kill()
    wait_for(lambda: second.acts, what="the second goes on")
    assert second.stop() == 0


def test_a_server_that_is_told_to_end_hands_over_at_once(
    serve: Serve, streams: Streams, postgresql: PostgresqlServer
) -> None:
    """It gives its lease up; nobody waits until that ends by itself, which is never here."""
    streams.add(NAMES[0])
    place = {"OKD_PAYLOAD_DATABASE": postgresql.url}
    servers = [
        serve("--lease", "300", home=home, **place).wait_until_it_answers()
        for home in ("one", "two")
    ]
    first = wait_for(lambda: next((each for each in servers if each.acts), None), what="acting")
    (second,) = (each for each in servers if each is not first)
    assert first.stop() == 0
    wait_for(lambda: second.acts, what="the second goes on")
