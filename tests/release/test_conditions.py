# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from okd_payload.release.conditions import Conditions, conditions_of

_RELEASE, _INCLUDE = "release.openshift.io/", "include.release.openshift.io/"


def _object(**annotations):
    keys = {
        "profile": f"{_INCLUDE}self-managed-high-availability",
        "hosted": f"{_INCLUDE}ibm-cloud-managed",
        "sets": f"{_RELEASE}feature-set",
        "gates": f"{_RELEASE}feature-gate",
        "major": f"{_RELEASE}major-version",
    }
    return {"metadata": {"annotations": {keys[name]: text for name, text in annotations.items()}}}


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (_object(), _object(), True),
        (_object(profile="true"), _object(profile="true"), True),
        (_object(profile="true"), _object(hosted="true"), False),
        (_object(profile="true"), _object(profile="false"), False),
        (_object(sets="Default"), _object(sets="TechPreviewNoUpgrade, CustomNoUpgrade"), False),
        (_object(sets="Default"), _object(sets="OKD,Default"), True),
        (_object(sets="Default"), _object(), True),
        (_object(gates="A,-B"), _object(gates="B"), False),
        (_object(gates="A"), _object(gates="B"), True),
        (_object(major="5"), _object(major="-5"), False),
    ],
)
def test_meeting(one, other, meet):
    """Two objects meet unless profiles, feature sets, gates or versions keep them apart."""
    assert conditions_of(one).may_hold_with(conditions_of(other)) is meet
    assert conditions_of(other).may_hold_with(conditions_of(one)) is meet


@pytest.mark.parametrize(
    "value", [{}, {"metadata": []}, {"metadata": {"annotations": "x"}}, {"metadata": {}}]
)
def test_objects_without_annotations(value):
    """Whatever has no annotations has no conditions."""
    assert conditions_of(value) == Conditions()
