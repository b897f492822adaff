# SPDX-License-Identifier: Apache-2.0
"""Which release an update starts from, by the rules that OpenShift's configurations use.

``Previous`` and ``PreviousMinus1`` are the newest and second newest accepted release of the
stream (or of the one that is named) before this one; ``PreviousPatch`` and ``PreviousMinor`` the
highest accepted version of the stable streams of the same or the previous minor that is lower
than this one; a range gives the highest stable version in it. Section 2.6 of our reference on
the release controller. Without an origin an update cannot be tested: that is told, and holds
nothing up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from okd_payload.controller.configuration.model import (
    StreamConfiguration,
    StreamKind,
    UpgradeOrigin,
)
from okd_payload.controller.model import Phase, Release
from okd_payload.release.semver import Version, is_version, parse_version

_PLACES = {"Previous": 0, "PreviousMinus1": 1}
_MINOR = re.compile(r"[0-9]+\.[0-9]+")


class FoundOrigin(msgspec.Struct, frozen=True):
    """Where an update starts: a release by name where one is known, and its pull spec."""

    name: str
    pull_spec: str


def find_origin(
    origin: UpgradeOrigin,
    release: Release,
    *,
    configurations: Mapping[str, StreamConfiguration],
    releases: Sequence[Release],
) -> FoundOrigin | None:
    """Where an update to ``release`` starts among ``releases``; None when there is none.

    ``releases`` are those of all streams that are not withdrawn, in any order.
    """
    if origin.release:
        named = next((each for each in releases if each.name == origin.release), None)
        if named is not None:
            return FoundOrigin(named.name, named.pull_spec)
        return FoundOrigin("", origin.release) if "/" in origin.release else None
    accepted = [
        each
        for each in releases
        if each.phase is Phase.ACCEPTED and each.pull_spec and each.name != release.name
    ]
    if origin.lower or origin.upper:
        return _of(_highest(_stable(accepted, configurations), origin))
    if origin.rule in _PLACES:
        stream = origin.stream or release.stream
        before = [
            each
            for each in accepted
            if each.stream == stream and (origin.stream or each.created < release.created)
        ]
        before.sort(key=lambda each: (each.created, each.name), reverse=True)
        place = _PLACES[origin.rule]
        return _of(before[place] if place < len(before) else None)
    return _of(_before(origin.rule, release, _stable(accepted, configurations)))


def _of(release: Release | None) -> FoundOrigin | None:
    return FoundOrigin(release.name, release.pull_spec) if release is not None else None


def _stable(
    accepted: Iterable[Release], configurations: Mapping[str, StreamConfiguration]
) -> list[tuple[Version, Release]]:
    """The releases of stable streams whose names are versions."""
    stable = {name for name, each in configurations.items() if each.kind is StreamKind.STABLE}
    return [
        (parse_version(each.name), each)
        for each in accepted
        if each.stream in stable and is_version(each.name)
    ]


def _before(
    rule: str, release: Release, stable: Iterable[tuple[Version, Release]]
) -> Release | None:
    if not is_version(release.name):
        return None
    version = parse_version(release.name)
    minor = version.minor - (rule == "PreviousMinor")
    wanted = [
        (each, found)
        for each, found in stable
        if (each.major, each.minor) == (version.major, minor) and each < version
    ]
    return max(wanted, key=lambda pair: pair[0], default=(None, None))[1]


def parse_bound(text: str) -> Version | None:
    """Where a range begins or ends: a version, or all of a minor one; None for what is neither."""
    whole = f"{text}.0-0" if _MINOR.fullmatch(text) else text
    return parse_version(whole) if is_version(whole) else None


def _highest(stable: Iterable[tuple[Version, Release]], origin: UpgradeOrigin) -> Release | None:
    lower, upper = parse_bound(origin.lower), parse_bound(origin.upper)
    wanted = [
        (version, found)
        for version, found in stable
        if not (lower and version < lower) and not (upper and not version < upper)
    ]
    return max(wanted, key=lambda pair: pair[0], default=(None, None))[1]
