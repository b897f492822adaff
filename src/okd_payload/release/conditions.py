# SPDX-License-Identifier: Apache-2.0
"""On which clusters an object of a payload is applied, by its annotations.

A payload ships many objects several times, for other profiles, feature sets and gates; only one
of them is meant for any one cluster. Here is just enough of the operator's rules to tell whether
two objects can meet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from okd_payload.release.cluster.annotations import (
    FEATURE_GATE,
    FEATURE_SET,
    INCLUDE,
    MAJOR_VERSION,
    read_annotations,
)


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What must hold on a cluster; an empty set of feature sets means any."""

    profiles: frozenset[str] | None = None
    """None when nothing is said, which people who try things out mean as any."""
    feature_sets: frozenset[str] = frozenset()
    switches: frozenset[str] = frozenset()
    """Gates and major versions that must be there, or with a minus, must not."""

    def may_hold_with(self, other: Conditions) -> bool:
        """Whether there may be a cluster on which both hold."""
        return (
            _overlap(self.profiles, other.profiles)
            and _overlap(self.feature_sets or None, other.feature_sets or None)
            and not any(_opposite(switch) in other.switches for switch in self.switches)
        )


def conditions_of(value: Mapping[str, Any]) -> Conditions:
    """The conditions of the object ``value``."""
    annotations = read_annotations(value) or {}
    profiles = {
        key.removeprefix(INCLUDE): text == "true"
        for key, text in annotations.items()
        if key.startswith(INCLUDE)
    }
    return Conditions(
        profiles=frozenset(name for name in profiles if profiles[name]) if profiles else None,
        feature_sets=_split(annotations.get(FEATURE_SET, "")),
        switches=_split(annotations.get(FEATURE_GATE, ""))
        | _split(annotations.get(MAJOR_VERSION, "")),
    )


def _split(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def _overlap(one: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    return one is None or other is None or not one.isdisjoint(other)


def _opposite(switch: str) -> str:
    return switch.removeprefix("-") if switch.startswith("-") else f"-{switch}"
