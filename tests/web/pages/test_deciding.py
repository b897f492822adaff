# SPDX-License-Identifier: Apache-2.0
"""What pages conclude from records: health, jobs, suspects, updates, plots."""

from __future__ import annotations

import re

import msgspec
import pytest
from past import MAIN

from okd_payload.controller.configuration.model import (
    PublishAction,
    Runner,
    StreamConfiguration,
    StreamKind,
    Verification,
)
from okd_payload.controller.model import (
    Edge,
    FrozenInput,
    Phase,
    Publication,
    PublicationState,
    Release,
    RunState,
    StreamState,
    VerificationRun,
)
from okd_payload.controller.verification.judging import Standing
from okd_payload.controller.views.overview import StreamOverview
from okd_payload.controller.views.release import Alteration, compare_images
from okd_payload.controller.views.stream import Decided
from okd_payload.oci.digest import digest_of
from okd_payload.web.pages.health import Condition, judge_health, order_streams
from okd_payload.web.pages.jobs import count_jobs, list_jobs
from okd_payload.web.pages.places import Place, still_stands, what_came_of_it
from okd_payload.web.pages.plots import plot_pass_rate, plot_time_to_accept
from okd_payload.web.pages.release_pages import failed_runs
from okd_payload.web.pages.suspects import FailedRun, rank_suspects
from okd_payload.web.pages.updates import Outcome, draw_updates, updates_into


def release(phase: Phase, number: int = 0) -> Release:
    """A release in a phase."""
    return Release(
        name=f"r{number}", stream=MAIN, phase=phase, created=number, changed=number, input_hash=""
    )


def image(tag: str, content: str, commit: str = "") -> FrozenInput:
    """An image by its content."""
    digest = digest_of(content.encode())
    source = f"https://github.com/openshift/{tag}"
    return FrozenInput(tag=tag, digest=digest, reference="", source=source, commit=commit)


def run(name: str, state: RunState, attempt: int = 0, queued: float = 10.0) -> VerificationRun:
    """A run of a verification."""
    return VerificationRun(
        id=f"{name}-{attempt}",
        release="r",
        verification=name,
        attempt=attempt,
        state=state,
        runner="manual",
        queued=queued,
    )


def configured(*names: str, **fields: object) -> StreamConfiguration:
    """A stream with these verifications."""
    jobs = tuple(
        Verification(name=name, runner=Runner(kind="manual"), **fields)  # type: ignore[arg-type]
        for name in names
    )
    return StreamConfiguration(name=MAIN, verifications=jobs)


REJECTED = tuple(release(Phase.REJECTED, number) for number in range(3))
UNMADE = msgspec.structs.replace(release(Phase.PENDING), attempts=1, message="the disk is full")


@pytest.mark.parametrize(
    ("newest", "state", "condition"),
    [
        ((), {}, Condition.QUIET),
        ((release(Phase.ACCEPTED),), {}, Condition.GOOD),
        ((release(Phase.READY), *REJECTED[:2]), {}, Condition.WORKING),
        ((release(Phase.PENDING),), {}, Condition.WORKING),
        ((UNMADE, release(Phase.ACCEPTED)), {}, Condition.TROUBLED),
        (REJECTED, {}, Condition.FAILING),
        (REJECTED[:1], {}, Condition.FAILING),
        ((*REJECTED[:2], release(Phase.ACCEPTED)), {}, Condition.GOOD),
        ((release(Phase.READY), *REJECTED), {}, Condition.FAILING),
        ((release(Phase.ACCEPTED),), {"paused": "frozen"}, Condition.PAUSED),
        (REJECTED, {"error": "away"}, Condition.TROUBLED),
    ],
)
def test_the_worst_is_told(newest, state, condition) -> None:
    """A stream that cannot be followed is in trouble before anything else is said of it."""
    accepted = next((each for each in newest if each.phase is Phase.ACCEPTED), None)
    overview = StreamOverview(
        state=StreamState(name=MAIN, **state), newest=newest, accepted=accepted
    )
    assert judge_health(overview).condition is condition


def test_streams_are_ordered_as_readers_look_for_them() -> None:
    """Stable before others, newer versions first, hidden ones last, ended ones not at all."""
    streams = [
        StreamConfiguration(name="4.9.0-0.okd"),
        StreamConfiguration(name="4.20.0-0.okd"),
        StreamConfiguration(name="4.21.0-0.okd", hidden=True),
        StreamConfiguration(name="4.8.0-0.okd", end_of_life=True),
        StreamConfiguration(name="4-scos-stable", kind=StreamKind.STABLE),
    ]
    ordered = order_streams({each.name: each for each in streams})
    assert [each.name for each in ordered] == [
        "4-scos-stable", "4.20.0-0.okd", "4.9.0-0.okd", "4.21.0-0.okd",
    ]  # fmt: skip


def test_jobs_stand_as_their_attempts_say() -> None:
    """A success after a failure is one; what was not begun is open; what is unknown is told."""
    runs = [
        run("e2e", RunState.FAILED), run("e2e", RunState.SUCCEEDED, 1), run("gone", RunState.ERROR),
    ]  # fmt: skip
    jobs = list_jobs(configured("e2e", "lint", max_retries=1), runs)
    assert [(job.name, job.standing, job.word) for job in jobs] == [
        ("e2e", Standing.SUCCEEDED, "Succeeded"),
        ("lint", Standing.OPEN, "Not started"),
        ("gone", Standing.FAILED, "Failed"),
    ]
    assert len(jobs[0].attempts) == 2
    counts = count_jobs(jobs)
    assert (len(counts.succeeded), len(counts.open), len(counts.failed)) == (1, 1, 1)


def test_a_job_that_may_fail_in_part_shows_a_run_that_succeeded() -> None:
    """Two of three are enough: the third is no failure of the job, and what it left no news."""
    runs = [
        msgspec.structs.replace(run("e2e", state), id=f"e2e-{number}", number=number)
        for number, state in enumerate(
            (RunState.SUCCEEDED, RunState.FAILED, RunState.SUCCEEDED), start=1
        )
    ]
    (job,) = list_jobs(configured("e2e", runs=3, required=2), runs)
    assert job.standing is Standing.SUCCEEDED
    assert job.latest == runs[0]
    assert failed_runs([job]) == []
    (job,) = list_jobs(configured("e2e", runs=3, required=3), runs)
    assert failed_runs([job]) == [runs[1]]


def test_nothing_waits_in_decided_releases() -> None:
    """What failed without a retry has failed, what never ran was configured later."""
    jobs = list_jobs(
        configured("e2e", "lint", max_retries=1, optional=True),
        [run("e2e", RunState.FAILED)],
        is_decided=True,
    )
    assert [(job.name, job.standing) for job in jobs] == [("e2e", Standing.FAILED)]


def test_runs_before_a_retry_do_not_count() -> None:
    """Who asked for a retry begins anew."""
    (job,) = list_jobs(configured("e2e"), [run("e2e", RunState.FAILED, queued=5)], since=7)
    assert job.attempts == ()


def test_images_are_compared_by_digest_and_commit() -> None:
    """Added, removed, changed, and rebuilt of the same commit."""
    before = [image("a", "1", "x"), image("b", "1", "x"), image("c", "1", "x"), image("d", "1")]
    after = [image("a", "1", "x"), image("b", "2", "x"), image("c", "2", "y"), image("e", "1")]
    found = {each.tag: each.alteration for each in compare_images(before, after)}
    assert found == {
        "b": Alteration.REBUILT,
        "c": Alteration.CHANGED,
        "d": Alteration.REMOVED,
        "e": Alteration.ADDED,
    }


CHANGES = compare_images(
    [image(tag, "1", "x") for tag in ("cli", "console", "etcd", "rebuilt")],
    [image(tag, "2", "y") for tag in ("cli", "console", "etcd")] + [image("rebuilt", "2", "x")],
)


def test_what_failed_jobs_name_is_suspected_first() -> None:
    """Its name before its message before its log, and there the first mention; rebuilds last."""
    failed = [
        FailedRun(verification="e2e", log="console broke, then etcd"),
        FailedRun(verification="etcd-recovery", message="timeout"),
        FailedRun(verification="cli"),
    ]
    ranked = rank_suspects(CHANGES, failed)
    assert [each.change.tag for each in ranked] == ["cli", "console", "etcd", "rebuilt"]
    assert ranked[0].evidence == "the name of cli"
    assert ranked[1].evidence == "the log of e2e"
    assert ranked[3].evidence == ""


def test_names_inside_other_words_name_nothing() -> None:
    """``client`` does not name ``cli``, nor does ``etcd-operator`` name ``etcd``."""
    ranked = rank_suspects(CHANGES, [FailedRun(verification="e2e", log="client etcd-operator")])
    assert not any(each.evidence for each in ranked)
    assert rank_suspects((), [FailedRun(verification="e2e")]) == ()


def edge(state: RunState, number: int, source: str = "4.19.0") -> Edge:
    """A tested update."""
    return Edge(source=source, target="4.20.0", run=f"run-{number}", state=state, time=0)


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        ([RunState.FAILED, RunState.SUCCEEDED], Outcome.PASSED),
        ([RunState.FAILED, RunState.RUNNING], Outcome.PENDING),
        ([RunState.FAILED, RunState.ABORTED], Outcome.FAILED),
    ],
)
def test_one_success_makes_an_update(states, outcome) -> None:
    """As in the update graph."""
    (update,) = updates_into(edge(state, number) for number, state in enumerate(states))
    assert update.outcome is outcome


def test_pictures_of_updates_are_bounded_and_escaped() -> None:
    """Hundreds of origins make no picture that nobody can see, and names stay names."""
    many = updates_into(
        edge(RunState.SUCCEEDED, number, source=f"<b>{number}") for number in range(300)
    )
    drawn = str(draw_updates("4.20.0", many, ()))
    assert drawn.count("<rect") == 26
    assert "<b>" not in drawn
    assert "Tested updates: 300 to 4.20.0" in drawn


def decided(*phases: Phase) -> list[Decided]:
    """Releases that ended so, an hour apart, each accepted after ten minutes."""
    return [
        Decided(name=f"r{number}", phase=phase, created=number * 3600, changed=number * 3600 + 600)
        for number, phase in enumerate(phases)
    ]


def test_plots_say_their_figures() -> None:
    """In words beside the picture; of too few releases there is none."""
    shown = decided(Phase.ACCEPTED, Phase.REJECTED, Phase.ACCEPTED, Phase.FAILED)
    rate, time = plot_pass_rate(shown), plot_time_to_accept(shown)
    assert rate is not None
    assert rate.summary == "2 of the last 4 decided releases were accepted"
    assert rate.svg.count("mark-bad") == 2
    assert time is not None
    assert "median 10 min 00 s" in time.summary
    assert plot_pass_rate(shown[:1]) is None
    assert plot_time_to_accept(shown[:2]) is None
    many = plot_pass_rate(decided(*[Phase.REJECTED] * 5, *[Phase.ACCEPTED] * 7))
    assert many is not None
    assert many.summary.endswith(
        "7 of the last 12 decided releases were accepted, 7 of the last 10"
    )


def test_plots_of_one_day_tell_its_hours() -> None:
    """Two equal dates would say nothing."""
    shown = plot_pass_rate(decided(*[Phase.ACCEPTED] * 3))
    assert shown is not None
    assert re.findall(r"<text[^>]*>(\d\d:\d\d)</text>", shown.svg) == ["00:00", "02:00"]
    longer = plot_pass_rate(decided(*[Phase.ACCEPTED] * 30))
    assert longer is not None
    assert re.findall(r"<text[^>]*>(1970-\d\d-\d\d)<", longer.svg) == ["1970-01-01", "1970-01-02"]


def published(
    name: str, state: PublicationState, *, release: str = "r1", actor: str = "controller"
) -> Publication:
    """A line of the log of publications."""
    return Publication(release=release, name=name, state=state, time=1.0, actor=actor)


def test_the_log_of_publications_tells_what_came_of_it() -> None:
    """What was under way is not told as if it were; what people asked for, and what goes on, is."""
    asked = published("fast", PublicationState.WAITING, actor="ada")
    done, running = (
        published("fast", PublicationState.DONE), published("next", PublicationState.RUNNING),
    )  # fmt: skip
    passing = [published("fast", PublicationState.RUNNING), published("fast", asked.state)]
    assert what_came_of_it([asked, *passing, done, running]) == (asked, done, running)


def test_what_was_replaced_is_not_published_any_more() -> None:
    """Where one release replaces another; what lasts stays, and so does what nobody configures."""
    lines = tuple(published(name, PublicationState.DONE) for name in ("next", "signatures", "gone"))
    places = [
        Place(
            action=PublishAction(name=name, kind=kind),
            current=published(name, PublicationState.DONE, release="r2"),
        )
        for name, kind in (("next", "tag"), ("signatures", "sign"))
    ]
    assert still_stands(lines, places) == lines[1:]
    failed = published("signatures", PublicationState.FAILED)
    assert still_stands([failed], places) == ()


def test_plots_bear_releases_of_one_moment() -> None:
    """Nothing is divided by nothing."""
    shown = [
        msgspec.structs.replace(each, created=5.0, changed=5.0)
        for each in decided(*[Phase.ACCEPTED] * 3)
    ]
    assert plot_pass_rate(shown) is not None
    assert plot_time_to_accept(shown) is not None
