# SPDX-License-Identifier: Apache-2.0
"""Each rule that begins, holds back or ends something, and that none is stuck by another."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.controller.configuration.model import Input, StreamConfiguration, StreamKind
from okd_payload.controller.model import FOLLOWERS, Phase, Release, StreamState
from okd_payload.controller.reconciling.actions import Abort, Begin, Make, Settle, Verify
from okd_payload.controller.reconciling.decide import Situation, Verdict, decide

NOW = 1_700_000_000.0
HOUR = 3600.0


def release(number: int, phase: Phase, **fields: Any) -> Release:
    """Release ``number`` of the stream, the greater the older."""
    made = Release(
        name=f"r{number}",
        stream="s",
        phase=phase,
        created=NOW - number * HOUR,
        changed=NOW - number * HOUR,
        input_hash=f"hash-{number}",
    )
    return msgspec.structs.replace(made, **fields)


def situation(*releases: Release, state: StreamState | None = None, **fields: Any) -> Situation:
    """The stream with ``releases``; a field of the configuration goes by its name."""
    known = {name: fields.pop(name) for name in ("known", "verdicts") if name in fields}
    return Situation(
        configuration=StreamConfiguration(name="s", **fields),
        state=state or StreamState(name="s"),
        releases=releases,
        input_hash="hash-now",
        now=NOW,
        **known,
    )


def test_a_change_begins_a_release() -> None:
    """New inputs, and nothing in the way."""
    decision = decide(situation(release(1, Phase.ACCEPTED)))
    assert decision.actions == (Begin(input_hash="hash-now", reason="the images changed"),)
    assert decision.waiting == ""


def test_what_is_known_or_cannot_be_read_begins_nothing() -> None:
    """The same content makes no second release, unless somebody asks for it."""
    assert decide(situation(known=True)) == decide(
        msgspec.structs.replace(situation(), input_hash="")
    )
    assert decide(situation(known=True)).actions == ()
    asked = StreamState(name="s", rebuild=True)
    assert decide(situation(known=True, state=asked)).actions == (
        Begin(input_hash="hash-now", reason="asked for"),
    )
    assert decide(situation(kind=StreamKind.STABLE)).actions == ()


@pytest.mark.parametrize(
    ("given_situation", "waiting", "wake"),
    [
        (
            situation(state=StreamState(name="s", paused="a freeze", paused_by="ann")),
            "paused by ann: a freeze",
            None,
        ),
        (
            situation(state=StreamState(name="s", moved=NOW - 60), input=Input(settle=300.0)),
            "the images changed 1m ago, and must be still for 5m",
            NOW + 240,
        ),
        (situation(release(1, Phase.PENDING)), "r1 is being made", None),
        (
            situation(release(1, Phase.READY), release(2, Phase.READY), max_unready=2),
            "waiting for r1, r2, no more than 2 may be undecided",
            None,
        ),
        (
            situation(release(1, Phase.ACCEPTED), min_interval=12 * HOUR),
            "the next release may begin in 11h",
            NOW + 11 * HOUR,
        ),
        (situation(end_of_life=True), "the stream has reached its end of life", None),
    ],
)
def test_what_holds_a_stream_back_says_so(
    given_situation: Situation, waiting: str, wake: float | None
) -> None:
    """A stream that waits tells for what, and is looked at again when that is over."""
    decision = decide(given_situation)
    assert (decision.waiting, decision.wake) == (waiting, wake)
    assert not any(isinstance(action, Begin) for action in decision.actions)


def test_kept_releases_hold_nothing_back() -> None:
    """What is pinned counts neither as undecided nor as the newest."""
    kept = release(0, Phase.READY, kept=True)
    decision = decide(situation(kept, max_unready=1, min_interval=HOUR))
    assert decision.waiting == ""
    assert Begin(input_hash="hash-now", reason="the images changed") in decision.actions


def test_a_rebuild_waits_for_what_is_being_made_and_for_nothing_else() -> None:
    """Who asks for a release gets it although the interval is not over."""
    asked = StreamState(name="s", rebuild=True, moved=NOW)
    decision = decide(
        situation(release(0, Phase.ACCEPTED), state=asked, min_interval=HOUR, known=True)
    )
    assert [type(action) for action in decision.actions] == [Begin]


def test_a_pending_release_is_made_and_tried_again_when_it_is_time() -> None:
    """Only the newest; the others are given up."""
    older = release(2, Phase.PENDING)
    newest = release(1, Phase.PENDING, attempts=1, retry_at=NOW - 1)
    decision = decide(situation(newest, older, known=True))
    assert decision.actions == (
        Make(release="r1", attempt=2),
        Settle(
            release="r2",
            phase=Phase.FAILED,
            code="Aborted",
            reason="r1 was begun before its payload was made",
        ),
    )
    later = msgspec.structs.replace(newest, retry_at=NOW + 60)
    decision = decide(situation(later, known=True))
    assert (decision.actions, decision.wake) == ((), NOW + 60)


def test_a_ready_release_is_verified_until_its_verdict_is_certain() -> None:
    """Rejecting ends what still runs; accepting lets informing jobs go on."""
    ready = release(1, Phase.READY)
    assert decide(situation(ready, known=True)).actions == (Verify(release="r1"),)
    accepted = Verdict(phase=Phase.ACCEPTED, reason="Verified", message="all passed")
    (settle,) = decide(situation(ready, known=True, verdicts={"r1": accepted})).actions
    assert settle == Settle(
        release="r1", phase=Phase.ACCEPTED, code="Verified", reason="all passed"
    )
    rejected = Verdict(phase=Phase.REJECTED, reason="VerificationFailed", message="aws failed")
    actions = decide(situation(ready, known=True, verdicts={"r1": rejected})).actions
    assert [type(action) for action in actions] == [Settle, Abort]


def test_a_newer_payload_supersedes_where_that_is_wanted() -> None:
    """Older ones are given up only by streams that say so, and never when kept."""
    newer, older = release(1, Phase.READY), release(2, Phase.READY)
    kept = release(3, Phase.READY, kept=True)
    assert decide(situation(newer, older, known=True)).actions == (
        Verify(release="r1"),
        Verify(release="r2"),
    )
    actions = decide(situation(newer, older, kept, known=True, supersede=True)).actions
    assert [(type(each), each.reason) for each in actions] == [  # type: ignore[attr-defined]
        (Verify, ""),
        (Settle, "r1 is newer and its payload is made"),
        (Abort, "r1 is newer and its payload is made"),
        (Verify, ""),
    ]


RELEASES = st.lists(st.sampled_from(list(Phase)), max_size=6).map(
    lambda phases: tuple(release(number, phase) for number, phase in enumerate(phases))
)
VERDICTS = st.sampled_from([Verdict(), *(Verdict(phase=each) for each in FOLLOWERS[Phase.READY])])


@given(
    releases=RELEASES,
    verdict=VERDICTS,
    supersede=st.booleans(),
    known=st.booleans(),
    limit=st.integers(0, 3),
)
def test_no_decision_breaks_an_invariant(
    *, releases: tuple[Release, ...], verdict: Verdict, supersede: bool, known: bool, limit: int
) -> None:
    """Every move is one that may follow, each release has one, and at most one is begun."""
    verdicts = {each.name: verdict for each in releases}
    decision = decide(
        situation(*releases, verdicts=verdicts, supersede=supersede, known=known, max_unready=limit)
    )
    phases = {each.name: each.phase for each in releases}
    moved = [action for action in decision.actions if isinstance(action, Settle)]
    assert all(action.phase in FOLLOWERS[phases[action.release]] for action in moved)
    assert len({action.release for action in moved}) == len(moved)
    begun = [action for action in decision.actions if isinstance(action, Begin)]
    assert len(begun) == (not known and not decision.waiting)
    undecided = [each for each in releases if not each.phase.is_final]
    touched = {getattr(action, "release", "") for action in decision.actions}
    assert {each.name for each in undecided} <= touched
