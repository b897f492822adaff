# SPDX-License-Identifier: Apache-2.0
"""Releases go when nobody needs them, after they were announced, and leave nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from retention_rig import HOUR, SOON, follower, kept_tags, known, make
from rig import RELEASES, STREAM, Rig

from okd_payload.controller import actions
from okd_payload.controller.configuration.model import (
    Input,
    PublishAction,
)
from okd_payload.controller.model import (
    Phase,
    Publication,
    PublicationState,
    Release,
    RunState,
    VerificationRun,
)
from okd_payload.controller.publishing.commands import folder_of
from okd_payload.controller.records import events, releases, removals, runs, streams
from okd_payload.errors import InputError, RegistryUnavailable
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.location import LayoutLocation, Location


async def test_an_expired_release_is_withdrawn_then_deleted_with_what_only_it_held(
    rig: Rig,
) -> None:
    """The page can announce both; images that another release shares stay."""
    stream = rig.configure(retention=SOON)
    await make(rig, "4.20.0-0.test-1", "one")
    await make(rig, "4.20.0-0.test-2", "two")
    retention = follower(rig.surroundings)
    assert len(await kept_tags(rig)) == 4
    due = await retention.advance(stream)
    assert due is not None
    assert await known(rig) == {"4.20.0-0.test-1": False, "4.20.0-0.test-2": False}
    rig.clock.advance(HOUR)
    withdrawn_until = await retention.advance(stream)
    assert await known(rig) == {"4.20.0-0.test-1": True, "4.20.0-0.test-2": False}
    (told,) = await rig.database.read(lambda unit: events.read_last(unit, limit=1))
    assert (told.kind, told.message) == ("release.changed", "it has expired")
    assert "4.20.0-0.test-1" in await rig.repository(RELEASES).manifests.tags()
    rig.clock.advance(HOUR)
    assert withdrawn_until is not None
    assert withdrawn_until <= rig.clock.now()
    await retention.advance(stream)
    assert await known(rig) == {"4.20.0-0.test-2": False}
    assert await rig.repository(RELEASES).manifests.tags() == ["4.20.0-0.test-2"]
    assert len(await kept_tags(rig)) == 3
    gone = await rig.database.read(lambda unit: removals.find(unit, "4.20.0-0.test-1"))
    assert gone is not None
    assert gone.done == rig.clock.now()
    assert gone.images == ()
    await make(rig, "4.20.0-0.test-3", "one")
    assert len(await kept_tags(rig)) == 4


async def test_what_is_restored_stays(rig: Rig) -> None:
    """Although it has expired: who brings it back wants it."""
    stream = rig.configure(retention=SOON)
    await make(rig, "4.20.0-0.test-1", "one")
    await make(rig, "4.20.0-0.test-2", "two")
    rig.clock.advance(HOUR)
    retention = follower(rig.surroundings)
    await retention.advance(stream)
    back = await actions.restore(rig.surroundings, "4.20.0-0.test-1", actor="ann", reason="in use")
    assert (back.withdrawn, back.kept) == (None, True)
    rig.clock.advance(10 * HOUR)
    await retention.advance(stream)
    assert await known(rig) == {"4.20.0-0.test-1": False, "4.20.0-0.test-2": False}
    again = await actions.restore(
        rig.surroundings, "4.20.0-0.test-2", actor="ann", reason="never went"
    )
    assert not again.kept


async def publish(rig: Rig, name: str, state: PublicationState, replaced: str = "") -> None:
    """Write a line of the log of publications."""
    line = Publication(release=name, name="tag", state=state, time=1, replaced=replaced)
    await rig.database.write(lambda unit: streams.add_publication(unit, line, stream=STREAM))


async def test_everybody_who_needs_a_release_keeps_it(rig: Rig) -> None:
    """Each with a reason that pages show."""
    stream = rig.configure(
        retention=SOON, publications=(PublishAction(name="tag", kind="tag", targets=("4.20",)),)
    )
    names = [f"4.20.0-0.test-{number}" for number in range(7)]
    for name in names:
        now = rig.clock.now()
        made = Release(
            name=name,
            stream=STREAM,
            phase=Phase.ACCEPTED,
            created=now,
            changed=now,
            input_hash=name,
            pull_spec=f"{RELEASES}@sha256:{'0' * 63}{name[-1]}",
        )
        await rig.database.write(lambda unit, made=made: releases.create(unit, made, ()))
        rig.clock.advance(1)
    await publish(rig, names[0], PublicationState.DONE)
    await publish(rig, names[1], PublicationState.DONE, replaced=names[0])
    await actions.report_use(rig.surroundings, names[2], actor="cluster-a", reason="")
    rig.configure("other", input=Input(release=f"{RELEASES}:{names[3]}"))
    run = VerificationRun(
        id="x",
        release=names[6],
        verification="upgrade",
        state=RunState.RUNNING,
        runner="manual",
        from_release=names[4],
        queued=1,
    )
    await rig.database.write(lambda unit: runs.write(unit, run, time=1))
    rig.clock.advance(2 * HOUR)
    retention = follower(rig.surroundings)
    fates = await retention.preview(stream)
    assert {name: fates.by_name[name].reason for name in names} == {
        names[0]: "a roll-back of tag returns to it",
        names[1]: "it is published as tag",
        names[2]: "cluster-a uses it",
        names[3]: "other is made on top of it",
        names[4]: f"an update from it to {names[6]} is being tested",
        names[5]: "it has expired",
        names[6]: "upgrade runs on it",
    }
    await retention.advance(stream)
    assert [name for name, gone in (await known(rig)).items() if gone] == [names[5]]
    await actions.end_use(rig.surroundings, names[2], actor="cluster-a")
    await retention.advance(stream)
    assert (await known(rig))[names[2]]


async def test_nodes_of_a_lasting_channel_never_expire(rig: Rig) -> None:
    """Clusters there look for their own version in the graph."""
    await make(rig, "4.20.0-0.test-1", "one")
    await make(rig, "4.20.0-0.test-2", "two")
    stream = rig.configure(retention=SOON, channels=("stable-4",))
    rig.clock.advance(9 * HOUR)
    fates = await follower(rig.surroundings).preview(stream)
    reasons = {fate.reason for fate in fates.by_name.values()}
    assert reasons == {"clusters find it in the channel stable-4"}
    passing = rig.configure(retention=SOON, channels=("nightly-4.20",))
    fates = await follower(rig.surroundings).preview(passing)
    assert fates.by_name["4.20.0-0.test-1"].reason == "it has expired"


async def test_a_registry_that_is_away_is_asked_again(rig: Rig) -> None:
    """The record is gone, and what is left is not forgotten."""
    stream = rig.configure(retention=SOON)
    await make(rig, "4.20.0-0.test-1", "one")
    await make(rig, "4.20.0-0.test-2", "two")
    retention = follower(rig.surroundings)
    rig.clock.advance(HOUR)
    await retention.advance(stream)
    rig.clock.advance(HOUR)
    rig.errors[RELEASES] = RegistryUnavailable("down")
    await retention.advance(stream)
    left = await rig.database.read(lambda unit: removals.list_of(unit, STREAM, undone=True))
    assert [(each.release, each.message) for each in left] == [("4.20.0-0.test-1", "down")]
    rig.errors.clear()
    await retention.advance(stream)
    assert len(await kept_tags(rig)) == 4
    rig.clock.advance(HOUR)
    await retention.advance(stream)
    assert len(await kept_tags(rig)) == 3
    assert not await rig.database.read(lambda unit: removals.list_of(unit, undone=True))


async def test_files_of_runs_and_commands_go_with_their_release(rig: Rig) -> None:
    """Logs of others stay, whatever the names begin with."""
    stream = rig.configure(retention=SOON)
    for name in ("4.20.0-0.test-1", "4.20.0-0.test-10"):
        await make(rig, name, name)
        run = VerificationRun(
            id=f"{name}-e2e",
            release=name,
            verification="e2e",
            state=RunState.SUCCEEDED,
            runner="command",
            queued=1,
        )
        await rig.database.write(lambda unit, run=run: runs.write(unit, run, time=1))
        folder = rig.surroundings.state / "runs" / run.id
        folder.mkdir(parents=True)
        (folder / "log").write_text("log")
        command = folder_of(rig.surroundings.state, name) / "announce"
        command.mkdir(parents=True)
        (command / "told").write_text("told")
    retention = follower(rig.surroundings)
    for _ in range(2):
        rig.clock.advance(HOUR)
        await retention.advance(stream)
    assert [path.name for path in (rig.surroundings.state / "runs").iterdir()] == [
        "4.20.0-0.test-10-e2e"
    ]
    assert [path.name for path in (rig.surroundings.state / "publications").iterdir()] == [
        "4.20.0-0.test-10"
    ]


async def test_a_layout_gives_its_room_back_and_keeps_what_people_tagged(
    rig: Rig, tmp_path: Path
) -> None:
    """Blobs go that no tag leads to any more; a person's tag keeps the image that it leads to."""
    content, published = tmp_path / "content", tmp_path / "releases"
    stream = rig.configure(
        retention=SOON,
        content=f"oci:{content}",
        releases=f"oci:{published}",
    )

    async def open_location(location: Location) -> Any:
        if isinstance(location, LayoutLocation):
            return LayoutRepository(location.path)
        return await rig.open(location)

    rig.surroundings = msgspec.structs.replace(
        rig.surroundings, open_location=open_location, open_target=open_location
    )
    first = await make(rig, "4.20.0-0.test-1", "one")
    await make(rig, "4.20.0-0.test-2", "two")
    assert first.digest is not None
    theirs = LayoutRepository(published)
    await theirs.manifests.put(await theirs.manifests.get(first.digest), tag="theirs")
    before = len(list((content / "blobs" / "sha256").iterdir()))
    retention = follower(rig.surroundings)
    for _ in range(2):
        rig.clock.advance(HOUR)
        await retention.advance(stream)
    layout = LayoutRepository(published)
    assert await layout.manifests.tags() == ["4.20.0-0.test-2", "theirs"]
    assert (await layout.manifests.get("theirs")).digest == first.digest
    assert len(list((content / "blobs" / "sha256").iterdir())) < before


@pytest.mark.parametrize("seconds", [0, -1.0])
async def test_a_use_that_is_over_is_refused(rig: Rig, seconds: float) -> None:
    """And one for an hour ends by itself."""
    await make(rig, "4.20.0-0.test-1", "one")
    with pytest.raises(InputError, match="ends at once"):
        await actions.report_use(
            rig.surroundings, "4.20.0-0.test-1", actor="a", reason="", seconds=seconds
        )
    use = await actions.report_use(
        rig.surroundings, "4.20.0-0.test-1", actor="a", reason="", seconds=HOUR
    )
    assert use.until == rig.clock.now() + HOUR
