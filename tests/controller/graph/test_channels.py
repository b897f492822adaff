# SPDX-License-Identifier: Apache-2.0
"""Clusters find the releases of a stream under the channels that they have set already."""

from __future__ import annotations

import pytest

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.graph.channels import (
    all_channels,
    channels_of,
    derive_channel,
    is_in,
)
from okd_payload.release.semver import parse_version


@pytest.mark.parametrize(
    ("stream", "channel"),
    [
        ("4-stable", "stable-4"),
        ("4-scos-stable", "stable-scos-4"),
        ("4-scos-next", "next-scos-4"),
        ("5-stable", "stable-5"),
        ("4.20.0-0.okd-scos", "nightly-4.20"),
        ("mine", ""),
        ("stable", ""),
    ],
)
def test_a_name_tells_a_channel(stream: str, channel: str) -> None:
    """The names that OKD gives its streams are enough."""
    assert derive_channel(stream) == channel


def test_what_is_written_counts_instead_of_the_name() -> None:
    """An owner who names channels is in these only."""
    configuration = StreamConfiguration(name="4-stable", channels=("fast-4", "eus-4"))
    assert channels_of(configuration) == ("fast-4", "eus-4")


@pytest.mark.parametrize(
    ("channel", "version", "expected"),
    [
        ("stable-4", "4.20.1", True),
        ("stable-4.20", "4.20.1", True),
        ("stable-4.20", "4.19.9", True),
        ("stable-4.20", "4.18.9", False),
        ("stable-4.20", "4.21.0", False),
        ("stable-4.20", "5.20.0", False),
        ("stable-5", "4.20.1", False),
        ("stable-4.x", "4.20.1", False),
        ("stable-4.", "4.20.1", False),
        ("next-4.20", "4.20.1", False),
    ],
)
def test_a_channel_of_a_major_version_has_those_of_its_minor_versions(
    channel: str, version: str, *, expected: bool
) -> None:
    """With the minor version before, where its clusters come from."""
    assert is_in(channel, ("stable-4",), parse_version(version)) is expected


def test_only_minor_versions_that_exist_are_told() -> None:
    """Nobody is led to a channel in which nothing is."""
    told = all_channels(("stable-4", "mine"), parse_version("4.19.3"), frozenset({(4, 19)}))
    assert told == ("mine", "stable-4", "stable-4.19")
