# SPDX-License-Identifier: Apache-2.0
"""An install-config says what cluster it would make, and the payload says the rest."""

from __future__ import annotations

import json

import pytest

from okd_payload.errors import InvalidDocument, UnknownName
from okd_payload.release.extract.install_config import read_install_config, settings_for
from okd_payload.release.load import ReleaseContent

_FOR_OPERATOR = "false-except-for-the-config-operator"
_PROFILE = "include.release.openshift.io/self-managed-high-availability"


def gate(feature_set, *enabled, version="4.20.0", include=_FOR_OPERATOR, **annotations):
    """The FeatureGate manifest of a feature set."""
    known = {_PROFILE: include, "release.openshift.io/feature-set": feature_set, **annotations}
    return json.dumps(
        {
            "apiVersion": "config.openshift.io/v1",
            "kind": "FeatureGate",
            "metadata": {"name": "cluster", "annotations": known},
            "status": {
                "featureGates": [
                    {"version": version, "enabled": [{"name": name} for name in enabled]}
                ]
            },
        }
    ).encode()


@pytest.fixture
def settle(tmp_path):
    """The settings that an install-config means for a payload."""

    def read(text, **manifests):
        path = tmp_path / "install-config.yaml"
        path.write_text(f"apiVersion: v1\nplatform: {{aws: {{region: r}}}}\n{text}")
        files = {f"{name}.yaml": content for name, content in manifests.items()}
        content = ReleaseContent(origin="here", files=files)
        return settings_for(read_install_config(path), content, version="4.20.0")

    return read


def test_the_defaults_are_those_of_a_cluster(settle):
    """Nothing said means the default feature set, and no filter for capabilities."""
    settings = settle("")
    assert settings.feature_set == ""
    assert settings.enabled_gates == frozenset()
    assert settings.capabilities is None
    assert settings.major_version == 4


def test_gates_come_from_the_payload(settle):
    """Those that the payload enables for the feature set, for this profile and major version."""
    manifests = {
        "default": gate("Default", "A"),
        "preview": gate("TechPreviewNoUpgrade", "A", "B"),
        "other": gate("TechPreviewNoUpgrade", "C", include="true"),
        "later": gate("TechPreviewNoUpgrade", "D", **{"release.openshift.io/major-version": "5"}),
        "now": gate("TechPreviewNoUpgrade", "E", **{"release.openshift.io/major-version": "4"}),
    }
    assert settle("", **manifests).enabled_gates == {"A"}
    chosen = settle("featureSet: TechPreviewNoUpgrade", **manifests)
    assert chosen.enabled_gates == {"A", "B", "E"}


def test_gates_of_other_versions_do_not_count(settle):
    """A manifest may tell gates of several versions; the release's own counts."""
    both = json.loads(gate("Default", "New"))
    both["status"]["featureGates"].append({"version": "4.19.0", "enabled": [{"name": "Old"}]})
    assert settle("", both=json.dumps(both).encode()).enabled_gates == {"New"}


def test_gates_may_be_turned_by_hand(settle):
    """With the custom set, gates are added to and taken from those of the default set."""
    text = "featureSet: CustomNoUpgrade\nfeatureGates: [B=true, A=false]\n"
    assert settle(text, default=gate("Default", "A", "C")).enabled_gates == {"B", "C"}


def test_capabilities_are_resolved(settle):
    """A baseline and what is added to it."""
    text = "capabilities: {baselineCapabilitySet: None, additionalEnabledCapabilities: [Console]}"
    capabilities = settle(text).capabilities
    assert capabilities.enabled == {"Console"}
    assert "Insights" in capabilities.known


def test_the_payload_says_which_capabilities_there_are(settle):
    """The enumeration in its ClusterVersion resource counts, and the current set is all of it."""
    schema = {"items": {"enum": ["Console", "Brandnew"]}}
    for key in ("additionalEnabledCapabilities", "capabilities", "spec"):
        schema = {"properties": {key: schema}}
    resource = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "clusterversions.config.openshift.io"},
        "spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]},
    }
    found = settle("capabilities: {}", crd=json.dumps(resource).encode()).capabilities
    assert found.known == found.enabled == {"Console", "Brandnew"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("apiVersion: v2\nplatform: {none: {}}", r'unrecognized API version: "v2" \(expected "v1"'),
        ("platform: {none: {}}", "unrecognized API version"),
        ("- a", "not one YAML document"),
        ("apiVersion: v1", "platform: fields are needed"),
        ("apiVersion: v1\nplatform: {}", "one platform is needed, not none"),
        ("apiVersion: v1\nplatform: {aws: {}, gcp: {}}", "one platform is needed, not aws, gcp"),
        ("apiVersion: v1\nplatform: {none: {}}\ncapabilities: x", "capabilities: fields"),
        ("apiVersion: v1\nplatform: {none: {}}\nfeatureGates: [A]", "is not GATE=true"),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path, text, message):
    """The file is named, and what is wrong with it."""
    path = tmp_path / "install-config.yaml"
    path.write_text(text)
    with pytest.raises(InvalidDocument, match=message):
        read_install_config(path)


@pytest.mark.parametrize(
    "text", ["featureSet: TechPreview", "capabilities: {baselineCapabilitySet: v4.9}"]
)
def test_unknown_names_are_refused(settle, text):
    """A typing error would silently leave things out."""
    with pytest.raises(UnknownName):
        settle(text)
