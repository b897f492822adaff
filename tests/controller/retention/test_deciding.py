# SPDX-License-Identifier: Apache-2.0
"""Nothing that anybody needs ever goes, and what goes was announced."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.controller.configuration.model import (
    Retention,
    StreamConfiguration,
    StreamKind,
)
from okd_payload.controller.model import Phase, Release
from okd_payload.controller.retention.deciding import Step, decide_fates

NOW = 1_700_000_000.0
HOUR = 3600.0
STREAM = StreamConfiguration(name="s", retention=Retention(expires=72 * HOUR))
A, R, F, P = Phase.ACCEPTED, Phase.REJECTED, Phase.FAILED, Phase.PENDING


def release(age: float, phase: Phase, **fields: Any) -> Release:
    """A release that is ``age`` hours old."""
    made = Release(
        name=f"r{age:g}",
        stream="s",
        phase=phase,
        created=NOW - age * HOUR,
        changed=NOW,
        input_hash="h",
    )
    return msgspec.structs.replace(made, **fields)


def steps(*releases: Release, references: dict[str, str] | None = None, **fields: Any) -> str:
    """What is done with each: ``+`` stays, ``-`` is withdrawn, ``x`` is deleted."""
    configuration = msgspec.structs.replace(STREAM, **fields)
    fates = decide_fates(configuration, releases, references=references or {}, now=NOW)
    marks = {Step.STAY: "+", Step.WITHDRAW: "-", Step.DELETE: "x"}
    return "".join(marks[fates[each.name].step] for each in releases)


def test_the_newest_accepted_stay_and_others_until_they_expire() -> None:
    """Five whatever their age, the rest for three days."""
    ages = (1, 2, 3, 4, 5, 6, 71, 73, 100)
    assert steps(*(release(age, A) for age in ages)) == "+++++++--"
    assert steps(*(release(age, A) for age in (80, 81, 82, 83, 84, 85))) == "+++++-"
    assert steps(*(release(age, A) for age in range(99)), retention=Retention()) == "+" * 99


def test_of_those_that_were_refused_a_few_stay() -> None:
    """None from before the oldest accepted release, and five of a kind since."""
    assert steps(release(1, R), release(2, A), release(3, R), release(4, F)) == "++--"
    assert steps(*(release(age, R) for age in range(7))) == "+++++--"
    assert steps(*(release(age, F) for age in range(7))) == "+++++--"
    assert steps(release(1, P), release(2, Phase.READY)) == "++"


def test_what_is_needed_stays() -> None:
    """Published, kept, or the node of a graph: the reason is told, and nothing is withdrawn."""
    old = release(100, A)
    newer = [release(age, A) for age in range(5)]
    assert steps(*newer, old) == "+++++-"
    assert steps(*newer, old, references={"r100": "it is published as scos-4.20"}) == "++++++"
    kept = msgspec.structs.replace(old, kept=True)
    assert steps(*newer, kept) == "++++++"
    fates = decide_fates(STREAM, [kept], references={}, now=NOW)
    assert fates["r100"].reason == "it is kept"
    assert steps(*newer, old, kind=StreamKind.STABLE) == "++++++"


def test_what_was_refused_is_told_as_people_say_it() -> None:
    """Releases were rejected, and failed."""
    releases = [release(1, Phase.REJECTED), release(2, Phase.FAILED)]
    fates = decide_fates(STREAM, releases, references={}, now=NOW)
    retention = STREAM.retention
    assert fates["r1"].reason == f"one of the {retention.keep_rejected} newest that were rejected"
    assert fates["r2"].reason == f"one of the {retention.keep_failed} newest that failed"


def test_what_was_withdrawn_can_be_restored_for_a_while() -> None:
    """Its content goes after the grace period, and not while anybody needs it."""
    for hours, mark in ((1, "+"), (25, "x")):
        gone = release(100, A, withdrawn=NOW - hours * HOUR)
        assert steps(gone) == mark
        assert steps(gone, references={"r100": "in use"}) == "+"
    fates = decide_fates(STREAM, [release(9, A, withdrawn=NOW)], references={}, now=NOW)
    assert fates["r9"].expires == NOW + 24 * HOUR


def test_expiry_is_known_beforehand() -> None:
    """Pages can say until when a release stays."""
    releases = [release(age, A) for age in (1, 2, 3, 4, 5, 6)]
    fates = decide_fates(STREAM, releases, references={}, now=NOW)
    assert fates["r6"].expires == NOW + 66 * HOUR
    assert fates["r1"].expires is None


@given(
    phases=st.lists(st.tuples(st.sampled_from(list(Phase)), st.booleans()), max_size=20),
    needed=st.sets(st.integers(0, 19)),
)
def test_no_release_that_is_needed_ever_goes(
    phases: list[tuple[Phase, bool]], needed: set[int]
) -> None:
    """Whatever else there is, and each release has a fate with a reason."""
    releases = [
        release(age, phase, withdrawn=NOW - 99 * HOUR if gone else None)
        for age, (phase, gone) in enumerate(phases)
    ]
    references = {f"r{age}": "needed" for age in needed}
    fates = decide_fates(STREAM, releases, references=references, now=NOW)
    assert fates.keys() == {each.name for each in releases}
    assert all(fate.reason for fate in fates.values())
    assert all(fates[name].step is Step.STAY for name in references if name in fates)
    undecided = [each for each in releases if not each.phase.is_final and each.withdrawn is None]
    assert all(fates[each.name].step is Step.STAY for each in undecided)
