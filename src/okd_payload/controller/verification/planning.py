# SPDX-License-Identifier: Apache-2.0
"""Which runs a release needs now: those that were never made, and retries whose time has come.

The first retry is made at once, the next after two, four and eight minutes, then every fifteen,
as users of the old controller know it. What waits for another verification is not begun before
that one has succeeded, and never when it has failed for good.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration, Verification
from okd_payload.controller.model import Release, VerificationRun
from okd_payload.controller.verification.judging import Progressed, Standing, follow, stand

PAUSES = (0.0, 120.0, 240.0, 480.0, 900.0)
"""Seconds between the end of an attempt and the next one, by the number of the retry."""


class NeededRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is to be queued."""

    verification: Verification
    attempt: int
    number: int

    def identity(self, release: str) -> str:
        """What the run is called: the same whoever plans it, so that it is made once."""
        parts = [release, self.verification.name]
        parts += [str(self.attempt)] if self.attempt else []
        parts += [f"analysis-{self.number}"] if self.verification.runs > 1 else []
        return "-".join(parts)


class RunPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be queued, what may be ended, and when more will be."""

    needed: tuple[NeededRun, ...] = ()
    useless: tuple[VerificationRun, ...] = ()
    """Runs that are under way although the outcome of their attempt is certain."""
    wake: float | None = None


def plan_runs(
    configuration: StreamConfiguration,
    release: Release,
    runs: Sequence[VerificationRun],
    *,
    now: float,
) -> RunPlan:
    """What ``release`` needs, whose runs so far are ``runs``."""
    followed = follow(configuration, runs, since=release.changed)
    progressed = {each.verification.name: each for each in followed}
    first = _first_attempts(runs, since=release.changed)
    needed: list[NeededRun] = []
    useless: list[VerificationRun] = []
    wakes: list[float] = []
    for each in progressed.values():
        useless += _useless(each)
        if each.standing is not Standing.OPEN or not _may_begin(each, progressed):
            continue
        due = _due(each, release)
        if due > now:
            wakes.append(due)
        else:
            needed += _missing(each, first=first.get(each.verification.name, 0))
    return RunPlan(needed=tuple(needed), useless=tuple(useless), wake=min(wakes, default=None))


def _may_begin(each: Progressed, others: dict[str, Progressed]) -> bool:
    before = [others[name] for name in each.verification.after if name in others]
    return all(other.standing is Standing.SUCCEEDED for other in before)


def _due(each: Progressed, release: Release) -> float:
    """When the attempt that is missing may begin."""
    if not each.attempts:
        return release.changed
    if stand(each.verification, each.attempts[-1]) is Standing.OPEN:
        return 0.0
    pause = PAUSES[min(len(each.attempts) - 1, len(PAUSES) - 1)]
    return max(run.ended or 0.0 for run in each.attempts[-1]) + pause


def _first_attempts(runs: Sequence[VerificationRun], *, since: float) -> dict[str, int]:
    """By verification, the number that its next attempt has when those before do not count."""
    first: dict[str, int] = {}
    for run in runs:
        if run.queued < since:
            first[run.verification] = max(first.get(run.verification, 0), run.attempt + 1)
    return first


def _missing(each: Progressed, *, first: int) -> list[NeededRun]:
    """The runs that the attempt under way lacks, or all of the next one."""
    last = each.attempts[-1] if each.attempts else ()
    is_open = bool(last) and stand(each.verification, last) is Standing.OPEN
    attempt = last[0].attempt if is_open else (last[0].attempt + 1 if last else first)
    there = {run.number for run in last} if is_open else set()
    return [
        NeededRun(verification=each.verification, attempt=attempt, number=number)
        for number in range(each.verification.runs)
        if number not in there
    ]


def _useless(each: Progressed) -> list[VerificationRun]:
    return [
        run
        for attempt in each.attempts
        if stand(each.verification, attempt) is not Standing.OPEN
        for run in attempt
        if not run.state.is_final
    ]
