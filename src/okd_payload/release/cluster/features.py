# SPDX-License-Identifier: Apache-2.0
"""What a payload itself says about clusters: which gates are on, which capabilities there are.

Its FeatureGate manifests list the gates of each feature set, for each version and profile; its
ClusterVersion resource lists the capabilities. A payload that says nothing leaves it to our own
tables. Files that are about neither are not even parsed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from okd_payload.release.cluster.annotations import INCLUDE, read_annotations
from okd_payload.release.cluster.capabilities import CURRENT_SET, TABLES, CapabilityTables
from okd_payload.release.cluster.include import why_excluded
from okd_payload.release.cluster.settings import ClusterSettings
from okd_payload.release.objects import ManifestObject, read_objects

_FOR_CONFIG_OPERATOR = "false-except-for-the-config-operator"
_GATE_KEY = ("config.openshift.io", "FeatureGate")
_VERSION_RESOURCE = "clusterversions.config.openshift.io"
_CAPABILITY_PATH = ("properties", "spec", "properties", "capabilities", "properties")
_ENUM_PATH = (*_CAPABILITY_PATH, "additionalEnabledCapabilities", "items", "enum")


def objects_about_clusters(manifests: Mapping[str, bytes]) -> list[ManifestObject]:
    """The objects that are asked for gates and capabilities."""
    return [
        item
        for text in manifests.values()
        if _GATE_KEY[1].encode() in text or _VERSION_RESOURCE.encode() in text
        for item in read_objects(text).objects
    ]


def tables_of(objects: Iterable[ManifestObject]) -> CapabilityTables:
    """The capabilities that the release of ``objects`` knows; ours where it does not say.

    Its ClusterVersion resource lists them all, and the current set is all of them; older sets
    never change.
    """
    for item in objects:
        if item.key.name == _VERSION_RESOURCE:
            for version in _list(_get(item.value, "spec", "versions")):
                names = _get(version, "schema", "openAPIV3Schema", *_ENUM_PATH)
                known = frozenset(name for name in _list(names) if isinstance(name, str))
                if known:
                    return CapabilityTables(
                        sets={**TABLES.sets, CURRENT_SET: known}, gates=TABLES.gates, known=known
                    )
    return TABLES


def gates_of(
    objects: Iterable[ManifestObject], settings: ClusterSettings, version: str
) -> set[str] | None:
    """The gates that the payload enables for a feature set, None when it has nothing for it."""
    asked = msgspec.structs.replace(settings, profile=None, enabled_gates=None)
    found: set[str] | None = None
    gates = [item for item in objects if (item.key.group, item.key.kind) == _GATE_KEY]
    for item in gates:
        annotations = read_annotations(item.value) or {}
        if annotations.get(f"{INCLUDE}{settings.profile}") != _FOR_CONFIG_OPERATOR:
            continue
        if why_excluded(item, asked):
            continue
        listed = _list(_get(item.value, "status", "featureGates"))
        own = [each for each in listed if _get(each, "version") == version]
        found = found or set()
        for each in own or listed:
            names = (_get(gate, "name") for gate in _list(_get(each, "enabled")))
            found |= {name for name in names if isinstance(name, str)}
    return found


def _get(value: object, *keys: str) -> Any:
    """What is at the end of ``keys``, None where there is nothing on the way."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(value: object) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else ()
