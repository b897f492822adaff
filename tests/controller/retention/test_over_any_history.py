# SPDX-License-Identifier: Apache-2.0
"""Whatever happens in whatever order, releases on record can be pulled, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from killing import each_kill
from retention_rig import HOUR, SOON, follower, kept_tags, known, make
from rig import CONTENT, RELEASES, STREAM, Rig

from okd_payload.controller import actions
from okd_payload.controller.configuration.model import (
    StreamConfiguration,
)
from okd_payload.controller.creation.keeping import KEPT_PREFIX
from okd_payload.controller.records import events, releases
from okd_payload.controller.surroundings import Surroundings


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
