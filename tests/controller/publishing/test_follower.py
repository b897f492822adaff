# SPDX-License-Identifier: Apache-2.0
"""Releases come to their places in every way of publishing, once, whoever dies on the way."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest
from killing import each_kill
from publishing_rig import DONE, FAILED, TAG, WAITING, follower, log_of, make, tagged
from rig import RELEASES, STREAM, Rig

from okd_payload.controller import actions
from okd_payload.controller.configuration.model import Gate, PublishAction
from okd_payload.controller.model import PublicationState
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError, UnknownName


async def test_a_tag_follows_the_newest_release_and_is_written_once(rig: Rig) -> None:
    """Each step in the log; a pass without news writes nothing."""
    stream = rig.configure(publications=(TAG,))
    follows = follower(rig.surroundings)
    for number in (1, 2):
        await make(rig, f"4.20.0-0.test-{number}", str(number))
        for _ in range(2):
            await follows.advance(stream)
        assert await tagged(rig) == f"4.20.0-0.test-{number}"
    log = await log_of(rig)
    assert [(line.release[-1], line.state.value, line.replaced[-1:]) for line in log] == [
        ("1", "Running", ""),
        ("1", "Done", ""),
        ("2", "Running", "1"),
        ("2", "Done", "1"),
    ]
    assert log[-1].target == f"{RELEASES}:4.20"


async def test_a_roll_back_returns_to_what_was_there(rig: Rig) -> None:
    """And what was undone is not published again, until somebody asks for it."""
    stream = rig.configure(publications=(TAG,))
    follows = follower(rig.surroundings)
    for number in (1, 2):
        await make(rig, f"4.20.0-0.test-{number}", str(number))
        await follows.advance(stream)
    undone = await actions.roll_back(
        rig.surroundings, STREAM, publication="newest", actor="ann", reason="it breaks"
    )
    assert (undone.release, undone.replaced) == ("4.20.0-0.test-2", "4.20.0-0.test-1")
    for _ in range(2):
        await follows.advance(stream)
        assert await tagged(rig) == "4.20.0-0.test-1"
    with pytest.raises(InputError, match="nothing to return to"):
        await actions.roll_back(
            rig.surroundings, STREAM, publication="newest", actor="ann", reason=""
        )
    for _ in range(2):
        await actions.publish(
            rig.surroundings,
            "4.20.0-0.test-2",
            publication="newest",
            actor="bob",
            reason="it does not",
        )
    await follows.advance(stream)
    assert await tagged(rig) == "4.20.0-0.test-2"
    asked = [line for line in await log_of(rig) if line.actor != "controller"]
    assert [(line.actor, line.state) for line in asked] == [
        ("ann", PublicationState.UNDONE),
        ("bob", WAITING),
    ]


async def test_what_waits_is_told_once_for_each_reason(rig: Rig) -> None:
    """Approvals of two people, and then it is published."""
    gated = msgspec.structs.replace(TAG, gate=Gate(approvals=2))
    stream = rig.configure(publications=(gated,))
    follows = follower(rig.surroundings)
    await make(rig, "4.20.0-0.test-1")
    for team, actor in (("qe", "ann"), ("docs", "ann"), ("docs", "bob")):
        for _ in range(2):
            await follows.advance(stream)
        await actions.approve(
            rig.surroundings, "4.20.0-0.test-1", team=team, actor=actor, reason=""
        )
    await follows.advance(stream)
    assert [(line.state.value, line.message) for line in await log_of(rig)] == [
        ("Waiting", "it has 0 of 2 approvals"),
        ("Waiting", "it has 1 of 2 approvals, from ann"),
        ("Running", "the newest that may be published"),
        ("Done", "the newest that may be published"),
    ]


async def test_two_people_of_one_team_are_two_approvals(rig: Rig) -> None:
    """Neither takes the place of the other's, and saying it again is one approval still."""
    gated = msgspec.structs.replace(TAG, gate=Gate(approvals=2))
    stream = rig.configure(publications=(gated,))
    release = await make(rig, "4.20.0-0.test-1")
    follows = follower(rig.surroundings)
    for actor in ("ann", "ann", "bob"):
        await follows.advance(stream)
        assert (await log_of(rig))[-1].state is WAITING
        await actions.approve(rig.surroundings, release.name, team="qe", actor=actor, reason="")
    await follows.advance(stream)
    assert (await log_of(rig))[-1].state is DONE


async def test_a_command_is_told_what_is_published_and_sees_no_secrets(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its failure is on record with its last words."""
    monkeypatch.setenv("OUR_SECRET", "hunter2")
    program = (
        "import os, pathlib, sys;"
        "pathlib.Path('told').write_text(repr(sorted(os.environ.items())));"
        "sys.exit('no room' if os.path.exists('fail') else 0)"
    )
    action = PublishAction(name="announce", kind="command", command=(sys.executable, "-c", program))
    stream = rig.configure(publications=(action,))
    release = await make(rig, "4.20.0-0.test-1")
    folder = rig.surroundings.state / "publications" / "4.20.0-0.test-1" / "announce"
    folder.mkdir(parents=True)
    (folder / "fail").touch()
    follows = follower(rig.surroundings)
    await follows.advance(stream)
    failed = (await log_of(rig, "announce"))[-1]
    assert failed.state is FAILED
    assert failed.message.endswith("ended with code 1: no room")
    (folder / "fail").unlink()
    rig.clock.advance(60)
    await follows.advance(stream)
    assert (await log_of(rig, "announce"))[-1].state is DONE
    told = (folder / "told").read_text()
    assert "hunter2" not in told
    for value in (release.name, str(release.digest), release.pull_spec, STREAM):
        assert f"'{value}'" in told


@pytest.mark.parametrize("kind", ["tag", "copy"])
async def test_a_kill_at_any_step_publishes_once(tmp_path: Path, kind: str) -> None:
    """The same tags and the same log, whenever the process died."""
    ends = set()
    targets = ("4.20",) if kind == "tag" else ("quay.test/mirror/okd",)

    async def prepare(rig: Rig) -> None:
        action = PublishAction(name="newest", kind=kind, targets=targets)
        rig.configure(publications=(action,))
        await make(rig, "4.20.0-0.test-1")
        await follower(rig.surroundings).advance(rig.streams[STREAM])
        await make(rig, "4.20.0-0.test-2", "two")

    async def act(surroundings: Surroundings) -> None:
        await follower(surroundings).advance(surroundings.configurations()[STREAM])

    async for rig in each_kill(tmp_path, prepare, act):
        place = rig.repository(RELEASES if kind == "tag" else targets[0])
        content = sorted(place.manifests.tagged.items())
        log = tuple((line.release, line.state) for line in await log_of(rig))
        ends.add((tuple(content), log))
    assert len(ends) == 1
    ((_, log),) = ends
    assert [state.value for _, state in log] == ["Running", "Done", "Running", "Done"]


async def test_what_cannot_be_published_is_refused_with_what_can(rig: Rig) -> None:
    """A mistyped name, a release that is not accepted, a way that is switched off."""
    off = msgspec.structs.replace(TAG, name="off", disabled=True)
    rig.configure(publications=(TAG, off))
    release = await make(rig, "4.20.0-0.test-1")
    for publication, error in (("nowest", UnknownName), ("off", InputError)):
        with pytest.raises(error):
            await actions.publish(
                rig.surroundings, release.name, publication=publication, actor="ann", reason=""
            )
    with pytest.raises(UnknownName, match="release stream"):
        await actions.roll_back(rig.surroundings, "x", publication="newest", actor="a", reason="")
    await actions.reject(rig.surroundings, release.name, actor="ann", reason="it breaks")
    with pytest.raises(InputError, match="is Rejected, and only accepted releases"):
        await actions.publish(
            rig.surroundings, release.name, publication="newest", actor="ann", reason=""
        )
