# SPDX-License-Identifier: Apache-2.0
"""A graph is made anew when something happened that changes it, and only then."""

from __future__ import annotations

import random

import msgspec
import pytest
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import StreamConfiguration, StreamKind
from okd_payload.controller.graph.known import KnownRelease, read_known
from okd_payload.controller.graph.reading import read_snapshot, refresh
from okd_payload.controller.model import (
    Edge,
    Event,
    PayloadFacts,
    Phase,
    Release,
    RunState,
    VerificationRun,
)
from okd_payload.controller.records import Database, events, payloads, releases, runs, streams
from okd_payload.oci.digest import digest_of

STREAMS = {"4-stable": StreamConfiguration(name="4-stable", kind=StreamKind.STABLE)}
DIGEST = digest_of(b"payload")


def made(name: str) -> Release:
    """A release that is being made."""
    return Release(name=name, stream="4-stable", created=1.0, changed=1.0, input_hash="")


def run(**fields: object) -> VerificationRun:
    """A run of the release 4.20.1."""
    values = {
        "id": "r",
        "release": "4.20.1",
        "verification": "v",
        "runner": "manual",
        "queued": 1.0,
    }
    return msgspec.convert(values | fields, VerificationRun)


async def test_what_payloads_say_is_kept_when_a_release_goes(database: Database) -> None:
    """Its version is a tombstone then."""
    facts = PayloadFacts(
        release="4.20.1",
        stream="4-stable",
        created=1.0,
        digest=DIGEST,
        pull_spec=f"quay.test/a@{DIGEST}",
        version="4.20.1",
        previous=("4.20.0",),
    )

    def unit(connection: Connection) -> None:
        releases.create(connection, made("4.20.1"), ())
        payloads.write(connection, facts)
        releases.remove(connection, "4.20.1")

    await database.write(unit)
    assert await database.read(lambda unit: payloads.find(unit, "4.20.1")) == facts
    assert await database.read(lambda unit: payloads.find(unit, "other")) is None
    found = await database.read(lambda unit: read_snapshot(unit, STREAMS))
    (node,) = found.nodes
    assert (node.phase, node.is_tombstone, node.payload) == (None, True, facts.pull_spec)
    only = await database.read(lambda unit: payloads.list_all(unit, ["other"]))
    assert only == {}


async def test_releases_are_read_with_what_their_payloads_say(database: Database) -> None:
    """Whoever has none, whoever has one, and what is left of one that is gone."""
    said = PayloadFacts(
        release="4.20.1",
        stream="4-stable",
        created=1.0,
        digest=DIGEST,
        pull_spec=f"quay.test/a@{DIGEST}",
        version="4.20.1-rc.1",
        previous=("4.20.0", "4.19.9"),
        following=("4.21.0",),
        architecture="arm64",
        url="https://x.test",
    )
    gone = msgspec.structs.replace(said, release="4.20.2")
    ready = msgspec.structs.replace(
        made("4.20.1"), phase=Phase.READY, digest=DIGEST, reason="r", pull_spec="p", withdrawn=2.0
    )

    def unit(connection: Connection) -> None:
        releases.create(connection, made("4.20.0"), ())
        releases.create(connection, ready, ())
        payloads.write(connection, said)
        payloads.write(connection, gone)

    await database.write(unit)
    words = {"digest": DIGEST, "version": said.version, "following": said.following}
    words |= {"architecture": "arm64", "url": said.url, "read_from": said.pull_spec}
    expected = {
        "4.20.0": {"phase": Phase.PENDING},
        "4.20.1": {"phase": Phase.READY, "pull_spec": "p", "reason": "r", "withdrawn": True}
        | {"previous": said.previous}
        | words,
        "4.20.2": {"phase": None, "withdrawn": True} | words,
    }
    found = await database.read(read_known)
    assert sorted(found, key=lambda each: each.name) == [
        KnownRelease(name=name, stream="4-stable", **fields) for name, fields in expected.items()
    ]
    one = await database.read(lambda unit: read_known(unit, ["4.20.2", "other"]))
    assert [each.name for each in one] == ["4.20.2"]


async def test_a_snapshot_holds_until_a_graph_changes(database: Database) -> None:
    """Runs that test no update change none; releases and tested updates do."""
    await database.write(lambda unit: releases.create(unit, made("4.20.1"), ()))
    first = await database.read(lambda unit: read_snapshot(unit, STREAMS))

    async def again() -> bool:
        found = await database.read(lambda unit: refresh(unit, first, STREAMS))
        return found.nodes is first.nodes

    assert await again()
    await database.write(lambda unit: runs.write(unit, run(), time=2.0))
    assert await again()

    def test_update(unit: Connection) -> None:
        runs.write(unit, run(id="u", from_release="4.20.0"), time=3.0)
        streams.add_edge(
            unit,
            Edge(source="4.20.0", target="4.20.1", run="u", state=RunState.SUCCEEDED, time=3.0),
        )

    await database.write(test_update)
    found = await database.read(lambda unit: refresh(unit, first, STREAMS))
    assert found.tested["4.20.0", "4.20.1"].has_passed
    await database.write(lambda unit: releases.move(unit, made("4.20.1"), Phase.READY, time=4.0))
    latest = await database.read(lambda unit: refresh(unit, found, STREAMS))
    assert latest.nodes[0].phase is Phase.READY


@pytest.mark.parametrize("seed", range(3))
async def test_what_changed_is_put_into_its_place(database: Database, seed: int) -> None:
    """Whatever happens in which order, the snapshot is as if it had been made anew."""
    chance = random.Random(seed)
    names = [f"4.20.{number}" for number in range(12)] + ["no-version"]
    snapshot = await database.read(lambda unit: read_snapshot(unit, STREAMS))
    for step in range(40):
        happened = [chance.choice(names) for _ in range(chance.randint(1, 3))]

        def unit(connection: Connection, happened: list[str] = happened, step: int = step) -> None:
            for name in happened:
                happen(connection, name, chance, time=float(step))

        await database.write(unit)
        snapshot = await database.read(lambda unit, before=snapshot: refresh(unit, before, STREAMS))
        assert snapshot == await database.read(lambda unit: read_snapshot(unit, STREAMS))
    assert any(node.is_tombstone for node in snapshot.nodes)
    assert snapshot.tested


def happen(connection: Connection, name: str, chance: random.Random, *, time: float) -> None:
    """Something that happens to the release called ``name``: made, withdrawn, tested, deleted."""
    found = releases.find(connection, name)
    if found is None:
        fresh = msgspec.structs.replace(
            made(name), digest=DIGEST, pull_spec=f"quay.test/a@{DIGEST}"
        )
        releases.create(connection, fresh, ())
        facts = PayloadFacts(
            release=name,
            stream="4-stable",
            created=1.0,
            digest=DIGEST,
            pull_spec=f"quay.test/a@{DIGEST}",
            version=name,
        )
        payloads.write(connection, facts)
        return
    match chance.randint(0, 3):
        case 0:
            releases.remove(connection, name)
            told = Event(time=time, kind="release.deleted", stream="4-stable", release=name)
            events.add(connection, told)
        case 1:
            changed = msgspec.structs.replace(found, withdrawn=time)
            releases.change(connection, changed, time=time)
        case _:
            source = f"4.20.{chance.randint(0, 11)}"
            identity = f"{name}-{chance.randint(0, 1)}"
            state = chance.choice([RunState.RUNNING, RunState.FAILED, RunState.SUCCEEDED])
            update = run(id=identity, release=name, from_release=source, state=state)
            runs.write(connection, update, time=time)
            edge = Edge(source=source, target=name, run=identity, state=state, time=time)
            streams.add_edge(connection, edge)


async def test_many_changes_at_once_are_read_anew(database: Database) -> None:
    """As when a controller is taken over."""
    before = await database.read(lambda unit: read_snapshot(unit, STREAMS))

    def unit(connection: Connection) -> None:
        for number in range(60):
            releases.create(connection, made(f"4.20.{number}"), ())

    await database.write(unit)
    found = await database.read(lambda unit: refresh(unit, before, STREAMS))
    assert len(found.nodes) == 60
    assert found == await database.read(lambda unit: read_snapshot(unit, STREAMS))


async def test_an_event_about_many_is_read_anew(database: Database) -> None:
    """Updates that were taken over are told of by one event without a release."""
    before = await database.read(lambda unit: read_snapshot(unit, STREAMS))

    def unit(connection: Connection) -> None:
        edge = Edge(source="a", target="b", run="r", state=RunState.SUCCEEDED, time=1.0)
        streams.add_edge(connection, edge)
        events.add(connection, Event(time=1.0, kind="graph"))

    await database.write(unit)
    found = await database.read(lambda unit: refresh(unit, before, STREAMS))
    assert list(found.tested) == [("a", "b")]
