# SPDX-License-Identifier: Apache-2.0
"""The rules for names, labels, annotations and owners."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.testing.kubernetes import Refusal
from okd_payload.testing.kubernetes.metadata import (
    check_types,
    key_problems,
    label_value_problems,
    metadata_problems,
    name_problems,
    subdomain_problems,
)


def _told(resource="configmaps", **metadata):
    document = {"metadata": {"name": "x", **metadata}}
    return [cause.line for cause in metadata_problems(document, resource)]


@pytest.mark.parametrize(
    ("resource", "name", "right"),
    [
        ("configmaps", "a.b-c", True),
        ("configmaps", "a_b", False),
        ("configmaps", "a" * 253, True),
        ("configmaps", "a" * 254, False),
        ("namespaces", "a.b", False),
        ("namespaces", "a" * 64, False),
        ("roles.rbac.authorization.k8s.io", "system:Reader", True),
        ("roles.rbac.authorization.k8s.io", "a/b", False),
        ("clusterroles.rbac.authorization.k8s.io", "..", False),
        ("imagestreamtags.image.openshift.io", "stream:tag", True),
    ],
)
def test_names_by_resource(resource, name, right):
    """Subdomains for most, labels for some, almost anything for roles."""
    assert (not list(name_problems(name, resource))) is right


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("app", None),
        ("example.com/app", None),
        ("", "name part must be non-empty"),
        ("/app", "prefix part must be non-empty"),
        ("Example.com/app", "prefix part a lowercase RFC 1123 subdomain"),
        ("a" * 64, "name part must be no more than 63 bytes"),
        ("a/b/c", "a valid label key must consist of"),
        ("-a", "name part must consist of alphanumeric characters"),
    ],
)
def test_keys(key, told):
    """Of labels, annotations, finalizers and selectors."""
    found = list(key_problems(key))
    assert (found == []) if told is None else found[0].startswith(told)


def test_all_that_is_wrong_is_told_at_once():
    """In the order of the server: name, labels, annotations, owners, finalizers."""
    told = _told(
        generateName="A_B-",
        labels={"a": "b c"},
        annotations={"a b": ""},
        ownerReferences=[{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": ""}],
        finalizers=["a b"],
    )
    assert [line.partition(":")[0] for line in told] == [
        "metadata.generateName",
        "metadata.labels",
        "metadata.annotations",
        "metadata.ownerReferences[0].uid",
        "metadata.finalizers",
    ]


def test_a_beginning_may_end_where_no_name_may():
    """What comes behind the dash is right."""
    assert _told(name="", generateName="a.b-") == [
        "metadata.name: Required value: name or generateName is required"
    ]


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"labels": {"a": 1}}, "cannot unmarshal number into Go struct field ObjectMeta.labels"),
        ({"labels": ["a"]}, "cannot unmarshal array into Go struct field ObjectMeta.labels"),
        ({"annotations": {"a": True}}, "cannot unmarshal bool into Go struct field"),
        ({"name": {}}, "cannot unmarshal object into Go struct field ObjectMeta.name"),
    ],
)
def test_types_that_go_cannot_decode(metadata, told):
    """They are bad requests, before anything else is looked at."""
    with pytest.raises(Refusal) as refused:
        check_types({"kind": "ConfigMap", "metadata": metadata}, "v1")
    assert refused.value.code == 400
    assert told in refused.value.message


@given(st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?(\.[a-z0-9]{1,9}){0,3}", fullmatch=True))
def test_what_has_the_form_of_a_subdomain_is_one(name):
    """And is a label value too, when it is short enough."""
    assert list(subdomain_problems(name)) == []
    assert list(label_value_problems(name[:60].strip("-."))) == []
