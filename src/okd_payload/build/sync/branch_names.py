# SPDX-License-Identifier: Apache-2.0
"""Names of release branches: how they are written, and which one comes next.

The next release is not computed: 4.23 is followed by 5.0. It is the lowest later version that
repositories really have a branch for, and enough of them, because a single repository may have
a branch of any name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable

import msgspec

from okd_payload.errors import InputError

VERSION = "{version}"
"""Stands in patterns for the version of the branch that was asked for."""
FALLBACKS = (f"openshift-{VERSION}", "main", "master")
"""What repositories of OpenShift call the branch that others call ``release-X.Y``, and where
those develop that make no branches."""

_NUMBERS = re.compile(r"\d+\.\d+")

Version = tuple[int, int]


class NextBranch(msgspec.Struct, frozen=True, kw_only=True):
    """The branch that follows another one, and who has it."""

    name: str
    repositories: int
    """How many have it."""
    of: int
    """Of so many that have the one before."""


def pattern_of(branch: str) -> str:
    """``branch`` with its version taken out; itself when it has none."""
    return _NUMBERS.sub(VERSION, branch, count=1)


def version_in(branch: str) -> str:
    """The version in the name ``branch``; empty when it has none."""
    found = _NUMBERS.search(branch)
    return found[0] if found else ""


def expand(pattern: str, branch: str) -> str:
    """``pattern`` for the version of ``branch``; empty when it takes one and there is none."""
    version = version_in(branch)
    if VERSION not in pattern:
        return pattern
    return pattern.replace(VERSION, version) if version else ""


def fits(name: str, pattern: str) -> bool:
    """Whether ``pattern`` for some version is ``name``."""
    return name == pattern or (pattern_of(name) == pattern and VERSION in pattern)


def find_next(current: str, repositories: Iterable[Collection[str]]) -> NextBranch:
    """The branch after ``current``; each repository is given by the names of its branches.

    Raises InputError when no later version is in half of the repositories that have
    ``current``, and when that is no release branch.
    """
    pattern, version = pattern_of(current), _parse(version_in(current))
    if version is None:
        raise InputError(
            f"{current!r} names no version, so none comes after it",
            hint="name the branch: okd-payload catalog branch BRANCH",
        )
    having = [names for names in repositories if current in names]
    counts: Counter[Version] = Counter()
    for names in having:
        later = {_parse(version_in(name)) for name in names if fits(name, pattern)}
        counts.update(found for found in later if found is not None and found > version)
    for found in sorted(counts):
        if 2 * counts[found] >= len(having):
            name = pattern.replace(VERSION, f"{found[0]}.{found[1]}")
            return NextBranch(name=name, repositories=counts[found], of=len(having))
    told = ", ".join(
        f"{pattern.replace(VERSION, f'{major}.{minor}')} in {counts[major, minor]}"
        for major, minor in sorted(counts)
    )
    raise InputError(
        f"no branch after {current} is in half of the {len(having)} repositories that have it"
        + (f": {told}" if told else ""),
        hint="it was not made yet; name a branch to see who has it",
    )


def _parse(version: str) -> Version | None:
    if not version:
        return None
    major, minor = version.split(".")
    return int(major), int(minor)
