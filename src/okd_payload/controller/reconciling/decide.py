# SPDX-License-Identifier: Apache-2.0
"""What to do for one stream, from its records alone.

Rules of the old controller are kept where its users rely on them (one pending release at a time,
``maxUnready``, the interval), and changed where they hurt: an unchanged input is recognised by
name and digest, a failed creation is tried again by itself, a release is judged as soon as its
outcome is certain, and each rule that holds a stream back says so. Each release is decided by
itself: one that is stuck never keeps others from going on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from okd_payload.controller.configuration.durations import format_duration
from okd_payload.controller.configuration.model import StreamConfiguration, StreamKind
from okd_payload.controller.model import Phase, Release, StreamState
from okd_payload.controller.reconciling.actions import (
    Abort,
    Action,
    Begin,
    Decision,
    Make,
    Settle,
    Verify,
)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the runs of a release say by now."""

    phase: Phase | None = None
    """Accepted or Rejected once that is certain, None before."""
    reason: str = ""
    message: str = ""


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a decision is made from."""

    configuration: StreamConfiguration
    state: StreamState
    releases: tuple[Release, ...] = ()
    """Those of the stream that are not withdrawn, the newest first: at least the undecided ones,
    the newest accepted one and the newest that is not kept."""
    input_hash: str = ""
    """Of the inputs as they are now; empty where they cannot be read or there are none."""
    known: bool = False
    """Whether the stream has had a release of exactly these inputs."""
    obstacle: str = ""
    """What keeps payloads of the stream from being made here at all; empty where nothing does."""
    verdicts: Mapping[str, Verdict] = {}
    """Of the releases that are ready, by name."""
    now: float


def decide(situation: Situation) -> Decision:
    """What is to be done now, and when to look again."""
    configuration, state = situation.configuration, situation.state
    if configuration.end_of_life:
        return Decision(waiting="the stream has reached its end of life")
    actions = [action for release in situation.releases for action in _go_on(situation, release)]
    wakes = [
        release.retry_at
        for release in situation.releases
        if release.phase is Phase.PENDING and release.retry_at and release.retry_at > situation.now
    ]
    waiting, wake = situation.obstacle, None
    is_made_here = configuration.kind is StreamKind.INTEGRATION and not waiting
    if is_made_here and _is_wanted(situation):
        waiting, wake = _hold_back(situation)
        if not waiting:
            reason = "asked for" if state.rebuild else "the images changed"
            actions.append(Begin(input_hash=situation.input_hash, reason=reason))
    wakes += [wake] if wake is not None else []
    return Decision(actions=tuple(actions), waiting=waiting, wake=min(wakes, default=None))


def _is_wanted(situation: Situation) -> bool:
    if not situation.input_hash:
        return False
    return situation.state.rebuild or not situation.known


def _hold_back(situation: Situation) -> tuple[str, float | None]:
    """Why no release may be begun now, and until when; empty when one may."""
    configuration, state, now = situation.configuration, situation.state, situation.now
    if state.paused:
        by = f" by {state.paused_by}" if state.paused_by else ""
        return f"paused{by}: {state.paused}", None
    still = configuration.input.settle
    if state.moved is not None and now < state.moved + still and not state.rebuild:
        since, least = _ago(now - state.moved), format_duration(still)
        return f"the images changed {since}, and must be still for {least}", state.moved + still
    counted = [release for release in situation.releases if not release.kept]
    pending = [release.name for release in counted if release.phase is Phase.PENDING]
    if pending:
        return f"{pending[0]} is being made", None
    unready = [release.name for release in counted if not release.phase.is_final]
    limit = configuration.max_unready
    if limit and len(unready) >= limit:
        return f"waiting for {', '.join(unready)}, no more than {limit} may be undecided", None
    if counted and not state.rebuild:
        due = counted[0].created + configuration.min_interval
        if counted[0].created <= now < due:  # later ones are from before the clock was set back
            return f"the next release may begin in {format_duration(due - now)}", due
    return "", None


def _ago(seconds: float) -> str:
    return f"{format_duration(max(0.0, seconds))} ago"


def _go_on(situation: Situation, release: Release) -> Iterator[Action]:
    """What is to be done for a release that is there."""
    if release.phase is Phase.PENDING:
        yield from _pend(situation, release)
    elif release.phase is Phase.READY:
        yield from _judge(situation, release)


def _pend(situation: Situation, release: Release) -> Iterator[Action]:
    newer = next((each for each in situation.releases if each.phase is Phase.PENDING), release)
    if newer.name != release.name and not release.kept and not release.adopted:
        yield Settle(
            release=release.name,
            phase=Phase.FAILED,
            code="Aborted",
            reason=f"{newer.name} was begun before its payload was made",
        )
    elif situation.obstacle:
        return
    elif release.retry_at is None or release.retry_at <= situation.now:
        yield Make(release=release.name, attempt=release.attempts + 1)


def _judge(situation: Situation, release: Release) -> Iterator[Action]:
    verdict = situation.verdicts.get(release.name, Verdict())
    newer = _newer(situation, release) if situation.configuration.supersede else None
    if verdict.phase is not None:
        yield Settle(
            release=release.name, phase=verdict.phase, code=verdict.reason, reason=verdict.message
        )
        if verdict.phase is Phase.REJECTED:  # nothing that still runs could change it
            yield Abort(release=release.name, reason="the release is rejected")
    elif newer is not None and not release.kept:
        reason = f"{newer.name} is newer and its payload is made"
        yield Settle(release=release.name, phase=Phase.REJECTED, code="Superseded", reason=reason)
        yield Abort(release=release.name, reason=reason)
    else:
        yield Verify(release=release.name)


def _newer(situation: Situation, release: Release) -> Release | None:
    """The newest release after ``release`` that has a payload."""
    made = (Phase.READY, Phase.ACCEPTED)
    for each in situation.releases:
        if each.name == release.name:
            return None
        if each.phase in made:
            return each
    return None
