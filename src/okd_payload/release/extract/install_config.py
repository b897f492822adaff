# SPDX-License-Identifier: Apache-2.0
"""The cluster that an install-config would make, as far as it decides about manifests.

Only what the payload's include rules ask for is read (``featureSet``, ``featureGates``,
``capabilities``, ``platform``); whether the file would install anything is the installer's
business. What the payload itself says comes first: which gates its feature sets enable stands in
its FeatureGate manifests, which capabilities there are in its ClusterVersion resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from okd_payload.documents import read_documents
from okd_payload.errors import InvalidDocument, UnknownName
from okd_payload.release.cluster.capabilities import (
    TABLES,
    CapabilityChoice,
    resolve_capabilities,
)
from okd_payload.release.cluster.features import gates_of, objects_about_clusters, tables_of
from okd_payload.release.cluster.settings import (
    DEFAULT_FEATURE_SET,
    DEFAULT_PROFILE,
    FEATURE_SETS,
    ClusterSettings,
)
from okd_payload.release.load import ReleaseContent
from okd_payload.release.objects import ManifestObject

_API_VERSION = "v1"
_CUSTOM = "CustomNoUpgrade"
_GATE = re.compile(r"(?P<name>[A-Za-z0-9]+)=(?P<value>true|false)", re.IGNORECASE)


class InstallConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What decides about manifests."""

    path: str
    platform: str
    feature_set: str = ""
    gates: tuple[tuple[str, bool], ...] = ()
    """Gates that are turned on or off by hand, which needs the set CustomNoUpgrade."""
    capabilities: CapabilityChoice | None = None
    """None when the file says nothing: then no object is left out for its capabilities."""


def read_install_config(path: Path) -> InstallConfig:
    """What the file at ``path`` says. Raises InvalidDocument and UnknownName."""
    documents = read_documents(path)
    value: Any = documents[0].value if len(documents) == 1 else None
    if not isinstance(value, dict):
        raise InvalidDocument(
            "not one YAML document with fields",
            path=str(path),
            hint="give the install-config.yaml of the cluster",
        )
    version = value.get("apiVersion")
    if version != _API_VERSION:
        raise InvalidDocument(
            f'unrecognized API version: "{version}" (expected "{_API_VERSION}")', path=str(path)
        )
    platforms = list(_fields(value, "platform", path))
    if len(platforms) != 1:
        shown = ", ".join(map(str, platforms)) or "none"
        raise InvalidDocument(
            f"one platform is needed, not {shown}", path=str(path), field="platform"
        )
    return InstallConfig(
        path=str(path),
        platform=str(platforms[0]).lower(),
        feature_set=_read_feature_set(value),
        gates=tuple(_read_gates(value.get("featureGates") or (), path)),
        capabilities=_read_capabilities(value, path),
    )


def settings_for(
    config: InstallConfig, content: ReleaseContent, *, version: str
) -> ClusterSettings:
    """What a cluster made with ``config`` of the release ``version`` asks of every object."""
    objects = objects_about_clusters(content.manifests)
    major = version.partition(".")[0]
    settings = ClusterSettings(
        profile=DEFAULT_PROFILE,
        feature_set=config.feature_set,
        major_version=int(major) if major.isdecimal() else None,
        exclude_identifier=None,
    )
    gates = frozenset(_enabled_gates(objects, config, settings, version=version))
    choice = config.capabilities
    return msgspec.structs.replace(
        settings,
        enabled_gates=gates,
        capabilities=resolve_capabilities(choice, enabled_gates=gates, tables=tables_of(objects))
        if choice
        else None,
    )


def _enabled_gates(
    objects: Iterable[ManifestObject],
    config: InstallConfig,
    settings: ClusterSettings,
    *,
    version: str,
) -> set[str]:
    found = gates_of(objects, settings, version)
    if found is None and config.feature_set == _CUSTOM:
        default = msgspec.structs.replace(settings, feature_set=DEFAULT_FEATURE_SET)
        found = gates_of(objects, default, version)
    enabled = found or set()
    for name, is_on in config.gates:
        if is_on:
            enabled.add(name)
        else:
            enabled.discard(name)
    return enabled


def _read_feature_set(value: dict[str, Any]) -> str:
    name = str(value.get("featureSet") or "")
    if name and name not in FEATURE_SETS:
        raise UnknownName("feature set", name, known=FEATURE_SETS)
    return name


def _read_gates(listed: object, path: Path) -> Iterator[tuple[str, bool]]:
    for text in _list(listed):
        matched = _GATE.fullmatch(str(text))
        if matched is None:
            raise InvalidDocument(
                f"{text!r} is not GATE=true or GATE=false", path=str(path), field="featureGates"
            )
        yield matched["name"], matched["value"].lower() == "true"


def _read_capabilities(value: dict[str, Any], path: Path) -> CapabilityChoice | None:
    if value.get("capabilities") is None:
        return None
    fields = _fields(value, "capabilities", path)
    baseline = str(fields.get("baselineCapabilitySet") or "")
    if baseline and baseline not in TABLES.sets:
        raise UnknownName("baselineCapabilitySet", baseline, known=TABLES.sets)
    additional = _list(fields.get("additionalEnabledCapabilities"))
    return CapabilityChoice(baseline=baseline, additional=frozenset(map(str, additional)))


def _fields(value: dict[str, Any], key: str, path: Path) -> dict[Any, Any]:
    found = value.get(key)
    if not isinstance(found, dict):
        raise InvalidDocument("fields are needed here", path=str(path), field=key)
    return found


def _list(value: object) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else ()
