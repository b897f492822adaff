# SPDX-License-Identifier: Apache-2.0
"""What verifications and tested updates said of a release, as the old interface has it.

The updates *to* a release stand under ``upgradesTo``, with names in capital letters.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration, Verification
from okd_payload.controller.graph.tested import TestedUpdate, group_runs, has_begun
from okd_payload.controller.model import Edge, RunState, VerificationRun
from okd_payload.controller.verification.judging import Standing, stand
from okd_payload.release.times import format_time
from okd_payload.web.graph.archive import FAILED, PENDING, SUCCEEDED, word_of


class Fields(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base of all parts: what is empty is left out."""


class ShownJob(Fields, frozen=True, kw_only=True):
    """One verification: its newest attempt, and where the former ones are."""

    state: str
    url: str
    retries: int = 0
    previous_attempt_urls: tuple[str, ...] = msgspec.field(name="previousAttemptURLs", default=())
    transition_time: str = ""


class ShownResults(Fields, frozen=True, kw_only=True):
    """All verifications that have runs."""

    blocking_jobs: dict[str, ShownJob] = {}
    informing_jobs: dict[str, ShownJob] = {}
    async_jobs: dict[str, ShownJob] = {}


class ShownRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run of an update."""

    state: str
    url: str


class ShownUpdate(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={
        "source": "From",
        "target": "To",
        "success": "Success",
        "failure": "Failure",
        "total": "Total",
        "history": "History",
    },
):
    """A tested update."""

    source: str
    target: str
    success: int
    failure: int
    total: int
    history: dict[str, ShownRun] | None


def show_results(
    configuration: StreamConfiguration, runs: Iterable[VerificationRun]
) -> ShownResults:
    """The verifications of a release whose runs are ``runs``, those that the stream has now."""
    by_name: dict[str, list[VerificationRun]] = {}
    for run in runs:
        by_name.setdefault(run.verification, []).append(run)
    blocking: dict[str, ShownJob] = {}
    informing: dict[str, ShownJob] = {}
    unawaited: dict[str, ShownJob] = {}
    for each in sorted(configuration.verifications, key=lambda each: each.name):
        if each.name not in by_name:
            continue
        awaited = informing if each.optional else blocking
        place = unawaited if each.asynchronous else awaited
        place[each.name] = _show_job(by_name[each.name], each)
    return ShownResults(blocking_jobs=blocking, informing_jobs=informing, async_jobs=unawaited)


def _show_job(runs: Sequence[VerificationRun], verification: Verification) -> ShownJob:
    """A job by the run that made it a success, else by its newest."""
    attempts: dict[int, list[VerificationRun]] = {}
    for run in runs:
        attempts.setdefault(run.attempt, []).append(run)
    ordered = [attempts[number] for number in sorted(attempts)]
    passed = [
        attempt for attempt in ordered if any(run.state is RunState.SUCCEEDED for run in attempt)
    ]
    shown = (passed or ordered)[0 if passed else -1]
    succeeded = [run for run in shown if run.state is RunState.SUCCEEDED]
    last = succeeded[0] if succeeded else shown[-1]
    ended = max((run.ended for run in shown if run.ended is not None), default=None)
    return ShownJob(
        state=_state(ordered, verification),
        url=last.url,
        retries=len(ordered) - 1,
        previous_attempt_urls=tuple(
            attempt[-1].url for attempt in ordered if attempt is not shown and attempt[-1].url
        ),
        transition_time=_moment(ended) if ended is not None and last.state.is_final else "",
    )


def _state(attempts: Sequence[Sequence[VerificationRun]], verification: Verification) -> str:
    """The word for all attempts: one success is enough, and what runs has not failed yet."""
    if verification.runs == 1:
        states = [word_of(run.state) for attempt in attempts for run in attempt]
        return SUCCEEDED if SUCCEEDED in states else states[-1]
    standings = [stand(verification, attempt) for attempt in attempts]
    if Standing.SUCCEEDED in standings:
        return SUCCEEDED
    return FAILED if standings[-1] is Standing.FAILED else PENDING


def show_updates(edges: Iterable[Edge]) -> tuple[ShownUpdate, ...]:
    """``edges`` by update."""
    return tuple(_show_update(tested) for _, tested in sorted(group_runs(edges).items()))


def _show_update(tested: TestedUpdate) -> ShownUpdate:
    begun = [run for run in tested.runs if has_begun(run)]
    words = [word_of(run.state) for run in begun]
    history = {run.url or run.run: ShownRun(state=word_of(run.state), url=run.url) for run in begun}
    return ShownUpdate(
        source=tested.source,
        target=tested.target,
        success=words.count(SUCCEEDED),
        failure=words.count(FAILED),
        total=len(words),
        history=dict(sorted(history.items())),
    )


def _moment(seconds: float) -> str:
    return format_time(dt.datetime.fromtimestamp(int(seconds), tz=dt.UTC))
