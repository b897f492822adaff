# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

from okd_payload.release.cluster.capabilities import TABLES
from okd_payload.release.cluster.features import gates_of, objects_about_clusters, tables_of
from okd_payload.release.cluster.settings import ClusterSettings


def _gates(name, enabled, *, feature_set="Default", profile="self-managed-high-availability"):
    """A FeatureGate manifest, as the config operator ships them."""
    return json.dumps(
        {
            "apiVersion": "config.openshift.io/v1",
            "kind": "FeatureGate",
            "metadata": {
                "name": name,
                "annotations": {
                    f"include.release.openshift.io/{profile}": (
                        "false-except-for-the-config-operator"
                    ),
                    "release.openshift.io/feature-set": feature_set,
                },
            },
            "status": {
                "featureGates": [
                    {"version": "4.20.0", "enabled": [{"name": gate} for gate in enabled]},
                    "nonsense",
                ]
            },
        }
    ).encode()


def _version_resource(names):
    path = ["properties", "spec", "properties", "capabilities", "properties"]
    schema = {"items": {"enum": names}}
    for step in reversed([*path, "additionalEnabledCapabilities"]):
        schema = {step: schema}
    return json.dumps(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "clusterversions.config.openshift.io"},
            "spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]},
        }
    ).encode()


def test_gates_of_the_feature_set():
    """The gates are those of the cluster's feature set and profile, and None without any."""
    objects = objects_about_clusters(
        {
            "a.yaml": _gates("a", ["A"]),
            "b.yaml": _gates("b", ["B"], feature_set="TechPreviewNoUpgrade"),
            "c.yaml": _gates("c", ["C"], profile="hypershift"),
            "other.yaml": b"kind: X\nmetadata: {name: x}\n",
        }
    )
    assert len(objects) == 3
    assert gates_of(objects, ClusterSettings(), "4.20.0") == {"A"}
    assert gates_of(objects, ClusterSettings(), "4.21.0") == {"A"}
    preview = ClusterSettings(feature_set="TechPreviewNoUpgrade")
    assert gates_of(objects, preview, "4.20.0") == {"B"}
    assert gates_of(objects, ClusterSettings(feature_set="OKD"), "4.20.0") is None


def test_capabilities_of_the_payload():
    """The payload's own list counts, and ours only where it says nothing."""
    objects = objects_about_clusters({"a.yaml": _version_resource(["a", "b"])})
    tables = tables_of(objects)
    assert tables.known == tables.sets["vCurrent"] == {"a", "b"}
    assert tables.sets["v4.11"] == TABLES.sets["v4.11"]
    assert tables_of(objects_about_clusters({"a.yaml": _version_resource([])})) == TABLES
