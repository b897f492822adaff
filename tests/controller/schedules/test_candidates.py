# SPDX-License-Identifier: Apache-2.0
"""The release that is promoted is the newest that nothing speaks against, and it is told why."""

from __future__ import annotations

from typing import Any

import pytest

from okd_payload.controller.configuration.model import Runner, StreamConfiguration, Verification
from okd_payload.controller.model import Edge, Phase, Release, RunState, VerificationRun
from okd_payload.controller.schedules.candidates import Choice, choose, name_promotion

NOW = 1_700_000_000.0
HOUR = 3600.0
STREAM = StreamConfiguration(
    name="s",
    verifications=(
        Verification(name="e2e", runner=Runner(kind="manual")),
        Verification(name="azure", runner=Runner(kind="manual"), optional=True),
    ),
)
PASSED, FAILED, RUNNING = RunState.SUCCEEDED, RunState.FAILED, RunState.RUNNING


def release(name: str, age: float, phase: Phase = Phase.ACCEPTED) -> Release:
    """A release of so many hours."""
    moment = NOW - age * HOUR
    return Release(
        name=name, stream="s", phase=phase, created=moment, changed=moment, input_hash="h"
    )


def run(name: str, *states: RunState) -> list[VerificationRun]:
    """The runs of the informing job on a release."""
    return [
        VerificationRun(
            id=f"{name}-{number}",
            release=name,
            verification="azure",
            state=state,
            runner="manual",
            queued=number,
        )
        for number, state in enumerate(states)
    ]


def edges(target: str, *states: RunState) -> list[Edge]:
    """Tested updates to a release."""
    return [
        Edge(source="4.19.0", target=target, run=f"{target}-{number}", state=state, time=1)
        for number, state in enumerate(states)
    ]


def best(*releases: Release, since: float | None = None, **fields: Any) -> Choice:
    """What is chosen."""
    return choose(
        STREAM,
        releases,
        runs=fields.get("runs", {}),
        edges=fields.get("edges", ()),
        since=since,
        now=NOW,
    )


def test_the_newest_with_all_informing_jobs_green_is_taken() -> None:
    """And why not the others."""
    releases = [release(name, age) for name, age in (("c", 1), ("b", 2), ("a", 50))]
    choice = best(
        *releases,
        runs={
            "c": run("c", FAILED),
            "b": run("b", FAILED, PASSED),
            "a": run("a", PASSED),
        },
        edges=edges("b", PASSED, PASSED, PASSED, PASSED, FAILED),
    )
    assert choice.release == "b"
    assert choice.message == (
        "b is the newest that nothing speaks against"
        " (1 informing jobs succeeded, 4 of 5 updates to it worked, 2h old);"
        " c: azure failed; a: older"
    )


def test_updates_that_fail_too_often_speak_against_a_release() -> None:
    """A job that has not ended does, too."""
    choice = best(
        release("b", 1),
        release("a", 2),
        runs={"b": run("b", PASSED), "a": run("a", RUNNING)},
        edges=edges("b", PASSED, FAILED),
    )
    assert choice.release == ""
    assert choice.message == "b: 1 of 2 updates to it worked; a: azure has not ended"


def test_only_what_is_newer_than_the_last_promotion_counts() -> None:
    """And nothing that is not accepted."""
    choice = best(
        release("b", 1, Phase.REJECTED),
        release("a", 2),
        since=NOW - 2 * HOUR,
        runs={"a": run("a", PASSED)},
    )
    assert choice.message == "there is no accepted release that was not promoted before"


@pytest.mark.parametrize(
    ("candidate", "stable", "name"),
    [
        ("4.19.0-0.okd-scos-2026-01-01-000000", ["4.19.0-okd-scos.9", "4.19.0-okd-scos.10"], 11),
        ("4.20.0-0.okd-scos-2026-01-01-000000", ["4.19.0-okd-scos.9"], "4.20.0-okd-scos.0"),
        ("4.19.0-0.nightly-1", ["4.20.3", "4.19.7", "next"], "4.19.8"),
        ("odd", ["4.20.3"], "4.20.4"),
        ("4.20.0-0.nightly-1", ["next"], ""),
    ],
)
def test_the_name_counts_the_highest_of_the_minor_on(
    candidate: str, stable: list[str], name: str | int
) -> None:
    """The first of a minor begins at zero; without any there is nothing to go by."""
    expected = f"4.19.0-okd-scos.{name}" if isinstance(name, int) else name
    assert name_promotion(candidate, stable) == expected
