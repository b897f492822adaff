# SPDX-License-Identifier: Apache-2.0
"""Which release is published, and what those that are not wait for."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.controller.configuration.model import Gate, PublishAction, StreamConfiguration
from okd_payload.controller.model import CONTROLLER, Phase, Publication, PublicationState, Release
from okd_payload.controller.publishing.deciding import Facts, Proposal, in_order, propose
from okd_payload.controller.publishing.gates import Credentials
from okd_payload.controller.publishing.standing import stand

NOW = 1_700_000_000.0
HOUR = 3600.0
DONE, FAILED, UNDONE = PublicationState.DONE, PublicationState.FAILED, PublicationState.UNDONE
RUNNING, WAITING = PublicationState.RUNNING, PublicationState.WAITING


def release(name: str, age: float = 1, phase: Phase = Phase.ACCEPTED) -> Release:
    """A release that was accepted ``age`` hours ago."""
    moment = NOW - age * HOUR
    return Release(
        name=name, stream="s", phase=phase, created=moment, changed=moment, input_hash="h"
    )


def line(name: str, state: PublicationState, **fields: Any) -> Publication:
    """A line of the log."""
    made = Publication(release=name, name="tag", state=state, time=NOW - 10)
    return msgspec.structs.replace(made, **fields)


def decide(
    *releases: Release,
    log: tuple[Publication, ...] = (),
    credentials: dict[str, Credentials] | None = None,
    kind: str = "tag",
    **gate: Any,
) -> Proposal:
    """What is done for ``releases`` after ``log``."""
    action = PublishAction(name="tag", kind=kind, targets=("4.20",), gate=Gate(**gate))
    return propose(
        Facts(
            action=action,
            standing=stand(log),
            releases=releases,
            credentials=credentials or {},
            now=NOW,
        )
    )


def names(proposal: Proposal) -> list[str]:
    """The releases that are published."""
    return [step.release for step in proposal.steps]


def test_the_newest_accepted_release_by_version_is_published() -> None:
    """Whatever was made last: 4.20.10 is newer than 4.20.9."""
    found = decide(release("4.20.9", age=1), release("4.20.10", age=5), release("4.20.2", age=2))
    assert names(found) == ["4.20.10"]
    rejected = decide(release("4.20.9"), release("4.20.10", phase=Phase.REJECTED))
    assert names(rejected) == ["4.20.9"]
    by_time = decide(release("4.20.9", age=1), release("4.20.10", age=5), newest=False)
    assert names(by_time) == ["4.20.9"]


def test_what_is_older_than_what_is_published_is_not() -> None:
    """A release for an old branch that is accepted late takes nothing back."""
    log = (line("4.20.10", DONE),)
    assert names(decide(release("4.20.9", age=0), release("4.20.10"), log=log)) == []
    (step,) = decide(release("4.20.11"), release("4.20.10"), log=log).steps
    assert (step.release, step.replaces) == ("4.20.11", "4.20.10")


def test_a_release_that_waits_lets_the_one_before_be_published() -> None:
    """And it says what for, until when, in words that stay the same while it waits."""
    old, new = release("4.20.1", age=30), release("4.20.2", age=2)
    found = decide(old, new, soak=24 * HOUR)
    assert names(found) == ["4.20.1"]
    assert [(wait.release, wait.message) for wait in found.waits] == [
        ("4.20.2", "it must have been accepted for 1d, which is so at 2023-11-15 20:13:20 UTC")
    ]
    assert found.wake == new.changed + 24 * HOUR


def test_signature_and_approvals_of_different_people_are_waited_for() -> None:
    """Somebody who speaks for two teams is one person."""
    one = release("4.20.1")
    found = decide(one, signed=True, approvals=2)
    assert found.waits[0].message == "it is not signed; it has 0 of 2 approvals"
    ann = {"4.20.1": Credentials(signed=True, approved_by=frozenset({"ann"}))}
    found = decide(one, signed=True, approvals=2, credentials=ann)
    assert found.waits[0].message == "it has 1 of 2 approvals, from ann"
    both = {"4.20.1": Credentials(signed=True, approved_by=frozenset({"ann", "bob"}))}
    assert names(decide(one, signed=True, approvals=2, credentials=both)) == ["4.20.1"]


def test_a_roll_back_returns_to_what_was_there_and_stays_there() -> None:
    """Until something newer than all that was ever published comes."""
    first, second, between = release("4.20.1"), release("4.20.3"), release("4.20.2")
    log = (
        line("4.20.1", DONE),
        line("4.20.3", DONE, replaced="4.20.1"),
        line("4.20.3", UNDONE, replaced="4.20.1", actor="ann"),
    )
    (step,) = decide(first, second, between, log=log).steps
    assert (step.release, step.restores) == ("4.20.1", True)
    restored = (*log, line("4.20.1", RUNNING), line("4.20.1", DONE))
    assert names(decide(first, second, between, log=restored)) == []
    assert names(decide(first, second, release("4.20.4"), log=restored)) == ["4.20.4"]
    gone = decide(second, log=log)
    assert gone.waits[0].message == "it cannot be returned to, because it was removed"


def test_two_roll_backs_go_two_steps_back() -> None:
    """What stood there before is known of each."""
    releases = [release(f"4.20.{number}") for number in (1, 2, 3)]
    log = [
        line("4.20.1", DONE),
        line("4.20.2", DONE, replaced="4.20.1"),
        line("4.20.3", DONE, replaced="4.20.2"),
        line("4.20.3", UNDONE, replaced="4.20.2"),
    ]
    (step,) = decide(*releases, log=tuple(log)).steps
    assert (step.release, step.replaces) == ("4.20.2", "4.20.1")
    log.append(line("4.20.2", DONE, replaced=step.replaces))
    standing = stand(log)
    assert (standing.current, standing.replaced) == ("4.20.2", "4.20.1")


def test_who_asks_need_not_wait_but_needs_signature_and_approvals() -> None:
    """Older than what is published, too; afterwards nothing goes back by itself."""
    log = (line("4.20.3", DONE), line("4.20.1", WAITING, actor="ann"))
    releases = (release("4.20.1"), release("4.20.3"))
    assert names(decide(*releases, log=log, soak=99 * HOUR)) == ["4.20.1"]
    held = decide(*releases, log=log, approvals=1)
    assert (names(held), held.waits[0].release) == ([], "4.20.1")
    told = (*log, line("4.20.1", WAITING, actor=CONTROLLER, message=held.waits[0].message))
    assert names(decide(*releases, log=told)) == ["4.20.1"]
    done = (*told, line("4.20.1", DONE, replaced="4.20.3"))
    assert names(decide(*releases, log=done)) == []
    undone = (*done, line("4.20.1", UNDONE, replaced="4.20.3"), line("4.20.3", DONE))
    again = (*undone, line("4.20.1", WAITING, actor="ann"))
    assert names(decide(*releases, log=again)) == ["4.20.1"]


@pytest.mark.parametrize(("failures", "pause"), [(1, 60), (2, 300), (3, 900), (4, 3600), (9, 3600)])
def test_what_failed_is_tried_again_later_and_later(failures: int, pause: float) -> None:
    """And no older release is published in its place meanwhile."""
    log = tuple(line("4.20.2", FAILED, time=NOW - pause + 1) for _ in range(failures))
    releases = (release("4.20.1"), release("4.20.2"))
    found = decide(*releases, log=log)
    assert (names(found), found.wake) == ([], NOW + 1)
    due = tuple(msgspec.structs.replace(each, time=NOW - pause) for each in log)
    assert names(decide(*releases, log=due)) == ["4.20.2"]


def test_every_release_since_the_last_signed_one_is_signed() -> None:
    """Signatures replace nothing; the first time only the newest is signed."""
    releases = tuple(release(f"4.20.{number}") for number in (1, 2, 3, 4))
    assert names(decide(*releases, kind="sign")) == ["4.20.4"]
    log = (line("4.20.2", DONE),)
    assert names(decide(*releases, kind="sign", log=log)) == ["4.20.3", "4.20.4"]


def test_who_waits_for_a_release_that_was_overtaken_is_told() -> None:
    """The page says no more that it is waited for."""
    log = (line("4.20.1", WAITING, message="it is not signed"), line("4.20.2", DONE))
    found = decide(release("4.20.1"), release("4.20.2"), log=log)
    assert [wait.message for wait in found.waits] == ["4.20.2 is newer, and was published"]


def test_signing_comes_before_all_else() -> None:
    """Whatever the order in the file: others may wait for the signature."""
    actions = tuple(
        PublishAction(name=kind, kind=kind, disabled=kind == "copy")
        for kind in ("tag", "copy", "sign", "command")
    )
    stream = StreamConfiguration(name="s", publications=actions)
    assert [each.name for each in in_order(stream)] == ["sign", "tag", "command"]


LINES = st.lists(
    st.tuples(
        st.sampled_from(["4.20.1", "4.20.2", "4.20.3", "odd"]),
        st.sampled_from(list(PublicationState)),
        st.sampled_from([CONTROLLER, "ann"]),
        st.sampled_from(["", "4.20.1", "4.20.2"]),
    ),
    max_size=12,
)


@given(LINES)
def test_whatever_the_log_says_nothing_goes_back_unasked(lines: list[Any]) -> None:
    """Without a request or a roll-back, only what is newer than all before is published."""
    log = [
        line(name, state, actor=actor, replaced=replaced) for name, state, actor, replaced in lines
    ]
    standing = stand(log)
    releases = [release(name) for name in ("4.20.1", "4.20.2", "4.20.3", "odd")]
    action = PublishAction(name="tag", kind="tag", targets=("4.20",))
    found = propose(
        Facts(action=action, standing=standing, releases=tuple(releases), now=NOW + 1e9)
    )
    assert len(found.steps) <= 1
    if found.steps and standing.asked is None and not standing.restoring:
        published = [name for name in standing.published if name != "odd"]
        assert all(found.steps[0].release > name for name in published)
    assert not set(names(found)) & {wait.release for wait in found.waits}


def test_by_time_what_was_made_while_another_soaked_follows_it() -> None:
    """The time of a release is when it was made, not when it came to its place."""
    first, second = release("odd", age=5), release("even", age=3)
    log = (line("odd", DONE, time=NOW - HOUR),)
    assert names(decide(first, second, log=log, newest=False)) == ["even"]
    assert names(decide(first, release("older", age=6), log=log, newest=False)) == []


def test_releases_of_older_branches_are_signed_too() -> None:
    """Also one whose signature failed while a newer one was signed; none from before signing."""
    releases = (release("4.19.7", age=9), release("4.19.8", age=1), release("4.20.1", age=2))
    log = (line("4.19.6", DONE, time=NOW - 3 * HOUR), line("4.20.1", DONE))
    assert names(decide(*releases, kind="sign", log=log)) == ["4.19.8"]


def test_what_was_asked_for_and_cannot_be_keeps_nothing_newer_waiting() -> None:
    """A release that was withdrawn or refused since, or that a roll-back cannot return to."""
    first, refused = release("4.20.1"), release("4.20.2", phase=Phase.REJECTED)
    log = (line("4.20.1", DONE), line("4.20.2", WAITING, actor="ann"))
    found = decide(first, refused, release("4.20.3"), log=log)
    assert names(found) == ["4.20.3"]
    assert [(wait.release, wait.message) for wait in found.waits] == [
        ("4.20.2", "it is not accepted")
    ]
    gone = decide(first, release("4.20.3"), log=log)
    assert (names(gone), gone.waits[0].message) == (["4.20.3"], "it was removed")
    rolled = (
        line("4.20.1", DONE),
        line("4.20.2", DONE, replaced="4.20.1"),
        line("4.20.2", UNDONE, replaced="4.20.1", actor="ann"),
    )
    assert names(decide(release("4.20.2"), release("4.20.3"), log=rolled)) == ["4.20.3"]
    asked = (*rolled, line("4.20.2", WAITING, actor="ann"))
    assert names(decide(release("4.20.2"), release("4.20.3"), log=asked)) == ["4.20.2"]


def test_who_waits_after_a_roll_back_is_told_what_is_newer() -> None:
    """Not what stands there: that is older."""
    log = (
        line("4.20.1", DONE),
        line("4.20.2", WAITING, message="it is not signed"),
        line("4.20.3", DONE, replaced="4.20.1"),
        line("4.20.3", UNDONE, replaced="4.20.1", actor="ann"),
        line("4.20.1", DONE),
    )
    found = decide(*(release(f"4.20.{number}") for number in (1, 2, 3)), log=log)
    assert [(wait.release, wait.message) for wait in found.waits] == [
        ("4.20.2", "4.20.3 is newer, and was published")
    ]


@pytest.mark.parametrize("kind", ["sign", "copy"])
def test_what_lasts_replaces_nothing(kind: str) -> None:
    """So no release is said to stay because a roll-back returned to it."""
    log = (line("4.20.1", DONE),)
    (step,) = decide(release("4.20.1"), release("4.20.2"), log=log, kind=kind).steps
    assert (step.release, step.replaces) == ("4.20.2", "")
