# SPDX-License-Identifier: Apache-2.0
"""Where an update starts, by every rule; where none fits there is no origin."""

from __future__ import annotations

import pytest

from okd_payload.controller.configuration.model import (
    StreamConfiguration,
    StreamKind,
    UpgradeOrigin,
)
from okd_payload.controller.model import Phase, Release
from okd_payload.controller.verification.origins import FoundOrigin, find_origin

STREAMS = {
    "4.20": StreamConfiguration(name="4.20"),
    "4.19": StreamConfiguration(name="4.19"),
    "stable": StreamConfiguration(name="stable", kind=StreamKind.STABLE),
    "next": StreamConfiguration(name="next", kind=StreamKind.STABLE),
}


def release(name: str, stream: str, created: float, phase: Phase = Phase.ACCEPTED) -> Release:
    """A release that was made at ``created``."""
    return Release(
        name=name,
        stream=stream,
        phase=phase,
        created=created,
        changed=created,
        input_hash=name,
        pull_spec=f"quay.test/r@{name}",
    )


RELEASES = [
    release("4.20.0-0.x-1", "4.20", 1),
    release("4.20.0-0.x-2", "4.20", 2),
    release("4.20.0-0.x-3", "4.20", 3, Phase.REJECTED),
    release("4.20.0-0.x-4", "4.20", 4, Phase.READY),
    release("4.20.0-0.x-5", "4.20", 5),
    release("4.19.0-0.x-1", "4.19", 9),
    release("4.19.0-okd.2", "stable", 2),
    release("4.19.0-okd.10", "stable", 1),
    release("4.20.0-okd.0", "stable", 3),
    release("4.20.0-okd.1", "next", 4),
    release("4.20.0-okd.2", "stable", 5, Phase.REJECTED),
    release("no-version", "stable", 6),
]


@pytest.mark.parametrize(
    ("of", "origin", "expected"),
    [
        ("4.20.0-0.x-4", UpgradeOrigin(rule="Previous"), "4.20.0-0.x-2"),
        ("4.20.0-0.x-4", UpgradeOrigin(rule="PreviousMinus1"), "4.20.0-0.x-1"),
        ("4.20.0-0.x-1", UpgradeOrigin(rule="Previous"), None),
        ("4.20.0-0.x-4", UpgradeOrigin(rule="Previous", stream="4.19"), "4.19.0-0.x-1"),
        ("4.20.0-0.x-4", UpgradeOrigin(rule="Previous", stream="nowhere"), None),
        ("4.20.0-okd.2", UpgradeOrigin(rule="PreviousPatch"), "4.20.0-okd.1"),
        ("4.20.0-okd.0", UpgradeOrigin(rule="PreviousPatch"), None),
        ("4.20.0-okd.2", UpgradeOrigin(rule="PreviousMinor"), "4.19.0-okd.10"),
        ("no-version", UpgradeOrigin(rule="PreviousPatch"), None),
        ("4.20.0-0.x-4", UpgradeOrigin(lower="4.19.0-okd.3", upper="4.20.0-a"), "4.19.0-okd.10"),
        ("4.20.0-0.x-4", UpgradeOrigin(upper="4.19.0-okd.3"), "4.19.0-okd.2"),
        ("4.20.0-0.x-4", UpgradeOrigin(lower="4.21.0"), None),
        ("4.20.0-0.x-4", UpgradeOrigin(lower="4.19", upper="4.20"), "4.19.0-okd.10"),
        ("4.20.0-0.x-4", UpgradeOrigin(lower="4.21"), None),
        ("4.20.0-0.x-4", UpgradeOrigin(release="4.19.0-okd.2"), "4.19.0-okd.2"),
        ("4.20.0-0.x-4", UpgradeOrigin(release="4.18.0"), None),
    ],
)
def test_each_rule_finds_its_release(of: str, origin: UpgradeOrigin, expected: str | None) -> None:
    """Only accepted releases count, and never the one that is tested."""
    tested = next(each for each in RELEASES if each.name == of)
    found = find_origin(origin, tested, configurations=STREAMS, releases=RELEASES)
    wanted = FoundOrigin(expected, f"quay.test/r@{expected}") if expected else None
    assert found == wanted


def test_a_pull_spec_is_taken_as_it_is() -> None:
    """A release that nobody here knows can be started from all the same."""
    found = find_origin(
        UpgradeOrigin(release="quay.io/okd/scos-release:4.19.0"),
        RELEASES[0],
        configurations=STREAMS,
        releases=RELEASES,
    )
    assert found == FoundOrigin("", "quay.io/okd/scos-release:4.19.0")
