# SPDX-License-Identifier: Apache-2.0
"""The best candidate becomes a stable release when its schedule says so, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from killing import each_kill
from rig import CONTENT, RELEASES, STREAM, Rig
from schedules_rig import HOUR, follower, last, make, passes

from okd_payload.controller.configuration.model import (
    Input,
    Runner,
    Schedule,
    StreamKind,
    Verification,
)
from okd_payload.controller.model import Phase, Release
from okd_payload.controller.records import releases
from okd_payload.controller.records.schedules import ScheduleState
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import RegistryUnavailable
from okd_payload.release.load import load_release

STABLE, STABLE_RELEASES = "4-scos-stable", "quay.test/okd/stable"
PROMOTE = Schedule(name="s", kind="promote", interval=HOUR, promote_to=STABLE)


async def prepare_promotion(rig: Rig) -> None:
    """A stream with a release, and a stable stream with one before it."""
    rig.configure(schedules=(PROMOTE,))
    rig.configure(
        STABLE,
        kind=StreamKind.STABLE,
        input=Input(),
        releases=STABLE_RELEASES,
        releases_name=STABLE_RELEASES,
    )
    before = await make(rig, "4.20.0-0.test-1")
    stable = Release(
        name="4.20.0-okd-scos.4",
        stream=STABLE,
        phase=Phase.ACCEPTED,
        created=1,
        changed=1,
        input_hash="s",
        digest=before.digest,
        adopted=True,
    )
    await rig.database.write(lambda unit: releases.create(unit, stable, ()))
    await make(rig, "4.20.0-0.test-2", "two")
    await follower(rig.surroundings).advance(rig.streams[STREAM])
    rig.clock.advance(HOUR)


async def test_the_best_candidate_is_put_into_the_stable_stream(rig: Rig) -> None:
    """Under the next name, with the same images, saying where it comes from."""
    await prepare_promotion(rig)
    follows = follower(rig.surroundings)
    await passes(rig, follows)
    run = await last(rig)
    assert (run.state, run.subject, run.handle) == (
        ScheduleState.DONE,
        "4.20.0-0.test-2",
        "4.20.0-okd-scos.5",
    )
    assert run.message.startswith("4.20.0-0.test-2 is 4.20.0-okd-scos.5 in 4-scos-stable: ")
    assert "4.20.0-0.test-1: older" in run.message
    promoted = await load_release(rig.repository(STABLE_RELEASES), "4.20.0-okd-scos.5")
    origin = await load_release(rig.repository(RELEASES), "4.20.0-0.test-2")
    assert [tag.origin for tag in promoted.tags] == [tag.origin for tag in origin.tags]
    assert all(str(tag.origin.name).startswith(CONTENT) for tag in promoted.tags if tag.origin)
    assert promoted.metadata is not None
    assert promoted.metadata.previous == ("4.20.0-okd-scos.4",)
    assert promoted.references.metadata.annotations is not None
    made_from = promoted.references.metadata.annotations["release.openshift.io/from-release"]
    assert made_from == f"{RELEASES}@{origin.digest}"


async def test_a_sprint_without_anything_new_is_no_failure(rig: Rig) -> None:
    """It is told; a release that something speaks against is one, because somebody must look."""
    rig.configure(schedules=(PROMOTE,))
    rig.configure(STABLE, kind=StreamKind.STABLE, input=Input(), releases=STABLE_RELEASES)
    follows = follower(rig.surroundings)
    await passes(rig, follows)
    rig.clock.advance(HOUR)
    await passes(rig, follows)
    run = await last(rig)
    assert run.state is ScheduleState.DONE
    assert run.message == "there is no accepted release that was not promoted before"
    informing = Verification(name="azure", runner=Runner(kind="manual"), optional=True)
    rig.configure(schedules=(PROMOTE,), verifications=(informing,))
    await make(rig, "4.20.0-0.test-1")
    rig.clock.advance(HOUR)
    await follows.advance(rig.streams[STREAM])
    run = await last(rig)
    assert run.state is ScheduleState.FAILED
    assert "azure has not ended" in run.message


async def test_a_version_that_somebody_else_pushed_is_not_written_over(rig: Rig) -> None:
    """The promotion fails and says so; the next one takes the next name."""
    await prepare_promotion(rig)
    follows = follower(rig.surroundings)
    rig.errors[STABLE_RELEASES] = RegistryUnavailable("down")
    await passes(rig, follows, 2)
    assert ((await last(rig)).state, (await last(rig)).message) == (ScheduleState.RUNNING, "down")
    rig.errors.clear()
    theirs = await rig.repository(RELEASES).manifests.get("4.20.0-0.test-1")
    stable = rig.repository(STABLE_RELEASES)
    for digest in (layer.digest for layer in theirs.needs()):
        stable.blobs.contents[digest] = rig.repository(RELEASES).blobs.contents[digest]
    await stable.manifests.put(theirs, tag="4.20.0-okd-scos.5")
    await passes(rig, follows, 2)
    run = await last(rig)
    assert run.state is ScheduleState.FAILED
    assert "has 4.20.0-okd-scos.5 already" in run.message
    assert (await stable.manifests.get("4.20.0-okd-scos.5")).digest == theirs.digest


@pytest.mark.slow
async def test_a_kill_at_any_step_promotes_once(tmp_path: Path) -> None:
    """One version, one payload, whenever the process died."""
    ends = set()

    async def act(surroundings: Surroundings) -> None:
        follows = follower(surroundings)
        for _ in range(2):
            await follows.advance(surroundings.configurations()[STREAM])

    async for rig in each_kill(tmp_path, prepare_promotion, act):
        run = await last(rig)
        repository = rig.repository(STABLE_RELEASES)
        tags = await repository.manifests.tags()
        ends.add(
            (run.state, run.handle, tuple(tags), (await repository.manifests.get(tags[0])).digest)
        )
    assert len(ends) == 1
    ((state, version, tags, _),) = ends
    assert (state, version, tags) == (ScheduleState.DONE, "4.20.0-okd-scos.5", (version,))
