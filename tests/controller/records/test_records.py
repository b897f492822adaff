# SPDX-License-Identifier: Apache-2.0
"""What is written is read back, together or not at all, and in one order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, text

from okd_payload.controller.model import (
    Edge,
    FrozenInput,
    Phase,
    Publication,
    PublicationState,
    Release,
    RunState,
    StreamState,
    VerificationRun,
)
from okd_payload.controller.records import (
    Database,
    events,
    leases,
    open_database,
    releases,
    streams,
)
from okd_payload.controller.records import runs as runs_of
from okd_payload.errors import InputError, RecordsError, RecordsUnavailable
from okd_payload.oci.digest import digest_of

NOW = 1_700_000_000.0
DIGEST = digest_of(b"payload")
INPUTS = tuple(
    FrozenInput(tag=tag, digest=digest_of(tag.encode()), reference=f"quay.test/a/b:{tag}")
    for tag in ("cli", "etcd")
)


def release(name: str = "4.20.0-1", **fields: object) -> Release:
    """A release of the stream 4.20, but for what ``fields`` say."""
    values = {"stream": "4.20", "created": NOW, "changed": NOW, "input_hash": "sha256:1"} | fields
    return msgspec.convert({"name": name} | values, Release)


async def test_a_release_is_read_as_it_was_written(database: Database) -> None:
    """Every field comes back, and the inputs and the first step with it."""
    written = release(digest=DIGEST, pull_spec="quay.test/a/b@x", kept=True, retry_at=NOW + 1.5)
    await database.write(lambda unit: releases.create(unit, written, INPUTS, actor="ann"))
    assert await database.read(lambda unit: releases.find(unit, written.name)) == written
    assert await database.read(lambda unit: releases.find(unit, "other")) is None
    assert tuple(await database.read(lambda unit: releases.read_inputs(unit, written.name))) == (
        INPUTS
    )
    (step,) = await database.read(lambda unit: releases.read_transitions(unit, written.name))
    assert (step.before, step.after, step.actor) == (None, Phase.PENDING, "ann")
    assert await database.read(lambda unit: releases.has_hash(unit, "4.20", "sha256:1"))
    assert not await database.read(lambda unit: releases.has_hash(unit, "4.21", "sha256:1"))


async def test_foreign_text_is_written_whatever_it_holds(database: Database) -> None:
    """What no text of a database can hold, in the label of an image, refuses no release."""
    image = msgspec.structs.replace(INPUTS[0], source="git.test/\ud83d", commit="a\x00")
    await database.write(lambda unit: releases.create(unit, release(), (image,)))
    (read,) = await database.read(lambda unit: releases.read_inputs(unit, "4.20.0-1"))
    assert (read.source, read.commit) == ("git.test/\ufffd", "a\ufffd")


async def test_an_event_tells_foreign_text_whatever_it_holds(database: Database) -> None:
    """Of a run and of a release, whose messages and files are others'."""
    await database.write(lambda unit: releases.create(unit, release(message="r\ud83d"), ()))
    run = VerificationRun(
        id="one",
        release="4.20.0-1",
        verification="e2e",
        runner="command",
        queued=NOW,
        message="a\x00b\ud83d",
        artifacts=("artifacts/\udcff",),
    )
    await database.write(lambda unit: runs_of.write(unit, run, time=NOW))
    read = await database.read(lambda unit: runs_of.find(unit, "one"))
    assert read is not None
    assert (read.message, read.artifacts) == ("a\ufffdb\ufffd", ("artifacts/\ufffd",))
    told = await database.read(lambda unit: events.read_since(unit, 0))
    contents = [msgspec.json.decode(event.content) for event in told if event.content]
    assert [content["message"] for content in contents] == ["r\ufffd", "a\ufffdb\ufffd"]


async def test_phases_follow_each_other_as_they_may(database: Database) -> None:
    """Each step is logged with its actor and told; an impossible one changes nothing."""
    first = release()
    await database.write(lambda unit: releases.create(unit, first, ()))
    ready = await database.write(lambda unit: releases.move(unit, first, Phase.READY, time=NOW + 1))
    with pytest.raises(RecordsError, match="cannot be Pending"):
        await database.write(lambda unit: releases.move(unit, ready, Phase.PENDING, time=NOW))
    with pytest.raises(RecordsError, match="not Pending any more"):
        await database.write(lambda unit: releases.move(unit, first, Phase.FAILED, time=NOW))
    await database.write(
        lambda unit: releases.move(
            unit, ready, Phase.REJECTED, time=NOW + 2, actor="ann", reason="Broken", message="no"
        )
    )
    found = await database.read(lambda unit: releases.find(unit, first.name))
    assert found is not None
    assert (found.phase, found.changed, found.reason) == (Phase.REJECTED, NOW + 2, "Broken")
    steps = await database.read(lambda unit: releases.read_transitions(unit, first.name))
    assert [(each.after, each.actor) for each in steps] == [
        (Phase.PENDING, "controller"),
        (Phase.READY, "controller"),
        (Phase.REJECTED, "ann"),
    ]
    told = await database.read(lambda unit: events.read_since(unit, 0))
    assert [each.kind for each in told] == ["release.created", "release.phase", "release.phase"]
    assert msgspec.json.decode(told[-1].content, type=Release) == found


async def test_a_unit_that_breaks_writes_nothing(database: Database) -> None:
    """Whatever stops a unit of work, the database is as it was."""

    def unit(connection: Connection) -> None:
        releases.create(connection, release(), INPUTS)
        raise RecordsError("stop")

    with pytest.raises(RecordsError, match="stop"):
        await database.write(unit)
    assert await database.read(releases.count) == {}
    assert await database.read(events.last_number) == 0


async def test_lists_are_by_stream_phase_and_page(database: Database) -> None:
    """The newest first, without what is withdrawn unless that is asked for."""

    def write(connection: Connection) -> None:
        for number in range(5):
            made = release(f"4.20.0-{number}", created=NOW + number, input_hash=str(number))
            releases.create(connection, made, ())
        releases.create(connection, release("4.21.0-0", stream="4.21"), ())
        gone = release("4.20.0-gone", created=NOW - 9, withdrawn=NOW)
        releases.create(connection, gone, ())

    await database.write(write)

    async def names(**wanted: object) -> list[str]:
        found = await database.read(
            lambda unit: releases.list_of(unit, "4.20", **wanted)  # type: ignore[arg-type]
        )
        return [each.name[7:] for each in found]

    assert await names() == ["4", "3", "2", "1", "0"]
    assert await names(limit=2, before=NOW + 3) == ["2", "1"]
    assert await names(withdrawn=True) == ["gone"]
    assert await names(withdrawn=None, phases=[Phase.PENDING]) == ["4", "3", "2", "1", "0", "gone"]
    assert await names(phases=[Phase.READY]) == []
    assert await database.read(releases.count) == {
        ("4.20", Phase.PENDING): 5,
        ("4.21", Phase.PENDING): 1,
    }


async def test_names_are_unique_and_what_goes_takes_its_runs_along(database: Database) -> None:
    """A release is made once; its steps outlive it."""
    await database.write(lambda unit: releases.create(unit, release(), INPUTS))
    with pytest.raises(RecordsError, match="already"):
        await database.write(lambda unit: releases.create(unit, release(), ()))
    run = VerificationRun(
        id="r1", release="4.20.0-1", verification="e2e", runner="manual", queued=NOW
    )
    ended = msgspec.structs.replace(
        run, state=RunState.FAILED, artifacts=("junit.xml", "log"), ended=NOW + 5
    )
    await database.write(lambda unit: runs_of.write(unit, run, time=NOW))
    await database.write(lambda unit: runs_of.write(unit, ended, time=NOW + 5))
    assert await database.read(lambda unit: runs_of.find(unit, "r1")) == ended
    assert await database.read(lambda unit: runs_of.list_in(unit, [RunState.FAILED])) == [ended]
    listed = await database.read(lambda unit: runs_of.list_of(unit, ["4.20.0-1", "x"]))
    assert listed == {"4.20.0-1": [ended], "x": []}
    await database.write(lambda unit: releases.remove(unit, "4.20.0-1"))
    assert await database.read(lambda unit: runs_of.find(unit, "r1")) is None
    assert await database.read(lambda unit: releases.read_transitions(unit, "4.20.0-1"))


async def test_streams_publications_and_edges_are_remembered(database: Database) -> None:
    """What is written twice is there once, but for publications, whose steps all stay."""
    state = StreamState(name="4.20", input_hash="x", seen=NOW, paused="why", rebuild=True)
    assert await database.read(lambda unit: streams.find(unit, "4.20")) == StreamState(name="4.20")
    for each in (StreamState(name="4.20"), state):
        await database.write(lambda unit, each=each: streams.write(unit, each))
    assert await database.read(streams.list_all) == {"4.20": state}
    steps = [
        Publication(release="r", name="tag", state=PublicationState.WAITING, time=NOW),
        Publication(release="r", name="tag", state=PublicationState.DONE, time=NOW, replaced="q"),
        Publication(release="s", name="copy", state=PublicationState.DONE, time=NOW),
    ]
    for step in steps:
        await database.write(
            lambda unit, step=step: streams.add_publication(unit, step, stream="4.20")
        )
    read = streams.read_publications
    assert await database.read(read) == steps
    assert await database.read(lambda unit: read(unit, names=["r"])) == steps[:2]
    assert await database.read(lambda unit: read(unit, publication="copy")) == steps[2:]
    edge = Edge(source="a", target="b", run="u", state=RunState.RUNNING, time=NOW)
    later = msgspec.structs.replace(edge, state=RunState.SUCCEEDED)
    for one in (edge, later):
        await database.write(lambda unit, one=one: streams.add_edge(unit, one))
    assert await database.read(lambda unit: streams.read_edges(unit, target="b")) == [later]
    assert await database.read(lambda unit: streams.read_edges(unit, source="b")) == []


async def test_events_are_numbered_and_forgotten_by_age(database: Database) -> None:
    """Readers go on after the number that they saw last."""
    for number in range(3):
        made = release(f"r{number}", changed=NOW + number, input_hash=str(number))
        await database.write(lambda unit, made=made: releases.create(unit, made, ()))
    told = await database.read(lambda unit: events.read_since(unit, 0))
    assert [each.release for each in told] == ["r0", "r1", "r2"]
    since = told[0].sequence
    more = await database.read(lambda unit: events.read_since(unit, since, stream="4.20", limit=1))
    assert more == told[1:2]
    last = await database.read(lambda unit: events.read_last(unit, limit=2))
    assert last == [told[2], told[1]]
    await database.write(lambda unit: events.forget(unit, NOW + 1))
    assert await database.read(lambda unit: events.read_since(unit, 0)) == told[1:]
    assert await database.read(events.last_number) == told[2].sequence


async def test_units_side_by_side_lose_nothing(database: Database) -> None:
    """Twenty units that each add to what they read end with the sum."""

    def add(connection: Connection) -> None:
        state = streams.find(connection, "s")
        count = int(state.waiting or "0") + 1
        streams.write(connection, msgspec.structs.replace(state, waiting=str(count)))

    await database.write(lambda unit: streams.write(unit, StreamState(name="s")))
    await asyncio.gather(*(database.write(add) for _ in range(20)))
    assert (await database.read(lambda unit: streams.find(unit, "s"))).waiting == "20"


async def test_one_instance_acts_until_its_lease_ends(database: Database) -> None:
    """The next holder begins a new term, in which the former one can write no more."""
    take = leases.take
    first = await database.write(lambda u: take(u, "act", holder="a", seconds=60, now=NOW))
    assert first is not None
    again = await database.write(lambda u: take(u, "act", holder="a", seconds=60, now=NOW + 30))
    assert again is not None
    assert again.term == first.term
    other = await database.write(lambda u: take(u, "act", holder="b", seconds=60, now=NOW + 31))
    assert other is None
    await database.write(lambda u: leases.check(u, first, now=NOW + 31))
    assert await database.read(lambda u: leases.holder_of(u, "act", now=NOW + 31)) == "a"
    await database.write(lambda u: leases.give_up(u, again))
    second = await database.write(lambda u: take(u, "act", holder="b", seconds=60, now=NOW + 32))
    assert second is not None
    assert second.term == first.term + 1
    with pytest.raises(leases.LeaseLost, match="does not hold"):
        await database.write(lambda u: leases.check(u, again, now=NOW + 32))
    await database.write(lambda u: leases.give_up(u, again))
    assert await database.read(lambda u: leases.holder_of(u, "act", now=NOW + 33)) == "b"


@pytest.mark.parametrize(
    "url", ["nonsense s3cret", "nosuch://x:s3cret@y/z", "postgresql+psycopg://u:s3cret@h:port/x"]
)
def test_what_is_no_database_is_refused(url: str) -> None:
    """A mistyped URL is wrong input, with an example of a right one, and shows no password."""
    with pytest.raises(InputError, match="is no database") as caught:
        open_database(url)
    assert "sqlite:///" in caught.value.hint
    assert "s3cret" not in caught.value.message


def test_a_url_from_a_file_may_end_its_line(tmp_path: Path) -> None:
    """A Secret made of a file has the end of its line, which is no part of a database's name."""
    asyncio.run(open_database(f" sqlite:///{tmp_path / 'records.db'}\n").close())
    assert (tmp_path / "records.db").is_file()


def test_a_database_that_is_away_is_told_from_one_that_refuses(tmp_path: Path) -> None:
    """Waiting helps with the first, and only a newer program with the second."""
    with pytest.raises(RecordsUnavailable, match="cannot be used now"):
        open_database("postgresql+psycopg://u@127.0.0.1:9/x")
    url = f"sqlite:///{tmp_path / 'newer.db'}"
    database = open_database(url)
    database._write(lambda unit: unit.execute(text("update schema_version set version = 99")))
    with pytest.raises(RecordsError, match="version 99") as caught:
        open_database(url)
    assert not isinstance(caught.value, RecordsUnavailable)


async def test_what_was_committed_outlives_the_process(tmp_path: Path) -> None:
    """A database on disk is read again by the next who opens it."""
    url = f"sqlite:///{tmp_path / 'deep' / 'records.db'}"
    first = open_database(url)
    await first.write(lambda unit: releases.create(unit, release(), INPUTS))
    second = open_database(url)
    assert await second.read(lambda unit: releases.find(unit, "4.20.0-1")) == release()
    await first.close()
    await second.close()
