# SPDX-License-Identifier: Apache-2.0
"""Which release of a stream is promoted, and why that one and no other.

The newest accepted release of which nothing speaks against it: every informing job has succeeded,
and of the updates to it that were tested enough worked. Each release that was looked at is in
the answer with what speaks for or against it, so that whoever reads it need not ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from okd_payload.controller.configuration.durations import format_duration
from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.graph.candidates import increment
from okd_payload.controller.model import Edge, Phase, Release, RunState, VerificationRun
from okd_payload.release.semver import Version, is_version, parse_version

ENOUGH = 0.8
"""The share of tested updates to a release that must have worked."""
_SHOWN = 3
"""Releases that were not taken and are told of in the message."""


class Considered(msgspec.Struct, frozen=True, kw_only=True):
    """One release that was looked at."""

    release: str
    against: tuple[str, ...] = ()
    in_favour: tuple[str, ...] = ()


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What is promoted, and everything that was looked at, the newest first."""

    release: str = ""
    """Empty where nothing can be promoted."""
    considered: tuple[Considered, ...] = ()

    @property
    def message(self) -> str:
        """The reasons in one line."""
        if not self.considered:
            return "there is no accepted release that was not promoted before"
        taken = [each for each in self.considered if each.release == self.release]
        others = [each for each in self.considered if each.release != self.release]
        words = [
            f"{each.release} is the newest that nothing speaks against"
            f" ({', '.join(each.in_favour)})"
            for each in taken
        ]
        words += [
            f"{each.release}: {', '.join(each.against or ('older',))}" for each in others[:_SHOWN]
        ]
        if len(others) > _SHOWN:
            words.append(f"and {len(others) - _SHOWN} more")
        return "; ".join(words)


def choose(
    configuration: StreamConfiguration,
    releases: Sequence[Release],
    *,
    runs: Mapping[str, Sequence[VerificationRun]],
    edges: Iterable[Edge],
    since: float | None,
    now: float,
) -> Choice:
    """The release of the stream to promote; only those created after ``since`` count.

    ``releases`` are those that are not withdrawn, ``edges`` all tested updates.
    """
    tested: dict[str, list[Edge]] = {}
    for edge in edges:
        tested.setdefault(edge.target, []).append(edge)
    accepted = sorted(
        (
            each
            for each in releases
            if each.phase is Phase.ACCEPTED and (since is None or each.created > since)
        ),
        key=lambda each: (each.created, each.name),
        reverse=True,
    )
    considered = [
        _consider(configuration, each, runs.get(each.name, ()), tested.get(each.name, ()), now=now)
        for each in accepted
    ]
    best = next((each.release for each in considered if not each.against), "")
    return Choice(release=best, considered=tuple(considered))


def name_promotion(candidate: str, stable: Iterable[str]) -> str:
    """What a promoted release is called: the highest stable version of its minor, counted on.

    The first of a minor is called like the highest there is, with its numbers at zero. Empty
    where there is no stable version to go by.
    """
    versions = [parse_version(name) for name in stable if is_version(name)]
    if not versions:
        return ""
    highest = max(versions)
    if not is_version(candidate):
        return str(increment(highest))
    minor = parse_version(candidate)
    same = [each for each in versions if (each.major, each.minor) == (minor.major, minor.minor)]
    if same:
        return str(increment(max(same)))
    return str(
        Version(
            major=minor.major,
            minor=minor.minor,
            patch=0,
            prerelease=tuple("0" if part.isdigit() else part for part in highest.prerelease),
        )
    )


def _consider(
    configuration: StreamConfiguration,
    release: Release,
    runs: Sequence[VerificationRun],
    edges: Sequence[Edge],
    *,
    now: float,
) -> Considered:
    against, in_favour = _judge_jobs(configuration, runs)
    ended = [edge for edge in edges if edge.state.is_final and edge.state is not RunState.ABORTED]
    worked = sum(edge.state is RunState.SUCCEEDED for edge in ended)
    if ended:
        words = f"{worked} of {len(ended)} updates to it worked"
        (in_favour if worked >= ENOUGH * len(ended) else against).append(words)
    in_favour.append(f"{format_duration(max(0.0, now - release.created))} old")
    return Considered(release=release.name, against=tuple(against), in_favour=tuple(in_favour))


def _judge_jobs(
    configuration: StreamConfiguration, runs: Sequence[VerificationRun]
) -> tuple[list[str], list[str]]:
    informing = [
        each for each in configuration.verifications if each.optional and not each.disabled
    ]
    against: list[str] = []
    for each in informing:
        states = [run.state for run in runs if run.verification == each.name]
        if states.count(RunState.SUCCEEDED) >= each.required:
            continue
        waiting = not states or any(not state.is_final for state in states)
        against.append(f"{each.name} {'has not ended' if waiting else 'failed'}")
    green = len(informing) - len(against)
    return against, [f"{green} informing jobs succeeded"] if informing else []
