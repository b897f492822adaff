# SPDX-License-Identifier: Apache-2.0
"""What the runs of a release say together.

A verification has attempts, an attempt one or several runs. One attempt that succeeds is enough,
whatever came before it; an attempt fails as soon as too few of its runs can still succeed, and
the verification when no retry is left. An attempt that broke by itself (its node went, its image
could not be pulled, its time was over) uses up no retry of those that the release failed: it has
retries of its own. What waits for a verification that failed has failed with it. What counts are
the runs since the release became ready: somebody who asks for a retry begins anew, and what was
before stays on record.

A release is rejected as soon as anything that blocks has failed, and accepted when all of it has
succeeded: nobody waits for an outcome that is certain. Where nothing blocks, everything
informing must have ended.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration, Verification
from okd_payload.controller.model import Phase, Release, RunState, Transition, VerificationRun
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
    broken: int = 0
    """How many of them broke by themselves."""
    waits_for: str = ""
    """The verification that failed, so that this one never begins."""

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


def stand_by_architecture(
    configuration: StreamConfiguration, runs: Iterable[VerificationRun], *, since: float = 0.0
) -> dict[str, Standing]:
    """How the release stands for each architecture of its stream, where any is verified apart.

    What blocks and is about all of them counts for each.
    """
    progressed = follow(configuration, runs, since=since)
    if not any(each.verification.architecture for each in progressed):
        return {}
    found = {}
    for architecture in configuration.architectures:
        standings = {
            each.standing
            for each in progressed
            if each.blocks and each.verification.architecture in ("", architecture)
        }
        found[architecture] = next(
            (each for each in (Standing.FAILED, Standing.OPEN) if each in standings),
            Standing.SUCCEEDED,
        )
    return found


def ready_since(release: Release, transitions: Sequence[Transition]) -> float:
    """When the release became ready for the last time; runs from before do not count.

    ``transitions`` are its own, the oldest first: by their order, for the clock may be set back.
    """
    times = [each.time for each in transitions if each.after is Phase.READY]
    return times[-1] if times else release.created


def follow(
    configuration: StreamConfiguration, runs: Iterable[VerificationRun], *, since: float = 0.0
) -> tuple[Progressed, ...]:
    """Each enabled verification of the stream, and how it stands."""
    by_name: dict[str, dict[int, list[VerificationRun]]] = {}
    for run in runs:
        if run.queued < since:
            continue
        by_name.setdefault(run.verification, {}).setdefault(run.attempt, []).append(run)
    found = {
        verification.name: _follow(verification, by_name.get(verification.name, {}))
        for verification in configuration.verifications
        if not verification.disabled
    }
    while hopeless := [each for each in found.values() if _is_hopeless(each, found)]:
        for each in hopeless:
            before = next(name for name in each.verification.after if _has_failed(name, found))
            found[each.verification.name] = msgspec.structs.replace(
                each, standing=Standing.FAILED, waits_for=before
            )
    return tuple(found.values())


def _is_hopeless(each: Progressed, others: Mapping[str, Progressed]) -> bool:
    """Whether it waits for something that has failed for good."""
    waits = each.standing is Standing.OPEN and not each.attempts
    return waits and any(_has_failed(name, others) for name in each.verification.after)


def _has_failed(name: str, others: Mapping[str, Progressed]) -> bool:
    return name in others and others[name].standing is Standing.FAILED


def _follow(
    verification: Verification, attempts: Mapping[int, Sequence[VerificationRun]]
) -> Progressed:
    ordered = tuple(tuple(attempts[number]) for number in sorted(attempts))
    standings = [stand(verification, attempt) for attempt in ordered]
    broken = sum(_is_broken(verification, attempt) for attempt in ordered)
    failed = standings.count(Standing.FAILED) - broken
    if Standing.SUCCEEDED in standings:
        standing = Standing.SUCCEEDED
    elif failed > verification.max_retries or broken > verification.error_retries:
        standing = Standing.FAILED
    else:
        standing = Standing.OPEN
    return Progressed(verification=verification, standing=standing, attempts=ordered, broken=broken)


def _is_broken(verification: Verification, attempt: Sequence[VerificationRun]) -> bool:
    """Whether an attempt failed, and would not have if no run of it had broken by itself."""
    sound = [run for run in attempt if run.state is not RunState.ERROR]
    if len(sound) == len(attempt) or stand(verification, attempt) is not Standing.FAILED:
        return False
    return stand(verification, sound) is not Standing.FAILED


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
    name = progressed.verification.name
    if architecture := progressed.verification.architecture:
        name += f" ({architecture})"
    if progressed.waits_for:
        return f"{name} was not begun, because {progressed.waits_for} failed"
    last = progressed.attempts[-1]
    lost = [run for run in last if run.state.is_final and run.state is not RunState.SUCCEEDED]
    why = next((run.message for run in lost if run.message), "")
    lost_attempts = [stand(progressed.verification, each) for each in progressed.attempts]
    failed = lost_attempts.count(Standing.FAILED) - progressed.broken
    words = [f"failed {_times(failed)}".rstrip()] if failed else []
    words += [f"broke {_times(progressed.broken)}".rstrip()] if progressed.broken else []
    told = f"{name} {' and '.join(words)}"
    return f"{told}: {why}" if why else told


def _times(count: int) -> str:
    return f"{count} times" if count > 1 else ""
