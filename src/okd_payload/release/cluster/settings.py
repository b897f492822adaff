# SPDX-License-Identifier: Apache-2.0
"""What the operator knows of its cluster when it decides about an object of a payload."""

from __future__ import annotations

from typing import Final

import msgspec

DEFAULT_PROFILE: Final = "self-managed-high-availability"
DEFAULT_FEATURE_SET: Final = "Default"
FEATURE_SETS: Final = frozenset(
    {DEFAULT_FEATURE_SET, "CustomNoUpgrade", "DevPreviewNoUpgrade", "OKD", "TechPreviewNoUpgrade"}
)
"""The names that the annotation may use; any other keeps the object away from every cluster."""


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """An object that the administrator took out of the operator's hands, or explicitly did not."""

    group: str = ""
    kind: str
    namespace: str = ""
    name: str
    unmanaged: bool = True


class CapabilityStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The capabilities that a cluster knows, and those of them that it has."""

    known: frozenset[str]
    enabled: frozenset[str]


class ClusterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What decides whether an object is for this cluster.

    None for a field means that the operator does not ask about it.
    """

    profile: str | None = DEFAULT_PROFILE
    feature_set: str | None = ""
    """Empty, or ``Default``, for the default set."""
    enabled_gates: frozenset[str] | None = frozenset()
    major_version: int | None = None
    exclude_identifier: str | None = ""
    capabilities: CapabilityStatus | None = None
    """None while an update is loaded: then no object is left out for its capabilities."""
    allow_unknown_capabilities: bool = False
    overrides: tuple[Override, ...] = ()
