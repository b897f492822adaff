# SPDX-License-Identifier: Apache-2.0
"""Patterns for references, and registries that not everybody can pull from."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.substitution import Substitution, is_private, substitute

_BUILDER = "registry.ci.openshift.org/ocp/builder:rhel-9-golang-1.21-openshift-4.15"


@pytest.mark.parametrize(
    ("rule", "image"),
    [
        (Substitution(glob="registry.ci.openshift.org/ocp/builder:*", image="builder"), "builder"),
        (
            Substitution(glob="registry.ci.openshift.org/ocp/*:*", image="{1}-{2}"),
            "builder-rhel-9-golang-1.21-openshift-4.15",
        ),
        (
            Substitution(glob="*/ocp/*:*-golang-1.??-*", image="{1}+{2}+{3}+{4}"),
            "registry.ci.openshift.org+builder+rhel-9+openshift-4.15",
        ),
        (Substitution(glob="**:*", image="{2}"), "rhel-9-golang-1.21-openshift-4.15"),
        (Substitution(glob="registry*builder:*", image="x"), None),
        (Substitution(glob="registry**builder:*", image="x"), "x"),
        (Substitution(glob="registry.ci.openshift.org/ocp/builder", image="x"), None),
        (
            Substitution(regex=r".*golang-(?P<go>[\d.]+)-.*", image="builder-{go}"),
            "builder-1.21",
        ),
        (Substitution(regex="registry.ci", image="x"), None),
        (Substitution(regex="(x)?.*", image="a{1}"), "a"),
    ],
)
def test_patterns(rule: Substitution, image: str | None) -> None:
    """A pattern fits the whole reference or not at all; captures are put in."""
    found = substitute(_BUILDER, [rule])
    assert (found.image if found else None) == image


def test_first_rule_counts_and_is_named() -> None:
    """Rules are tried in order; the answer says which one it was."""
    rules = [
        Substitution(glob="x:*", image="never"),
        Substitution(glob="**:*-golang-*", image="go"),
        Substitution(glob="**", image="rest"),
    ]
    found = substitute(_BUILDER, rules)
    assert found is not None
    assert (found.image, found.rule.pattern) == ("go", "**:*-golang-*")


@given(st.text(min_size=1, max_size=20))
def test_a_glob_without_wildcards_means_itself(text: str) -> None:
    """Characters that mean something in regular expressions mean nothing in globs."""
    glob = re.sub(r"[*?]", "x", text)
    rules = [Substitution(glob=glob, image="i")]
    assert substitute(glob, rules) is not None
    assert substitute(glob + "y", rules) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"image": "x"}, "exactly one of glob and regex"),
        ({"image": "x", "glob": "a", "regex": "b"}, "exactly one of glob and regex"),
        ({"image": "x", "regex": "("}, "not a regular expression"),
        ({"image": "x", "regex": "a{99999999999999}"}, "not a regular expression"),
        ({"image": "{2}", "glob": "a*"}, "{2} in image stands for nothing"),
        ({"image": "{name}", "regex": "(a)"}, "{name} in image stands for nothing"),
    ],
)
def test_rules_that_cannot_work(fields: dict[str, str], message: str) -> None:
    """A rule that is ambiguous, broken or refers to nothing is refused when it is read."""
    with pytest.raises(ValueError, match=re.escape(message)):
        Substitution(**fields)


@pytest.mark.parametrize(
    ("reference", "private"),
    [
        ("registry.ci.openshift.org/ocp/4.15:base", True),
        ("registry.svc.ci.openshift.org/openshift/release:golang-1.13", True),
        ("quay-proxy.ci.openshift.org/openshift/ci:ocp_4.20_base", True),
        ("image-registry.openshift-image-registry.svc:5000/ns/x:y", True),
        ("image-registry.openshift-image-registry.svc.cluster.local:5000/ns/x", True),
        ("registry-proxy.engineering.redhat.com/rh-osbs/x:1", True),
        ("registry.redhat.io/ubi9/ubi:9", True),
        ("brew.registry.redhat.io/x/y", True),
        ("build.internal/x/y", True),
        ("registry.access.redhat.com/ubi9/ubi:9", False),
        ("registry.connect.redhat.com/x/y", False),
        ("quay.io/openshift/origin-cli:4.15", False),
        ("docker.io/library/golang", False),
        ("localhost:5000/x", False),
        ("registry.ci.openshift.org.example.org/x", False),
        ("base", False),
    ],
)
def test_private_registries(reference: str, private: bool) -> None:  # noqa: FBT001 - a parameter
    """Registries that need an account or a network of somebody are known as such."""
    assert is_private(reference) is private
