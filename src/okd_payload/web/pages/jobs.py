# SPDX-License-Identifier: Apache-2.0
"""The verifications of a release as pages tell them: how each stands, and all its attempts.

What the configuration does not know any more is told, too, as long as there are runs of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.model import RunState, VerificationRun
from okd_payload.controller.verification.judging import Progressed, Standing, follow

_FAILED = (RunState.FAILED, RunState.ERROR)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One verification of one release."""

    name: str
    blocks: bool = False
    is_configured: bool = True
    platform: str = ""
    standing: Standing = Standing.OPEN
    attempts: tuple[tuple[VerificationRun, ...], ...] = ()

    @property
    def latest(self) -> VerificationRun | None:
        """The run that says most: one by which the job succeeded, where it has.

        Else of the last attempt, and one that failed before others.
        """
        if not self.attempts:
            return None
        last = self.attempts[-1]
        if self.standing is Standing.SUCCEEDED:
            ran = (run for attempt in reversed(self.attempts) for run in attempt)
            return next((run for run in ran if run.state is RunState.SUCCEEDED), last[-1])
        return next((run for run in last if run.state in _FAILED), last[-1])

    @property
    def word(self) -> str:
        """How it stands, for people."""
        if self.standing is not Standing.OPEN:
            return str(self.standing.value)
        latest = self.latest
        if latest is None:
            return "Not started"
        return "To be retried" if latest.state.is_final else str(latest.state.value)

    @property
    def seconds(self) -> float | None:
        """How long its last run took, once it has ended."""
        latest = self.latest
        if latest is None or latest.started is None or latest.ended is None:
            return None
        return latest.ended - latest.started


class JobCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs of a release by how they stand."""

    succeeded: tuple[Job, ...] = ()
    failed: tuple[Job, ...] = ()
    open: tuple[Job, ...] = ()

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.succeeded) + len(self.failed) + len(self.open)


def list_jobs(
    configuration: StreamConfiguration | None,
    runs: Sequence[VerificationRun],
    *,
    since: float = 0.0,
    is_decided: bool = False,
) -> tuple[Job, ...]:
    """The jobs that ``runs`` belong to, what blocks first.

    Runs from before ``since`` do not count. Of a release that ``is_decided``, jobs without any
    run are left out, which were configured later, and nothing waits for a retry.
    """
    known = [
        Job(
            name=each.verification.name,
            blocks=each.blocks,
            platform=", ".join(
                filter(None, (each.verification.platform, each.verification.architecture))
            ),
            standing=_final(each) if is_decided else each.standing,
            attempts=each.attempts,
        )
        for each in (follow(configuration, runs, since=since) if configuration else ())
        if each.attempts or not is_decided
    ]
    names = {job.name for job in known}
    others: dict[str, list[VerificationRun]] = {}
    for run in runs:
        if run.verification not in names and run.queued >= since:
            others.setdefault(run.verification, []).append(run)
    known += [_unconfigured(name, group) for name, group in sorted(others.items())]
    return tuple(sorted(known, key=lambda job: (not job.blocks, not job.is_configured)))


def count_jobs(jobs: Sequence[Job]) -> JobCounts:
    """``jobs`` by how they stand."""
    by_standing: dict[Standing, list[Job]] = {}
    for job in jobs:
        by_standing.setdefault(job.standing, []).append(job)
    return JobCounts(
        succeeded=tuple(by_standing.get(Standing.SUCCEEDED, ())),
        failed=tuple(by_standing.get(Standing.FAILED, ())),
        open=tuple(by_standing.get(Standing.OPEN, ())),
    )


def _final(progressed: Progressed) -> Standing:
    """How it stands when nobody retries it any more."""
    runs = [run for attempt in progressed.attempts for run in attempt]
    if progressed.standing is Standing.OPEN and all(run.state.is_final for run in runs):
        return Standing.FAILED
    return progressed.standing


def _unconfigured(name: str, runs: Sequence[VerificationRun]) -> Job:
    attempts: dict[int, list[VerificationRun]] = {}
    for run in runs:
        attempts.setdefault(run.attempt, []).append(run)
    states = {run.state for run in runs}
    if RunState.SUCCEEDED in states:
        standing = Standing.SUCCEEDED
    elif any(not state.is_final for state in states):
        standing = Standing.OPEN
    else:
        standing = Standing.FAILED
    return Job(
        name=name,
        is_configured=False,
        standing=standing,
        attempts=tuple(tuple(attempts[number]) for number in sorted(attempts)),
    )
