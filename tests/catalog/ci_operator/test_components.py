# SPDX-License-Identifier: Apache-2.0
"""Which configuration counts, which images become components, and what they are built on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from configurations import REAL, make, promotes, write_configuration

from okd_payload.catalog.ci_operator.components import ImportedComponents
from okd_payload.catalog.ci_operator.promotion import version_of
from okd_payload.catalog.ci_operator.selection import Match
from okd_payload.catalog.component import Component, ImageInput, Sharing
from okd_payload.catalog.definition import OtherTag, PulledImage
from okd_payload.errors import InputError, UnknownName
from okd_payload.source.model import GitSource

SCOS = "origin/scos-4.15"
OCP = "ocp/4.15"


def components(made: ImportedComponents) -> dict[str, Component]:
    """The components by name."""
    return {each.component.name: each.component for each in made.definitions.definitions}


def codes(made: ImportedComponents) -> list[tuple[str, str]]:
    """Code and component of every issue."""
    return [(issue.code, issue.component) for issue in made.definitions.issues]


def test_a_variant_comes_before_openshifts_own(tmp_path: Path) -> None:
    """Of two configurations that of the variant counts; alone, OpenShift's own does."""
    write_configuration(tmp_path, "etcd", "release-4.15", promotes(OCP, "etcd"))
    own = write_configuration(
        tmp_path, "etcd", "release-4.15", promotes(SCOS, "etcd"), variant="okd-scos"
    )
    write_configuration(tmp_path, "etcd", "release-4.15", promotes(SCOS, "x"), variant="okd")
    write_configuration(tmp_path, "api", "release-4.15", promotes(OCP, "api"))
    made = make(tmp_path, "release-4.15", "okd-scos")
    found = components(made)
    assert set(found) == {"api", "etcd"}
    assert found["etcd"].origin.file == str(own)
    assert found["etcd"].sharing is Sharing.SPECIFIC
    assert found["etcd"].sharing_reason == "the configuration of release-4.15 for okd-scos"
    assert found["api"].sharing is Sharing.SHARED
    assert "as there is none for okd-scos" in found["api"].sharing_reason
    assert found["api"].source == GitSource(
        url="https://github.com/openshift/api", ref="release-4.15"
    )
    assert codes(made) == []


def test_nothing_is_shared_or_specific_in_openshift_itself(tmp_path: Path) -> None:
    """Without a variant the question does not arise, and variants do not count."""
    write_configuration(tmp_path, "etcd", "release-4.15", promotes(OCP, "etcd"))
    write_configuration(tmp_path, "etcd", "release-4.15", promotes(SCOS, "b"), variant="okd-scos")
    (etcd,) = components(make(tmp_path, "release-4.15")).values()
    assert (etcd.name, etcd.sharing) == ("etcd", None)


@pytest.mark.parametrize(
    ("branches", "match"),
    [
        (("release-4.15", "openshift-4.15", "main"), Match.SAME),
        (("openshift-4.15", "development", "main"), Match.FORK),
        (("development", "main", "master"), Match.PROMOTES),
        (("main", "master"), Match.MAIN),
        (("master",), Match.MASTER),
    ],
)
def test_the_nearest_branch_counts(tmp_path: Path, branches: tuple[str, ...], match: Match) -> None:
    """The wanted branch, that of a fork, the one that promotes to the version, main, master."""
    for branch in reversed(branches):
        stream = SCOS if branch == "development" else "origin/scos-4.17"
        write_configuration(tmp_path, "etcd", branch, promotes(stream, "etcd"), variant="okd-scos")
    made = make(tmp_path, "release-4.15", "okd-scos", SCOS)
    (choice,) = made.choices
    assert (choice.configuration.name.branch, choice.match) == (branches[0], match)
    assert choice.ref == branches[0]
    told = match in (Match.MAIN, Match.MASTER)
    assert codes(made) == ([("fallback-configuration", "")] if told else [])


def test_the_wanted_branch_is_built_where_it_is_known_to_exist(tmp_path: Path) -> None:
    """A definition may come from another branch than the source."""
    write_configuration(tmp_path, "etcd", "release-4.15", promotes(OCP, "etcd"))
    write_configuration(
        tmp_path, "etcd", "master", promotes("origin/scos-4.17", "etcd"), variant="okd-scos"
    )
    made = make(tmp_path, "release-4.15", "okd-scos", SCOS)
    (choice,) = made.choices
    assert (choice.configuration.name.variant, choice.ref) == ("okd-scos", "release-4.15")
    assert "release-4.15 is built" in choice.evidence


def test_a_repository_without_a_usable_branch_is_told(tmp_path: Path) -> None:
    """It is left out, unless it has nothing for releases anyway."""
    write_configuration(tmp_path, "etcd", "openshift-4.17", promotes("ocp/4.17", "etcd"))
    write_configuration(tmp_path, "tools", "feature", promotes("ci/tools", "tools"))
    write_configuration(tmp_path, "api", "release-4.15", promotes(OCP, "api"))
    made = make(tmp_path, "release-4.15")
    assert set(components(made)) == {"api"}
    assert codes(made) == [("unconfigured-branch", "")]
    assert "openshift-4.17" in made.definitions.issues[0].hint


def test_the_stream_is_what_most_promote_to(tmp_path: Path) -> None:
    """Disabled targets say it too; a branch without configurations is found by its version."""
    for repo, stream in (("a", SCOS), ("b", SCOS), ("c", "origin/scos-4.16"), ("d", "ci/tools")):
        text = promotes(stream, repo, more=", disabled: true")
        write_configuration(tmp_path, repo, "release-4.15", text, variant="okd-scos")
    text = promotes("origin/scos-4.17", "e")
    write_configuration(tmp_path, "e", "master", text, variant="okd-scos")
    assert set(components(make(tmp_path, "release-4.15", "okd-scos"))) == {"a", "b", "c", "e"}
    found = components(make(tmp_path, "release-4.17", "okd-scos"))
    assert set(found) == {"e"}
    with pytest.raises(InputError, match="which image stream") as caught:
        make(tmp_path, "release-9.9", "okd-scos")
    assert "--promotes-to" in caught.value.hint
    with pytest.raises(UnknownName) as unknown:
        make(tmp_path, "release-4.15", "okd-scso")
    assert "okd-scos" in unknown.value.hint


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("", {"a": "Dockerfile", "b": "B"}),
        (", excluded_images: [a]", {"b": "B"}),
        (", excluded_images: ['*']", {}),
        (", excluded_images: ['*'], additional_images: {a: a}", {"a": "Dockerfile"}),
        (", additional_images: {same: a}", {"a": "Dockerfile", "b": "B", "same": "Dockerfile"}),
        (", disabled: true", {"a": "Dockerfile", "b": "B"}),
    ],
)
def test_what_is_promoted(tmp_path: Path, target: str, expected: dict[str, str]) -> None:
    """All images but optional and excluded ones, and additional ones under their new names."""
    images = "images:\n- {to: a}\n- {to: b, dockerfile_path: B}\n- {to: c, optional: true}\n"
    promotion = f"promotion: {{to: [{{namespace: ocp, name: '4.15'{target}}}]}}\n"
    write_configuration(tmp_path, "etcd", "release-4.15", images + promotion)
    found = components(make(tmp_path, "release-4.15"))
    assert {name: each.dockerfile_path for name, each in found.items()} == expected


PIPELINE = """\
base_images:
  base: {namespace: ocp, name: "4.15", tag: base}
  cli: {namespace: ocp, name: "4.12", tag: cli}
  builder: {namespace: ocp, name: builder, tag: golang-1.20}
  other: {namespace: edge, name: ocm-2.10, tag: cli}
external_images:
  stream9: {registry: quay.io, namespace: centos, name: centos, tag: stream9}
raw_steps:
- pipeline_image_cache_step: {from: builder, to: pre, commands: "echo \\"a\\"\\nb"}
- rpm_image_injection_step: {from: helper, to: helper-with-rpms}
images:
- {to: helper, from: stream9}
- to: main
  from: helper-with-rpms
  inputs:
    cli: {as: [registry.ci.openshift.org/ocp/4.12:cli]}
    other: {paths: [{source_path: /a, destination_dir: b}]}
    pre: {as: [x]}
- {to: leaf, from: base}
- {to: lost, from: gone}
- {to: made, inputs: {bin: {as: [bin]}}}
- {to: upon, from: made}
promotion: {to: [{namespace: ocp, name: "4.15", excluded_images: [helper]}]}
"""


def test_names_of_the_pipeline_become_names_of_the_stream(tmp_path: Path) -> None:
    """Tags of any release where the stream has them, else pull specs; helpers come along."""
    write_configuration(tmp_path, "oc", "release-4.15", promotes(OCP, "cli"))
    write_configuration(tmp_path, "etcd", "release-4.15", PIPELINE)
    made = make(tmp_path, "release-4.15")
    found = components(made)
    assert set(found) == {"cli", "helper", "leaf", "main", "pre"}
    assert found["helper"].base == "quay.io/centos/centos:stream9"
    assert found["leaf"].base == "registry.ci.openshift.org/ocp/4.15:base"
    assert found["main"].base == "helper"
    cli, other, pre = found["main"].inputs
    assert cli == ImageInput(image="cli", aliases=("registry.ci.openshift.org/ocp/4.12:cli",))
    assert other.image == "registry.ci.openshift.org/edge/ocm-2.10:cli"
    assert pre == ImageInput(image="pre", aliases=("x",))
    assert found["pre"].source is None
    assert found["pre"].dockerfile == (
        "FROM registry.ci.openshift.org/ocp/builder:golang-1.20\n"
        'RUN ["/bin/bash", "-c", "set -o errexit; umask 0002; echo \\"a\\"\\nb"]\n'
    )
    assert codes(made) == [
        ("ignored-ci-step", "helper-with-rpms"),
        ("undefined-ci-image", "lost"),
        ("ci-only-image", "made"),
    ]


def test_promoted_images_that_nobody_builds_are_imports(tmp_path: Path) -> None:
    """An imported image under a tag of the stream is pulled; one under two tags is the same."""
    text = "base_images: {a: {namespace: ocp, name: '4.15', tag: a}}\n"
    text += "external_images: {x: {registry: quay.io, namespace: n, name: x, tag: '1'}}\n"
    text += "raw_steps:\n- rpm_image_injection_step: {from: x, to: x-with-rpms}\n"
    text += "- pipeline_image_cache_step: {from: x, to: run, commands: ls}\n"
    text += "promotion: {to: [{namespace: ocp, name: '4.15', additional_images: "
    text += "{a: a, b: x, c: x-with-rpms, run: run, walk: run}}]}\n"
    write_configuration(tmp_path, "etcd", "release-4.15", text)
    made = make(tmp_path, "release-4.15")
    assert set(components(made)) == {"run"}
    assert {entry.name: entry.content for entry in made.definitions.imports} == {
        "a": PulledImage("registry.ci.openshift.org/ocp/4.15:a"),
        "b": PulledImage("quay.io/n/x:1"),
        "c": PulledImage("quay.io/n/x:1"),
        "walk": OtherTag("run"),
    }


def test_images_that_are_not_promoted_give_way(tmp_path: Path) -> None:
    """An inner image never takes the tag of another repository's component."""
    inner = "images: [{to: base}, {to: a, from: base}]\npromotion: {to: [{namespace: ocp, "
    inner += "name: '4.15', excluded_images: [base]}]}\n"
    write_configuration(tmp_path, "alpha", "release-4.15", inner)
    write_configuration(tmp_path, "images", "release-4.15", promotes(OCP, "base"))
    found = components(make(tmp_path, "release-4.15"))
    assert set(found) == {"a", "alpha-base", "base"}
    assert found["a"].base == "alpha-base"


def test_injected_images_that_are_made_of_themselves_are_left_out(tmp_path: Path) -> None:
    """A step from an image to itself does not hang the reading, and is told of."""
    text = "images: [{to: a, from: x}, {to: c}]\n"
    text += "raw_steps:\n- rpm_image_injection_step: {from: y, to: x}\n"
    text += "- rpm_image_injection_step: {from: x, to: y}\n"
    text += "- rpm_image_injection_step: {from: z, to: z}\n"
    text += "promotion: {to: [{namespace: ocp, name: '4.15', additional_images: {z: z}}]}\n"
    write_configuration(tmp_path, "etcd", "release-4.15", text)
    made = make(tmp_path, "release-4.15")
    assert set(components(made)) == {"c"}
    undefined = [
        each.component for each in made.definitions.issues if each.code == "undefined-ci-image"
    ]
    assert undefined == ["x", "z"]


def test_images_in_a_circle_are_taken_as_they_are(tmp_path: Path) -> None:
    """Two images that stand on each other do not hang the reading; the plan tells of them."""
    circle = "images: [{to: a, from: b}, {to: b, from: a}, {to: c}]\n"
    circle += "promotion: {to: [{namespace: ocp, name: '4.15'}]}\n"
    write_configuration(tmp_path, "etcd", "release-4.15", circle)
    found = components(make(tmp_path, "release-4.15"))
    assert {name: each.base for name, each in found.items()} == {"a": "b", "b": "a", "c": ""}


def test_a_tag_that_two_repositories_claim_belongs_to_the_first(tmp_path: Path) -> None:
    """The second is reported with its file."""
    write_configuration(tmp_path, "a", "release-4.15", promotes(OCP, "same", "own"))
    second = write_configuration(tmp_path, "b", "release-4.15", promotes(OCP, "same"))
    made = make(tmp_path, "release-4.15")
    assert codes(made) == [("duplicate-output", "same")]
    assert made.definitions.issues[0].file == str(second)
    assert {each.source.url[-1] for each in components(made).values()} == {"a"}


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("ocp/4.15", "4.15"),
        ("origin/scos-4.20", "4.20"),
        ("release-5.0", "5.0"),
        ("ocp/builder", ""),
        ("ocp/4.15-art-latest", ""),
        ("master", ""),
        ("", ""),
    ],
)
def test_versions_of_names(name: str, version: str) -> None:
    """Streams and branches of releases end in their version."""
    assert version_of(name) == version


@pytest.mark.skipif(not REAL.is_dir(), reason="the real configurations are not here")
@pytest.mark.parametrize(
    ("branch", "variant", "images", "expected"),
    [
        ("release-4.15", "okd-scos", 41, {"fallback-configuration": 23, "unconfigured-branch": 1}),
        ("release-4.16", "okd-scos", 41, {"fallback-configuration": 16, "unconfigured-branch": 1}),
        ("release-4.17", "okd-scos", 43, {}),
        ("master", "okd-scos", 43, {}),
        ("release-4.17", "", 56, {"ci-only-image": 5}),
    ],
)
def test_real_streams(branch: str, variant: str, images: int, expected: dict[str, int]) -> None:
    """The streams of the real configurations, and what cannot be had of them."""
    made = make(REAL, branch, variant)
    assert len(made.definitions.definitions) == images
    assert Counter(issue.code for issue in made.definitions.issues) == expected


@pytest.mark.skipif(not REAL.is_dir(), reason="the real configurations are not here")
def test_real_installer() -> None:
    """The family of installers is built upon each other, with their own build tags."""
    found = components(make(REAL, "release-4.15", "okd-scos"))
    assert found["installer-artifacts"].base == "installer"
    arguments = {each: found[each].build_arguments for each in ("installer", "baremetal-installer")}
    assert [item.value for each in arguments.values() for item in each] == [
        "scos",
        "baremetal libvirt scos",
    ]
    assert found["installer"].source.ref == "release-4.15"
    assert found["cli"].source.ref == "master"
    assert found["keepalived-ipfailover"].base == "base-stream9"
