# SPDX-License-Identifier: Apache-2.0
"""Channels: what a cluster names when it asks for updates.

A stream is in the channels that its owner wrote down; without any, in one that its name tells:
``4-stable`` is ``stable-4``, ``4-scos-next`` is ``next-scos-4``, and the stream of an integration
``4.20.0-0.okd-scos`` is ``nightly-4.20``. Whoever is in a channel of a whole major version is in
those of its minor versions too (``stable-4`` in ``stable-4.20``), and so is the minor version
before, because clusters come from there.
"""

from __future__ import annotations

import re

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.release.semver import Version

_STABLE = re.compile(r"(?P<major>[0-9]+)-(?:(?P<flavour>[A-Za-z0-9.-]+)-)?(?P<kind>[A-Za-z0-9]+)")
_INTEGRATION = re.compile(r"(?P<minor>[0-9]+\.[0-9]+)\.[0-9]+-0\..+")
_WHOLE_MAJOR = re.compile(r".+-[0-9]+")
CHANNEL = re.compile(r"[0-9A-Za-z.-]{1,100}")
"""What a channel may be called."""


def channels_of(configuration: StreamConfiguration) -> tuple[str, ...]:
    """The channels that the releases of a stream are in."""
    if configuration.channels:
        return configuration.channels
    derived = derive_channel(configuration.name)
    return (derived,) if derived else ()


def derive_channel(stream: str) -> str:
    """The channel that the name of a stream tells; empty when it tells none."""
    found = _STABLE.fullmatch(stream)
    if found:
        parts = (found["kind"], found["flavour"], found["major"])
        return "-".join(part for part in parts if part)
    integration = _INTEGRATION.fullmatch(stream)
    return f"nightly-{integration['minor']}" if integration else ""


def is_in(channel: str, channels: tuple[str, ...], version: Version) -> bool:
    """Whether a release of ``version`` in ``channels`` is in ``channel``, too."""
    if channel in channels:
        return True
    whole, dot, minor = channel.rpartition(".")
    if not dot or whole not in channels or not minor.isdecimal():
        return False
    major = int(whole.rpartition("-")[2]) if _WHOLE_MAJOR.fullmatch(whole) else -1
    return version.major == major and int(minor) - version.minor in (0, 1)


def all_channels(
    channels: tuple[str, ...], version: Version, minors: frozenset[tuple[int, int]]
) -> tuple[str, ...]:
    """Every channel that a release is in, where releases of ``minors`` exist."""
    here = (version.minor, version.minor + 1)
    derived = [
        f"{channel}.{minor}"
        for channel in channels
        if _WHOLE_MAJOR.fullmatch(channel) and channel.endswith(f"-{version.major}")
        for minor in here
        if (version.major, minor) in minors
    ]
    return tuple(sorted({*channels, *derived}))
