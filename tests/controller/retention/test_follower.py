# SPDX-License-Identifier: Apache-2.0
"""Releases go when nobody needs them, after they were announced, and leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from killing import each_kill
from rig import CONTENT, INPUT, RELEASES, STREAM, Rig
from sqlalchemy import Connection

from okd_payload.controller import actions
from okd_payload.controller.configuration.model import (
    Input,
    PublishAction,
    Retention,
    StreamConfiguration,
)
from okd_payload.controller.creation.keeping import KEPT_PREFIX
from okd_payload.controller.creation.making import make_payload
from okd_payload.controller.inputs.reading import read_input
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
from okd_payload.controller.retention.follower import RetentionFollower
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError, RegistryUnavailable
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.location import LayoutLocation, Location
from okd_payload.testing.small_stream import push_small_stream

HOUR = 3600.0
SOON = Retention(expires=HOUR, keep_accepted=1, keep_rejected=1, keep_failed=1, grace=HOUR)


async def write(surroundings: Surroundings, unit: Callable[[Connection], None]) -> None:
    """Write whoever acts."""
    await surroundings.database.write(unit)


def follower(surroundings: Surroundings) -> RetentionFollower:
    """Retention in these surroundings."""
    return RetentionFollower(surroundings, write=lambda unit: write(surroundings, unit))


async def make(
    rig: Rig, name: str, change: str, phase: Phase = Phase.ACCEPTED, stream: str = STREAM
) -> Release:
    """A release with a real payload, made of the small stream as it is after ``change``."""
    await push_small_stream(rig.repository(INPUT), change=change)
    configuration = rig.streams[stream]
    images = await read_input(rig.surroundings, configuration)
    now = rig.clock.now()
    begun = Release(
        name=name, stream=stream, created=now, changed=now, input_hash=images.input_hash
    )
    await rig.database.write(lambda unit: releases.create(unit, begun, images.images))
    made = await make_payload(rig.surroundings, configuration, begun, images.images)

    def finish(unit: Connection) -> Release:
        releases.write_inputs(unit, name, made.images)
        ready = msgspec.structs.replace(begun, digest=made.digest, pull_spec=made.pull_spec)
        moved = releases.move(unit, ready, Phase.READY, time=now)
        return releases.move(unit, moved, phase, time=now)

    rig.clock.advance(1)
    return await rig.database.write(finish)


async def known(rig: Rig, stream: str = STREAM) -> dict[str, bool]:
    """The releases there are, and whether they are withdrawn."""
    found = await rig.database.read(lambda unit: releases.list_of(unit, stream, withdrawn=None))
    return {each.name: each.withdrawn is not None for each in found}


async def kept_tags(rig: Rig) -> list[str]:
    """The tags that hold images."""
    tags = await rig.repository(CONTENT).manifests.tags()
    return [tag for tag in tags if tag.startswith(KEPT_PREFIX)]


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


async def test_a_kill_at_any_step_leaves_nothing_half_removed(tmp_path: Path) -> None:
    """Whenever the process died, the same releases, tags and images are there in the end."""
    ends = set()

    async def prepare(rig: Rig) -> None:
        rig.configure(retention=SOON)
        await make(rig, "4.20.0-0.test-1", "one")
        await make(rig, "4.20.0-0.test-2", "two")
        rig.clock.advance(HOUR)
        await follower(rig.surroundings).advance(rig.streams[STREAM])
        rig.clock.advance(HOUR)

    async def act(surroundings: Surroundings) -> None:
        stream = surroundings.configurations()[STREAM]
        await follower(surroundings).advance(stream)

    async for rig in each_kill(tmp_path, prepare, act):
        deleted = [
            event.release
            for event in await rig.database.read(lambda unit: events.read_since(unit, 0))
            if event.kind == "release.deleted"
        ]
        ends.add(
            (
                tuple(await known(rig)),
                tuple(await rig.repository(RELEASES).manifests.tags()),
                len(await kept_tags(rig)),
                tuple(deleted),
            )
        )
    assert ends == {
        (("4.20.0-0.test-2",), ("4.20.0-0.test-2",), 3, ("4.20.0-0.test-1",)),
    }


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


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("make"), st.integers(0, 1), st.sampled_from(["a", "b", "c"])),
        st.tuples(st.just("age"), st.integers(0, 1), st.just("")),
        st.tuples(st.just("pass"), st.integers(0, 1), st.just("")),
        st.tuples(st.just("keep"), st.integers(0, 1), st.just("")),
        st.tuples(st.just("people"), st.integers(0, 1), st.just("")),
    ),
    min_size=3,
    max_size=12,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
async def test_over_any_history_every_release_on_record_can_be_pulled(
    tmp_path: Path, history: list[tuple[str, int, str]]
) -> None:
    """Two streams share all repositories with each other and with people's tags."""
    rig = Rig(tmp_path)
    names = (STREAM, "4.21.0-0.test")
    for name in names:
        rig.configure(name, retention=SOON)
    theirs: dict[tuple[str, str], str] = {}
    made = 0
    try:
        for what, number, change in history:
            stream = rig.streams[names[number]]
            if what == "make":
                made += 1
                await make(rig, f"{stream.name}-{made}", change, stream=stream.name)
            elif what == "age":
                rig.clock.advance(HOUR)
            elif what == "pass":
                await follower(rig.surroundings).advance(stream)
            elif what == "keep":
                await _keep_oldest(rig, stream)
            else:
                theirs |= await _tag_everything(rig, f"theirs-{len(theirs)}")
            await _check(rig, theirs)
    finally:
        await rig.database.close()


async def _keep_oldest(rig: Rig, stream: StreamConfiguration) -> None:
    found = await rig.database.read(lambda unit: releases.list_of(unit, stream.name))
    if found:
        await actions.keep(rig.surroundings, found[-1].name, actor="ann", reason="")


async def _tag_everything(rig: Rig, tag: str) -> dict[tuple[str, str], str]:
    """Tags of people on an image of each repository."""
    tagged = {}
    for place in (CONTENT, RELEASES):
        repository = rig.repository(place)
        for name in (await repository.manifests.tags())[:1]:
            manifest = await repository.manifests.get(name)
            await repository.manifests.put(manifest, tag=tag)
            tagged[place, tag] = manifest.digest
    return tagged


async def _check(rig: Rig, theirs: dict[tuple[str, str], str]) -> None:
    everything = await rig.database.read(lambda unit: releases.list_of(unit, withdrawn=None))
    for release in everything:
        payload = await rig.repository(RELEASES).manifests.get(release.name)
        assert payload.digest == release.digest
        inputs = await rig.database.read(
            lambda unit, name=release.name: releases.read_inputs(unit, name)
        )
        for image in inputs:
            await rig.repository(CONTENT).manifests.get(f"{KEPT_PREFIX}{image.digest[7:]}")
    for (place, tag), digest in theirs.items():
        assert (await rig.repository(place).manifests.get(tag)).digest == digest


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
