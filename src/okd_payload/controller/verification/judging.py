# SPDX-License-Identifier: Apache-2.0
"""What the runs of a release say together.

A verification has attempts, an attempt one or several runs. One attempt that succeeds is enough,
whatever came before it; an attempt fails as soon as too few of its runs can still succeed, and
the verification when no retry is left. What counts are the runs since the release became ready:
somebody who asks for a retry begins anew, and what was before stays on record.

A release is rejected as soon as anything that blocks has failed, and accepted when all of it has
succeeded: nobody waits for an outcome that is certain. Where nothing blocks, everything
informing must have ended.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration, Verification
from okd_payload.controller.model import Phase, RunState, VerificationRun
from okd_payload.controller.reconciling.decide import Verdict


class Standing(enum.Enum):
    """How far a verification, or one attempt at it, has come."""

    OPEN = "Open"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class Progressed(msgspec.Struct, frozen=True, kw_only=True):
    """One verification of one release: how it stands, and its attempts so far."""

    verification: Verification
    standing: Standing
    attempts: tuple[tuple[VerificationRun, ...], ...] = ()
    """The runs of each attempt, the first attempt first."""

    @property
    def blocks(self) -> bool:
        """Whether the release waits for it."""
        return not self.verification.optional

    @property
    def is_awaited(self) -> bool:
        """Whether its end is needed where nothing blocks."""
        return not self.verification.asynchronous


def judge(
    configuration: StreamConfiguration, runs: Sequence[VerificationRun], *, since: float = 0.0
) -> Verdict:
    """The verdict over a release whose runs are ``runs``, ready ``since`` that moment."""
    progressed = follow(configuration, runs, since=since)
    failed = [each for each in progressed if each.blocks and each.standing is Standing.FAILED]
    if failed:
        return Verdict(
            phase=Phase.REJECTED, reason="VerificationFailed", message=_tell_failures(failed)
        )
    blocking = [each for each in progressed if each.blocks]
    awaited = blocking or [each for each in progressed if each.is_awaited]
    waiting = [each for each in awaited if each.standing is Standing.OPEN]
    if waiting:
        return Verdict()
    names = ", ".join(each.verification.name for each in blocking)
    message = f"{names} succeeded" if names else "nothing blocks it"
    return Verdict(phase=Phase.ACCEPTED, reason="VerificationSucceeded", message=message)


def follow(
    configuration: StreamConfiguration, runs: Iterable[VerificationRun], *, since: float = 0.0
) -> tuple[Progressed, ...]:
    """Each enabled verification of the stream, and how it stands."""
    by_name: dict[str, dict[int, list[VerificationRun]]] = {}
    for run in runs:
        if run.queued < since:
            continue
        by_name.setdefault(run.verification, {}).setdefault(run.attempt, []).append(run)
    return tuple(
        _follow(verification, by_name.get(verification.name, {}))
        for verification in configuration.verifications
        if not verification.disabled
    )


def _follow(
    verification: Verification, attempts: Mapping[int, Sequence[VerificationRun]]
) -> Progressed:
    ordered = tuple(tuple(attempts[number]) for number in sorted(attempts))
    standings = [stand(verification, attempt) for attempt in ordered]
    if Standing.SUCCEEDED in standings:
        standing = Standing.SUCCEEDED
    elif standings.count(Standing.FAILED) > verification.max_retries:
        standing = Standing.FAILED
    else:
        standing = Standing.OPEN
    return Progressed(verification=verification, standing=standing, attempts=ordered)


def stand(verification: Verification, attempt: Sequence[VerificationRun]) -> Standing:
    """How one attempt stands: certain as soon as its missing runs cannot change it."""
    succeeded = sum(run.state is RunState.SUCCEEDED for run in attempt)
    lost = sum(run.state.is_final and run.state is not RunState.SUCCEEDED for run in attempt)
    if succeeded >= verification.required:
        return Standing.SUCCEEDED
    if verification.runs - lost < verification.required:
        return Standing.FAILED
    return Standing.OPEN


def _tell_failures(failed: Sequence[Progressed]) -> str:
    return "; ".join(_tell(each) for each in failed)


def _tell(progressed: Progressed) -> str:
    last = progressed.attempts[-1]
    lost = [run for run in last if run.state.is_final and run.state is not RunState.SUCCEEDED]
    why = next((run.message for run in lost if run.message), "")
    tried = len(progressed.attempts)
    words = f"{progressed.verification.name} failed"
    if tried > 1:
        words += f" {tried} times"
    return f"{words}: {why}" if why else words
