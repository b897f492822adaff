# SPDX-License-Identifier: Apache-2.0
"""Which builder a reference gets: the same version, a stand-in by the rules, or a reason."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.builders import (
    BuilderChoice,
    BuilderImage,
    BuilderReference,
    Builders,
    Closeness,
    Nearest,
    NoBuilder,
    VersionRule,
    choose_builder,
)

CI = "registry.ci.openshift.org"
GO = BuilderImage(
    name="builder-go{go}-el{os}",
    definition="builder",
    versions={"go": ("1.20", "1.21", "1.23"), "os": ("9",)},
)
NODE = BuilderImage(
    name="builder-node{node}-el{os}",
    definition="builder-nodejs",
    versions={"node": ("18", "19", "20"), "os": ("9",)},
)
MATRIX = Builders(images=(GO, NODE), rules={"os": VersionRule(instead={"8": "9"})})


def choose(reference: str, builders: Builders = MATRIX) -> BuilderChoice:
    """The choice for ``reference``, which there must be."""
    choice = choose_builder(reference, builders)
    assert isinstance(choice, BuilderChoice), choice
    return choice


@pytest.mark.parametrize(
    ("reference", "tag", "approximate"),
    [
        (f"{CI}/ocp/builder:rhel-9-golang-1.21-openshift-4.15", "builder-go1.21-el9", ""),
        (f"{CI}/ocp/builder:rhel-9-golang-1.22-openshift-4.17", "builder-go1.23-el9", "go"),
        (f"{CI}/ocp/builder:rhel-8-golang-1.15-openshift-4.7", "builder-go1.20-el9", "go os"),
        (f"{CI}/ocp/builder:rhel-8-etcd-golang-1.20", "builder-go1.20-el9", "os"),
        (f"{CI}/ocp/builder:rhel-9-etcd-golang-1.21-openshift-4.15", "builder-go1.21-el9", ""),
        (f"{CI}/openshift/release:golang-1.20", "builder-go1.20-el9", ""),
        (
            f"{CI}/openshift/release:rhel-9-release-golang-1.23-openshift-4.19",
            "builder-go1.23-el9",
            "",
        ),
        ("openshift/origin-release:rhel-8-golang-1.12", "builder-go1.20-el9", "go os"),
        (f"{CI}/ocp/builder:rhel-8-base-nodejs-openshift-4.14", "builder-node20-el9", "node os"),
        (
            "registry.svc.ci.openshift.org/ocp/builder:rhel-8-golang-openshift-4.6",
            "builder-go1.23-el9",
            "go os",
        ),
        (
            "quay-proxy.ci.openshift.org/openshift/ci:ocp_builder_rhel-9-golang-1.23-openshift-4.19",
            "builder-go1.23-el9",
            "",
        ),
    ],
)
def test_known_families_get_the_nearest_builder(reference, tag, approximate) -> None:
    """Each family of OpenShift's CI is known, and what only stands in is told."""
    choice = choose(reference)
    assert choice.tag == tag
    assert " ".join(sorted(each.kind for each in choice.approximations)) == approximate


@pytest.mark.parametrize(
    "reference",
    [
        f"{CI}/ocp/4.15:base",
        f"{CI}/ocp/builder:rhel-9-base-openshift-4.15",
        "quay.io/centos/centos:stream9",
        "builder",
    ],
)
def test_what_is_no_builder_is_left_alone(reference) -> None:
    """Bases and everything else have no answer here."""
    assert choose_builder(reference, MATRIX) is None


def test_without_images_nothing_is_a_builder() -> None:
    """A stream that has no such section works as ever."""
    assert choose_builder(f"{CI}/openshift/release:golang-1.20", Builders()) is None


def test_what_none_can_stand_in_for_is_explained() -> None:
    """The message says what was asked for, the hint what there is and what to change."""
    too_new = choose_builder(f"{CI}/openshift/release:golang-1.26", MATRIX)
    assert isinstance(too_new, NoBuilder)
    assert too_new.message == f"no builder has go 1.26, as {CI}/openshift/release:golang-1.26 asks"
    assert "builder has go 1.20, 1.21, 1.23" in too_new.hint
    other_os = choose_builder(f"{CI}/ocp/builder:rhel-7-golang-1.20-openshift-4.9", MATRIX)
    assert isinstance(other_os, NoBuilder)
    assert "builder has os 9" in other_os.hint
    no_node = choose_builder(
        f"{CI}/ocp/builder:rhel-9-base-nodejs-openshift-4.15", Builders(images=(GO,))
    )
    assert isinstance(no_node, NoBuilder)
    assert "versions of os, node" in no_node.hint


def test_streams_add_references_and_kinds() -> None:
    """A pattern of the stream comes before the known ones, and may ask for any kind of version."""
    rust = BuilderImage(name="rust{rust}", definition="rust", versions={"rust": ("1.70", "1.80")})
    builders = Builders(
        images=(GO, rust),
        references=(
            BuilderReference(pattern="golang:{go}"),
            BuilderReference(pattern="example.com/rust:*", versions={"rust": None}),
            BuilderReference(
                pattern=f"{CI}/openshift/release:golang-1.20", versions={"go": "1.23"}
            ),
        ),
    )
    assert choose("golang:1.20.4", builders).tag == "builder-go1.20-el9"
    assert choose("example.com/rust:nightly", builders).tag == "rust1.80"
    assert choose(f"{CI}/openshift/release:golang-1.20", builders).tag == "builder-go1.23-el9"
    exact = msgspec.structs.replace(builders, rules={"go": VersionRule(nearest=Nearest.SAME)})
    assert isinstance(choose_builder("golang:1.22", exact), NoBuilder)


def test_even_versions_stand_in_for_node() -> None:
    """Only a version with long support stands in; the very one counts even when it is odd."""
    reference = BuilderReference(pattern="node:{node}")
    builders = Builders(images=(NODE,), references=(reference,))
    assert choose("node:19", builders).tag == "builder-node19-el9"
    assert choose("node:17", builders).tag == "builder-node18-el9"
    assert choose("node:18.4", builders).tag == "builder-node18-el9"


def test_the_image_with_fewest_stand_ins_is_chosen() -> None:
    """A later image that has all versions beats an earlier one that only comes near."""
    el8 = msgspec.structs.replace(
        GO, name="old-go{go}-el{os}", versions=GO.versions | {"os": ("8",)}
    )
    builders = msgspec.structs.replace(MATRIX, images=(GO, el8))
    assert choose(f"{CI}/ocp/builder:rhel-8-golang-1.20-openshift-4.15", builders).tag == (
        "old-go1.20-el8"
    )
    assert choose(f"{CI}/openshift/release:golang-1.20", builders).tag == "builder-go1.20-el9"


def test_unnamed_versions_follow_the_rule() -> None:
    """Where nothing is named the rule's version counts, unless no image has it."""
    rules = {**MATRIX.rules, "node": VersionRule(unnamed="18")}
    reference = f"{CI}/ocp/builder:rhel-9-base-nodejs-openshift-4.15"
    named = choose(reference, msgspec.structs.replace(MATRIX, rules=rules))
    assert named.tag == "builder-node18-el9"
    assert [each.closeness for each in named.versions] == [Closeness.UNNAMED, Closeness.SAME]
    rules["node"] = VersionRule(unnamed="16")
    assert choose(reference, msgspec.structs.replace(MATRIX, rules=rules)).tag == (
        "builder-node20-el9"
    )


@given(
    asked=st.tuples(st.integers(1, 2), st.integers(0, 30)),
    offered=st.sets(st.tuples(st.integers(1, 2), st.integers(0, 30)), min_size=1, max_size=6),
)
def test_higher_is_never_lower_nor_another_major(asked, offered) -> None:
    """What stands in for a Go version is the smallest one above it of its major."""
    versions = tuple(f"{major}.{minor}" for major, minor in sorted(offered))
    image = BuilderImage(name="go{go}", definition="builder", versions={"go": versions})
    choice = choose_builder(
        f"{CI}/ocp/builder:golang-{asked[0]}.{asked[1]}", Builders(images=(image,))
    )
    possible = [each for each in offered if each >= asked and each[0] == asked[0]]
    if possible:
        assert isinstance(choice, BuilderChoice)
        assert choice.tag == "go{}.{}".format(*min(possible))
    else:
        assert isinstance(choice, NoBuilder)
