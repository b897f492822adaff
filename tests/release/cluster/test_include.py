# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.release.cluster.annotations import read_annotations
from okd_payload.release.cluster.include import is_overridden, why_excluded
from okd_payload.release.cluster.settings import (
    CapabilityStatus,
    ClusterSettings,
    Override,
)
from okd_payload.release.objects import ManifestObject, ObjectKey

_INCLUDED = {"include.release.openshift.io/self-managed-high-availability": "true"}
_KEY = ObjectKey("", "ConfigMap", "n", "a")


def _why(annotations, *, key=_KEY, **settings):
    item = ManifestObject(key, {"metadata": {"annotations": annotations}}, 1)
    return why_excluded(item, ClusterSettings(**settings))


@pytest.mark.parametrize(
    ("annotations", "settings", "reason"),
    [
        (_INCLUDED, {}, ""),
        (None, {}, "no annotations"),
        ({**_INCLUDED, "a": True}, {}, "no annotations"),
        ({**_INCLUDED, "a": None}, {}, ""),
        ({}, {}, "include.release.openshift.io/self-managed-high-availability unset"),
        ({}, {"profile": None}, ""),
        (_INCLUDED, {"profile": "hypershift"}, "include.release.openshift.io/hypershift unset"),
        (
            {**_INCLUDED, "exclude.release.openshift.io/x": "true"},
            {"exclude_identifier": "x"},
            "exclude.release.openshift.io/x=true",
        ),
        ({**_INCLUDED, "exclude.release.openshift.io/x": "true"}, {"exclude_identifier": None}, ""),
        (
            {**_INCLUDED, "release.openshift.io/feature-set": "OKD,Default"},
            {"feature_set": "Default"},
            "",
        ),
        (
            {**_INCLUDED, "release.openshift.io/feature-set": "TechPreviewNoUpgrade"},
            {"feature_set": "OKD"},
            '"OKD" is required, and release.openshift.io/feature-set=TechPreviewNoUpgrade',
        ),
        ({**_INCLUDED, "release.openshift.io/feature-set": "x"}, {"feature_set": None}, ""),
        ({**_INCLUDED, "release.openshift.io/feature-gate": "A"}, {"enabled_gates": None}, ""),
        (
            {**_INCLUDED, "release.openshift.io/feature-gate": "A, -B"},
            {"enabled_gates": frozenset({"A"})},
            "",
        ),
        ({**_INCLUDED, "release.openshift.io/major-version": "4"}, {}, ""),
        (
            {**_INCLUDED, "release.openshift.io/major-version": "4"},
            {"major_version": 4},
            "major version filtering is only supported for feature gates and custom resources",
        ),
    ],
)
def test_reasons(annotations, settings, reason):
    """Each rule asks only what the cluster has an opinion about, and gives its reason."""
    assert _why(annotations, **settings) == reason


def test_version_out_of_range():
    """A major version that no machine can hold is told in the words of Go."""
    key = ObjectKey("config.openshift.io", "FeatureGate", "", "a")
    number = str(2**64)
    annotations = {**_INCLUDED, "release.openshift.io/major-version": number}
    assert _why(annotations, key=key, major_version=4) == (
        f'invalid included major version "{number}" in annotation: '
        f'strconv.ParseUint: parsing "{number}": value out of range'
    )


def test_unknown_capabilities_may_be_allowed():
    """An update may bring capabilities that the cluster does not know, and they count as off."""
    status = CapabilityStatus(known=frozenset({"a"}), enabled=frozenset({"a"}))
    annotations = {**_INCLUDED, "capability.openshift.io/name": "a+b"}
    assert _why(annotations, capabilities=status) == "unrecognized capability names: b"
    allowed = _why(annotations, capabilities=status, allow_unknown_capabilities=True)
    assert allowed == "disabled capabilities: b"


def test_overrides():
    """The first override of an object decides, and says nothing about another namespace."""
    managed = Override(kind="ConfigMap", namespace="n", name="a", unmanaged=False)
    unmanaged = msgspec.structs.replace(managed, unmanaged=True)
    assert is_overridden(_KEY, (unmanaged, managed))
    assert not is_overridden(_KEY, (managed, unmanaged))
    assert not is_overridden(_KEY._replace(namespace="other"), (unmanaged,))
    assert is_overridden(_KEY._replace(namespace=""), (msgspec.structs.replace(unmanaged),))
    assert _why(_INCLUDED, overrides=(unmanaged,)) == "overridden"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(_JSON)
def test_any_annotations(annotations):
    """Whatever stands there gives texts or nothing, and an object is never included for it."""
    value = {"metadata": {"annotations": annotations}}
    found = read_annotations(value)
    assert found is None or all(isinstance(text, str) for text in found.values())
    assert why_excluded(ManifestObject(_KEY, value, 1), ClusterSettings())
