# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from okd_payload.release.cluster.capabilities import (
    TABLES,
    CapabilityChoice,
    CapabilityTables,
    find_implicitly_enabled,
    resolve_capabilities,
)
from okd_payload.release.cluster.settings import ClusterSettings
from okd_payload.release.objects import ManifestObject, ObjectKey

_NONE = CapabilityChoice(baseline="None")


def _object(name, capability=""):
    annotations = {"include.release.openshift.io/self-managed-high-availability": "true"}
    if capability:
        annotations["capability.openshift.io/name"] = capability
    value = {"metadata": {"annotations": annotations}}
    return ManifestObject(ObjectKey("", "ConfigMap", "n", name), value, 1)


def test_gated_capabilities_are_unknown():
    """A capability behind a gate is neither known nor enabled while its gate is off."""
    off = resolve_capabilities(CapabilityChoice(), enabled_gates=frozenset())
    gates = frozenset({"CRDCompatibilityRequirementOperator"})
    on = resolve_capabilities(CapabilityChoice(), enabled_gates=gates)
    assert on.known - off.known == {"CompatibilityRequirements"} == on.enabled - off.enabled


def test_sets_only_grow():
    """Each baseline set holds those before it, and the current one holds all that is known."""
    versions = sorted(name for name in TABLES.sets if name.startswith("v4."))
    sizes = [len(TABLES.sets[name]) for name in versions]
    assert sizes == sorted(sizes)
    assert TABLES.sets["vCurrent"] == TABLES.known


def test_tables_of_another_release():
    """A caller who knows other tables gets what they say, and an unknown set is empty."""
    tables = CapabilityTables(sets={"x": frozenset({"a"})}, known=frozenset({"a", "b"}))
    choice = CapabilityChoice(baseline="x", additional=frozenset({"b"}))
    status = resolve_capabilities(choice, enabled_gates=frozenset(), tables=tables)
    assert status.enabled == {"a", "b"}
    unknown = CapabilityChoice(baseline="v9")
    assert not resolve_capabilities(unknown, enabled_gates=frozenset(), tables=tables).enabled


def test_implicitly_enabled():
    """What the cluster has stays managed when it moves into a capability that is off."""
    status = resolve_capabilities(_NONE, enabled_gates=frozenset())
    settings = ClusterSettings(capabilities=status)
    found = find_implicitly_enabled(
        [_object("a"), _object("b", "Console"), _object("c")],
        [_object("a", "Storage"), _object("b", "Console+Build"), _object("new", "Ingress")],
        old_settings=settings,
        new_settings=settings,
    )
    assert found == {"Storage"}
