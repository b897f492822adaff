# SPDX-License-Identifier: Apache-2.0
"""The optional parts of a cluster: which there are, which a cluster has.

The tables are compiled into the operator of each release (``config/v1`` of openshift/api, as of
July 2026, with sets that never change once a release has them); a payload does not carry them
whole, so a caller who knows better passes its own. What is behind a feature gate is unknown to
the cluster while none of its gates is on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from okd_payload.release.cluster.annotations import capabilities_of, read_annotations
from okd_payload.release.cluster.include import why_excluded
from okd_payload.release.cluster.settings import CapabilityStatus, ClusterSettings
from okd_payload.release.objects import ManifestObject, ObjectKey

_SET_4_11 = frozenset({"MachineAPI", "baremetal", "marketplace", "openshift-samples"})
_SET_4_12 = _SET_4_11 | {"CSISnapshot", "Console", "Insights", "Storage"}
_SET_4_13 = _SET_4_12 | {"NodeTuning"}
_SET_4_14 = _SET_4_13 | {"Build", "DeploymentConfig", "ImageRegistry"}
_SET_4_15 = _SET_4_14 | {"CloudCredential", "OperatorLifecycleManager"}
_SET_4_16 = _SET_4_15 | {"CloudControllerManager", "Ingress"}
_SET_4_18 = _SET_4_16 | {"OperatorLifecycleManagerV1"}
_GATED: Mapping[str, frozenset[str]] = {
    "ClusterAPI": frozenset({"ClusterAPIMachineManagement"}),
    "CompatibilityRequirements": frozenset(
        {"CRDCompatibilityRequirementOperator", "ClusterAPIMachineManagement"}
    ),
}

CURRENT_SET: Final = "vCurrent"


class CapabilityTables(msgspec.Struct, frozen=True, kw_only=True):
    """What one release's operator knows of capabilities."""

    sets: Mapping[str, frozenset[str]]
    """The members of each baseline set; a set that is not here is empty."""
    gates: Mapping[str, frozenset[str]] = {}
    """The capabilities behind feature gates, any one of which makes them known."""
    known: frozenset[str]


TABLES = CapabilityTables(
    sets={
        "None": frozenset(),
        "v4.11": _SET_4_11,
        "v4.12": _SET_4_12,
        "v4.13": _SET_4_13,
        "v4.14": _SET_4_14,
        "v4.15": _SET_4_15,
        "v4.16": _SET_4_16,
        "v4.17": _SET_4_16,
        "v4.18": _SET_4_18,
        CURRENT_SET: _SET_4_18 | frozenset(_GATED),
    },
    gates=_GATED,
    known=_SET_4_18 | frozenset(_GATED),
)
"""Those of the newest operator that was looked at."""


class CapabilityChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What ``ClusterVersion.spec.capabilities`` asks for."""

    baseline: str = ""
    """The name of a set; empty means the current one."""
    additional: frozenset[str] = frozenset()


def resolve_capabilities(
    choice: CapabilityChoice,
    *,
    enabled_gates: frozenset[str],
    implicitly_enabled: Iterable[str] = (),
    tables: CapabilityTables = TABLES,
) -> CapabilityStatus:
    """What a cluster with this choice knows and has."""
    hidden = {name for name, gates in tables.gates.items() if gates.isdisjoint(enabled_gates)}
    baseline = tables.sets.get(choice.baseline or CURRENT_SET, frozenset())
    return CapabilityStatus(
        known=tables.known - hidden,
        enabled=(baseline | choice.additional | frozenset(implicitly_enabled)) - hidden,
    )


def find_implicitly_enabled(
    old: Iterable[ManifestObject],
    new: Iterable[ManifestObject],
    *,
    old_settings: ClusterSettings,
    new_settings: ClusterSettings,
) -> frozenset[str]:
    """Capabilities that an update enables by itself, so that no object goes out of management.

    That happens when an object that the cluster has moves into a capability that it has not.
    Both settings carry the capabilities of the cluster as it runs.
    """
    before: dict[ObjectKey, list[ManifestObject]] = {}
    for item in old:
        before.setdefault(item.key, []).append(item)
    old_settings = msgspec.structs.replace(old_settings, allow_unknown_capabilities=True)
    new_settings = msgspec.structs.replace(new_settings, allow_unknown_capabilities=True)
    had = old_settings.capabilities.enabled if old_settings.capabilities else frozenset()
    found: set[str] = set()
    for item in new:
        if why_excluded(item, new_settings):
            for earlier in before.get(item.key, ()):
                if not why_excluded(earlier, old_settings):
                    found |= _capabilities(item) - _capabilities(earlier) - had
    return frozenset(found)


def _capabilities(item: ManifestObject) -> frozenset[str]:
    return frozenset(capabilities_of(read_annotations(item.value) or {}))
