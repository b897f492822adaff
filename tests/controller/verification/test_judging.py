# SPDX-License-Identifier: Apache-2.0
"""A release is judged as soon as its outcome is certain, and no run more is made than needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.controller.configuration.model import Runner, StreamConfiguration, Verification
from okd_payload.controller.model import Phase, Release, RunState, Transition, VerificationRun
from okd_payload.controller.verification.judging import (
    Standing,
    judge,
    ready_since,
    stand_by_architecture,
)
from okd_payload.controller.verification.planning import plan_runs

NOW = 1_700_000_000.0
READY = Release(name="r", stream="s", phase=Phase.READY, created=NOW, changed=NOW, input_hash="h")
Q, R, S, F, E, A = (
    RunState.QUEUED,
    RunState.RUNNING,
    RunState.SUCCEEDED,
    RunState.FAILED,
    RunState.ERROR,
    RunState.ABORTED,
)


def stream(**verifications: dict[str, Any]) -> StreamConfiguration:
    """A stream with these verifications, by name."""
    found = [
        Verification(name=name, runner=Runner(kind="manual"), **fields)
        for name, fields in verifications.items()
    ]
    return StreamConfiguration(name="s", verifications=tuple(found))


def runs(**states: list[list[RunState]]) -> list[VerificationRun]:
    """Runs by verification: a list of attempts, each a list of the states of its runs."""
    return [
        VerificationRun(
            id=f"{name}-{attempt}-{number}",
            release="r",
            verification=name,
            attempt=attempt,
            number=number,
            state=state,
            runner="manual",
            queued=NOW,
            ended=NOW + 60 * (attempt + 1) if state.is_final else None,
            message="the cluster did not come up" if state is F else "",
        )
        for name, attempts in states.items()
        for attempt, made in enumerate(attempts)
        for number, state in enumerate(made)
    ]


BLOCKING: dict[str, Any] = {}
OPTIONAL = {"optional": True}


@pytest.mark.parametrize(
    ("configuration", "made", "phase"),
    [
        (stream(), runs(), Phase.ACCEPTED),
        (stream(a=BLOCKING), runs(), None),
        (stream(a=BLOCKING), runs(a=[[R]]), None),
        (stream(a=BLOCKING), runs(a=[[S]]), Phase.ACCEPTED),
        (stream(a=BLOCKING), runs(a=[[F]]), Phase.REJECTED),
        (stream(a=BLOCKING), runs(a=[[E]]), None),
        (stream(a=BLOCKING), runs(a=[[E], [S]]), Phase.ACCEPTED),
        (stream(a=BLOCKING), runs(a=[[E], [F]]), Phase.REJECTED),
        (stream(a=BLOCKING), runs(a=[[E], [E]]), None),
        (stream(a=BLOCKING), runs(a=[[E], [E], [E]]), Phase.REJECTED),
        (stream(a={"error_retries": 0}), runs(a=[[E]]), Phase.REJECTED),
        (stream(a={"max_retries": 1}), runs(a=[[E], [F], [E]]), None),
        (stream(a={"max_retries": 1}), runs(a=[[E], [F], [E], [F]]), Phase.REJECTED),
        (stream(a={"max_retries": 1}), runs(a=[[F]]), None),
        (stream(a={"max_retries": 1}), runs(a=[[F], [S]]), Phase.ACCEPTED),
        (stream(a={"max_retries": 1}), runs(a=[[F], [A]]), Phase.REJECTED),
        (stream(a={"max_retries": 1}), runs(a=[[S], [F]]), Phase.ACCEPTED),
        (stream(a=BLOCKING, b=BLOCKING), runs(a=[[F]], b=[[R]]), Phase.REJECTED),
        (stream(a=BLOCKING, b=OPTIONAL), runs(a=[[S]], b=[[R]]), Phase.ACCEPTED),
        (stream(a=BLOCKING, b=OPTIONAL), runs(a=[[S]], b=[[F]]), Phase.ACCEPTED),
        (stream(b=OPTIONAL), runs(b=[[R]]), None),
        (stream(b=OPTIONAL), runs(b=[[F]]), Phase.ACCEPTED),
        (stream(b=OPTIONAL | {"asynchronous": True}), runs(b=[[R]]), Phase.ACCEPTED),
        (stream(a={"disabled": True}), runs(), Phase.ACCEPTED),
        (stream(a={"runs": 3, "required": 2}), runs(a=[[S, S, R]]), Phase.ACCEPTED),
        (stream(a={"runs": 3, "required": 2}), runs(a=[[F, S, R]]), None),
        (stream(a={"runs": 3, "required": 2}), runs(a=[[F, F, R]]), Phase.REJECTED),
        (stream(a={"runs": 3, "required": 2}), runs(a=[[F, E, R]]), None),
        (stream(a={"runs": 3, "required": 2}), runs(a=[[F, E, F]]), Phase.REJECTED),
        (stream(a=OPTIONAL, b={"after": ("a",)}), runs(a=[[F]]), Phase.REJECTED),
        (stream(a=OPTIONAL, b={"after": ("a",)}), runs(a=[[F]], b=[[S]]), Phase.ACCEPTED),
        (stream(a=OPTIONAL, b=OPTIONAL | {"after": ("a",)}), runs(a=[[F]]), Phase.ACCEPTED),
    ],
)
def test_the_verdict_is_given_when_it_is_certain(
    configuration: StreamConfiguration, made: list[VerificationRun], phase: Phase | None
) -> None:
    """Not before, and not later because something else still runs."""
    assert judge(configuration, made).phase is phase


def test_a_rejection_says_what_failed_how_often_and_why() -> None:
    """Everything that failed, at once."""
    configuration = stream(a={"max_retries": 1}, b=BLOCKING)
    verdict = judge(configuration, runs(a=[[F], [F]], b=[[A]]))
    assert verdict.message == "a failed 2 times: the cluster did not come up; b failed"
    assert judge(stream(a=BLOCKING), runs(a=[[S]])).message == "a succeeded"


def test_a_rejection_tells_what_broke_from_what_failed() -> None:
    """And what was never begun, with what it waited for."""
    configuration = stream(a=BLOCKING)
    assert judge(configuration, runs(a=[[E], [E], [E]])).message == "a broke 3 times"
    verdict = judge(configuration, runs(a=[[E], [F]]))
    assert verdict.message == "a failed and broke: the cluster did not come up"
    waiting = stream(a=OPTIONAL, b={"after": ("a",)}, c={"after": ("b",)})
    assert judge(waiting, runs(a=[[F]])).message == (
        "b was not begun, because a failed; c was not begun, because b failed"
    )


def test_each_architecture_has_a_verdict_of_its_own() -> None:
    """What is about all of them counts for each; without any that is about one there is none."""
    configuration = msgspec.structs.replace(
        stream(
            lint=BLOCKING,
            here={"architecture": "amd64"},
            there={"architecture": "arm64"},
            odd=OPTIONAL | {"architecture": "amd64"},
        ),
        architectures=("amd64", "arm64"),
    )
    made = runs(lint=[[S]], here=[[S]], there=[[F]], odd=[[F]])
    assert stand_by_architecture(configuration, made) == {
        "amd64": Standing.SUCCEEDED,
        "arm64": Standing.FAILED,
    }
    assert judge(configuration, made).message.startswith("there (arm64) failed: ")
    assert stand_by_architecture(configuration, runs(lint=[[S]], here=[[R]])) == {
        "amd64": Standing.OPEN,
        "arm64": Standing.OPEN,
    }
    assert set(stand_by_architecture(configuration, runs(lint=[[F]])).values()) == {Standing.FAILED}
    assert stand_by_architecture(stream(lint=BLOCKING), runs(lint=[[S]])) == {}


def test_missing_runs_are_planned_once() -> None:
    """All runs of an attempt at once; what is there is not made again."""
    configuration = stream(a={"runs": 3, "required": 2}, b=BLOCKING)
    plan = plan_runs(configuration, READY, [], now=NOW)
    assert [each.identity("r") for each in plan.needed] == [
        "r-a-analysis-0",
        "r-a-analysis-1",
        "r-a-analysis-2",
        "r-b",
    ]
    plan = plan_runs(configuration, READY, runs(a=[[R, Q]], b=[[R]]), now=NOW)
    assert [each.identity("r") for each in plan.needed] == ["r-a-analysis-2"]
    assert plan_runs(configuration, READY, runs(a=[[S, S, R]], b=[[S]]), now=NOW).needed == ()


def test_retries_come_at_their_time() -> None:
    """The first at once, the later ones ever later, and none after the last."""
    configuration = stream(a={"max_retries": 3})
    first = plan_runs(configuration, READY, runs(a=[[F]]), now=NOW + 60)
    assert [each.identity("r") for each in first.needed] == ["r-a-1"]
    second = plan_runs(configuration, READY, runs(a=[[F], [F]]), now=NOW + 120)
    assert (second.needed, second.wake) == ((), NOW + 120 + 120)
    due = plan_runs(configuration, READY, runs(a=[[F], [F]]), now=NOW + 240)
    assert [each.identity("r") for each in due.needed] == ["r-a-2"]
    over = plan_runs(configuration, READY, runs(a=[[F], [F], [F], [F]]), now=NOW + 9999)
    assert (over.needed, over.wake) == ((), None)


def test_what_waits_for_another_begins_when_that_has_succeeded() -> None:
    """Not while it runs, and never after it has failed."""
    configuration = stream(a=BLOCKING, b={"after": ("a",)})
    for states, expected in (([[R]], []), ([[S]], ["r-b"]), ([[F]], [])):
        plan = plan_runs(configuration, READY, runs(a=states), now=NOW)
        assert [each.identity("r") for each in plan.needed] == expected


def test_runs_that_decide_nothing_any_more_are_ended() -> None:
    """When two of three have failed and two are needed, the third is of no use."""
    configuration = stream(a={"runs": 3, "required": 2})
    plan = plan_runs(configuration, READY, runs(a=[[F, F, R]]), now=NOW)
    assert [run.number for run in plan.useless] == [2]


DECIDED_SOONER = {
    "analysis-too-few": "three of five is enough: the two that are missing change nothing",
    "one-failed-one-pending": "what blocks has failed for good: the other job changes nothing",
    "one-failed-one-without-run": "the same",
    "more-runs-than-allowed": "the retries are used up, whatever else is running",
}
"""Verdicts that the peer still waits for, with the reason why they are certain."""
RECORDED = {
    "Success": S,
    "Failure": F,
    "Aborted": A,
    "Error": E,
    "Pending": R,
    "Triggered": Q,
    "Scheduling": Q,
    "Unknown": Q,
}


def test_verdicts_agree_with_the_peers(shared_data: Path) -> None:
    """Given the same results of jobs, the same verdict wherever the peer reaches one.

    It takes what broke by itself for failures, so nothing has retries of that kind here.
    """
    path = shared_data / "release-controller-recordings/controller/verdicts.json"
    sooner, compared = set(), 0
    for case in json.loads(path.read_text()):
        spec, status = case["input"]["spec"], case["input"]["status"]
        made = status.get("releaseCreationJobResult", {}).get("status") == "Success"
        mirrored = "releaseMirrorJobResult" not in status
        if not made or not mirrored or spec.get("payloadOverride", {}).get("override"):
            continue  # which no runs decide
        compared += 1
        ours = judge(*_read_case(spec["payloadVerificationConfig"], status)).phase
        theirs = _conditions(case["result"])
        if ours is not theirs and theirs is None:
            sooner.add(case["name"])
        else:
            assert ours is theirs, case["name"]
    assert compared >= 18
    assert sooner <= DECIDED_SOONER.keys()


def _conditions(result: dict[str, Any]) -> Phase | None:
    held = {each["type"] for each in result["conditions"] if each["status"] == "True"}
    if "PayloadAccepted" in held:
        return Phase.ACCEPTED
    return Phase.REJECTED if "PayloadRejected" in held else None


def _read_case(
    configured: dict[str, Any], status: dict[str, Any]
) -> tuple[StreamConfiguration, list[VerificationRun]]:
    """A recorded payload as a stream with its runs."""
    verifications: dict[str, dict[str, Any]] = {}
    states: dict[str, list[list[RunState]]] = {}
    for kind in ("blocking", "informing", "upgrade"):
        results = {
            each["ciConfigurationName"]: [RECORDED[run["state"]] for run in each.get("results", ())]
            for each in status.get(f"{kind}JobResults", ())
        }
        jobs = configured.get(f"{kind}Jobs") or status.get(f"{kind}JobResults", ())
        for job in jobs:
            name, count = job["ciConfigurationName"], job.get("analysisJobCount", 0)
            fields: dict[str, Any] = {"max_retries": job.get("maxRetries", 0), "error_retries": 0}
            if kind != "blocking":
                fields["optional"] = True
            if count:
                fields |= {"runs": count, "required": -(-count * 6 // 10)}
            verifications[name] = fields
            found = results.get(name, [])
            states[name] = [found] if count else [[state] for state in found]
    return stream(**verifications), runs(**states)


VERIFICATIONS = st.fixed_dictionaries(
    {
        "optional": st.booleans(),
        "max_retries": st.integers(0, 2),
        "error_retries": st.integers(0, 2),
        "runs": st.just(3),
        "required": st.integers(1, 3),
    }
)


@given(fields=st.lists(VERIFICATIONS, max_size=3), data=st.data())
def test_following_the_plan_always_ends(fields: list[dict[str, Any]], data: st.DataObject) -> None:
    """Whatever the runs give, planning and running come to a verdict, with bounded runs."""
    configuration = stream(**{f"v{number}": each for number, each in enumerate(fields)})
    made: list[VerificationRun] = []
    now = NOW
    for _ in range(60):
        if judge(configuration, made).phase is not None:
            break
        plan = plan_runs(configuration, READY, made, now=now)
        now = max(now + 60, plan.wake or 0.0)
        known = {run.id for run in made}
        for needed in plan.needed:
            identity = needed.identity("r")
            assert identity not in known
            made.append(
                VerificationRun(
                    id=identity,
                    release="r",
                    verification=needed.verification.name,
                    attempt=needed.attempt,
                    number=needed.number,
                    state=data.draw(st.sampled_from([S, F, E, A])),
                    runner="manual",
                    queued=now,
                    ended=now,
                )
            )
    verdict = judge(configuration, made)
    assert verdict.phase in (Phase.ACCEPTED, Phase.REJECTED)
    most = sum(3 * (1 + each["max_retries"] + each["error_retries"]) for each in fields)
    assert len(made) <= most
    assert verdict.phase is judge(configuration, list(reversed(made))).phase


def test_a_retry_that_somebody_asks_for_begins_anew() -> None:
    """Runs from before do not count, and the new ones have names of their own."""
    configuration = stream(a={"max_retries": 1})
    before = runs(a=[[F], [F]])
    again = Release(
        name="r", stream="s", phase=Phase.READY, created=NOW, changed=NOW + 500, input_hash="h"
    )
    assert judge(configuration, before, since=again.changed).phase is None
    plan = plan_runs(configuration, again, before, now=NOW + 500)
    assert [each.identity("r") for each in plan.needed] == ["r-a-2"]


def test_a_retry_counts_from_itself_also_when_the_clock_was_set_back() -> None:
    """Its runs are younger than it, whatever the time of the one before was."""
    phases = ((Phase.READY, NOW), (Phase.REJECTED, NOW + 60), (Phase.READY, NOW - 3600))
    steps = [Transition(release="r", before=None, after=phase, time=time) for phase, time in phases]
    assert ready_since(READY, steps) == NOW - 3600
    assert ready_since(READY, ()) == READY.created
