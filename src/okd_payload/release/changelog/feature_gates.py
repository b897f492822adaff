# SPDX-License-Identifier: Apache-2.0
"""Which feature gates a payload switches, for which clusters, and how that changed.

The payload has a FeatureGate manifest for each cluster profile and feature set; its annotations
say for whom it is, its status which gates are on and off. The cluster-version operator itself
does not apply them, which is why their include annotation has a value of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from okd_payload.release.changelog.model import GateChange, GateTable
from okd_payload.release.load import Release
from okd_payload.release.objects import read_objects

_FILE_MARK = "featureGate-"
_INCLUDE = "include.release.openshift.io/"
_FEATURE_SET = "release.openshift.io/feature-set"
_INCLUDED = "false-except-for-the-config-operator"
_PROFILES = {
    "ibm-cloud-managed": "Hypershift",
    "self-managed-high-availability": "SelfManagedHA",
}
_ENABLED, _DISABLED = "Enabled", "Disabled"
_UNCONDITIONAL = "Unconditionally Enabled"
_ABSENT = "Not Available"

Gates = dict[str, dict[str, bool]]
"""For each column, whether a gate is on."""


class _Gate(msgspec.Struct, frozen=True):
    name: str = ""


class _Details(msgspec.Struct, frozen=True):
    enabled: tuple[_Gate, ...] = ()
    disabled: tuple[_Gate, ...] = ()


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    feature_gates: tuple[_Details, ...] = ()


class _Metadata(msgspec.Struct, frozen=True):
    annotations: dict[str, str] = {}


class _FeatureGate(msgspec.Struct, frozen=True):
    kind: str = ""
    metadata: _Metadata = _Metadata()
    status: _Status = _Status()


def compare_gates(before: Release, after: Release) -> GateTable:
    """The gates whose state is not the same in both releases."""
    old, new = read_gates(before), read_gates(after)
    columns = sorted(new) or sorted(old)
    names = sorted({name for gates in (*old.values(), *new.values()) for name in gates})
    changed = []
    for name in names:
        states = tuple(_describe(name, old.get(key), new.get(key, {})) for key in columns)
        if any(state.endswith(")") for state in states) or _ended(name, old, new):
            changed.append(GateChange(name=name, states=states))
    return GateTable(columns=tuple(columns), gates=tuple(changed))


def read_gates(release: Release) -> Gates:
    """The gates of ``release``, by who they are for; manifests that cannot be read are left out."""
    gates: Gates = {}
    for name, content in release.content.manifests.items():
        if _FILE_MARK in name:
            for column, states in _read_manifest(content):
                gates.setdefault(column, {}).update(states)
    return gates


def _read_manifest(content: bytes) -> Iterator[tuple[str, dict[str, bool]]]:
    for item in read_objects(content).objects:
        try:
            manifest = msgspec.convert(item.value, _FeatureGate)
        except msgspec.ValidationError:
            continue
        if manifest.kind != "FeatureGate":
            continue
        states = {
            gate.name: enabled
            for details in manifest.status.feature_gates
            for gates, enabled in ((details.disabled, False), (details.enabled, True))
            for gate in gates
        }
        for profile, feature_set in _columns_of(manifest.metadata.annotations):
            yield f"{feature_set} on {_PROFILES.get(profile, profile)}", states


def _columns_of(annotations: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    profiles = [
        key.removeprefix(_INCLUDE)
        for key, value in annotations.items()
        if key.startswith(_INCLUDE) and value == _INCLUDED
    ]
    for profile in sorted(profiles):
        for feature_set in annotations.get(_FEATURE_SET, "Default").split(","):
            yield profile, feature_set


def _describe(name: str, old: Mapping[str, bool] | None, new: Mapping[str, bool]) -> str:
    if name not in new:
        return _UNCONDITIONAL if old and old.get(name) else _ABSENT
    state = _ENABLED if new[name] else _DISABLED
    if old is None or name not in old:
        return f"{state} (New)"
    return state if old[name] == new[name] else f"{state} (Changed)"


def _ended(name: str, old: Gates, new: Gates) -> bool:
    """Whether the gate was there and is nowhere any more."""
    return any(name in gates for gates in old.values()) and not any(
        name in gates for gates in new.values()
    )
