# SPDX-License-Identifier: Apache-2.0
"""Which releases of a stream could be promoted next, and what they would be called.

The last promotion is the highest stable version whose payload says that it was made of a release
of the stream; what was accepted after that release are the candidates. Stable releases that do not
say where they come from are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from okd_payload.controller.graph.tested import group_runs, has_begun
from okd_payload.controller.model import Edge, PayloadFacts, Phase, Release, RunState
from okd_payload.release.semver import Version, is_version, parse_version

_ENOUGH = 0.8
"""More than this share of the runs of an update must have succeeded."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A release that could be promoted."""

    release: Release
    name: str
    """What it would be called."""
    upgrade_from: tuple[str, ...] = ()
    """From where an update to it was seen to work."""


def find_candidates(
    releases: Iterable[Release],
    *,
    stable: Iterable[Release],
    facts: Mapping[str, PayloadFacts],
    edges: Iterable[Edge],
    mirror_prefix: str = "",
) -> list[Candidate] | None:
    """The candidates among ``releases``, those of one stream, the newest first.

    None when no stable release is known to come from the stream: nobody knows the next name.

    Frozen images of the old controller are called ``mirror_prefix`` and what of a release's name
    follows that of its stream.
    """
    members = sorted(releases, key=lambda each: (each.created, each.name), reverse=True)
    origins = {name: each for each in members for name in _names(each, mirror_prefix)}
    promoted = _last_promotion(stable, facts, origins)
    if promoted is None:
        return None
    version, origin = promoted
    tested = group_runs(edges)
    return [
        Candidate(
            release=each,
            name=str(increment(version)),
            upgrade_from=tuple(
                sorted(
                    update.source
                    for update in tested.values()
                    if update.target == each.name and _works(update.runs)
                )
            ),
        )
        for each in members
        if each.phase is Phase.ACCEPTED and each.created > origin.created
    ]


def increment(version: Version) -> Version:
    """The version after ``version``: of its last number, or of its patch."""
    for place in range(len(version.prerelease) - 1, -1, -1):
        if version.prerelease[place].isdecimal():
            parts = list(version.prerelease)
            parts[place] = str(int(parts[place]) + 1)
            return msgspec.structs.replace(version, prerelease=tuple(parts), build=())
    if version.prerelease:
        return msgspec.structs.replace(version, prerelease=(*version.prerelease, "1"), build=())
    return msgspec.structs.replace(version, patch=version.patch + 1, build=())


def _last_promotion(
    stable: Iterable[Release], facts: Mapping[str, PayloadFacts], origins: Mapping[str, Release]
) -> tuple[Version, Release] | None:
    found = []
    for each in stable:
        said = facts.get(each.name)
        if said is None or not is_version(each.name):
            continue
        origin = next((origins[name] for name in _ends(said.made_from) if name in origins), None)
        if origin is not None:
            found.append((parse_version(each.name), origin))
    return max(found, key=lambda pair: pair[0], default=None)


def _names(release: Release, mirror_prefix: str) -> Iterable[str]:
    """By what a payload that was made of ``release`` may name it."""
    yield release.name
    if release.digest:
        yield str(release.digest)
    if mirror_prefix:
        yield mirror_prefix + release.name.removeprefix(release.stream)


def _ends(made_from: str) -> list[str]:
    """What may follow a place in ``made_from``: a digest, a tag, or a name."""
    return [made_from.rpartition(mark)[2] for mark in ("@", ":", "/")]


def _works(runs: Iterable[Edge]) -> bool:
    states = [run.state for run in runs if has_begun(run)]
    return states.count(RunState.SUCCEEDED) > _ENOUGH * len(states)
