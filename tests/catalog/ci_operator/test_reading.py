# SPDX-License-Identifier: Apache-2.0
"""Configuration files: both forms of everything, what is odd, and what is refused."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from configurations import REAL, write_configuration
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.ci_operator.components import make_components
from okd_payload.catalog.ci_operator.model import (
    BuildRoot,
    BuiltImage,
    CentralImage,
    CommandImage,
    ConfigurationName,
    ExternalImage,
    InjectedImage,
    PipelineInput,
    Target,
)
from okd_payload.catalog.ci_operator.names import file_name, parse_file_name
from okd_payload.catalog.ci_operator.promotion import stream_tags
from okd_payload.catalog.ci_operator.reading import ReadConfiguration, read_configuration
from okd_payload.catalog.ci_operator.selection import want
from okd_payload.catalog.ci_operator.tree import read_tree
from okd_payload.catalog.component import Argument, Copy, Resources
from okd_payload.documents import Document, parse_documents
from okd_payload.errors import InputError, InvalidDocument
from okd_payload.testing.yardstick import attempt_below

METADATA = "zz_generated_metadata: {org: openshift, repo: etcd, branch: main}\n"
EVERYTHING = """\
base_images:
  base: {namespace: ocp, name: "4.17", tag: base}
  only-tag: {tag: cli}
base_rpm_images:
  rpm-base: {namespace: ocp, name: "4.17", tag: base-rhel9}
external_images:
  outside: {registry: quay.io, namespace: centos, name: centos, tag: stream9}
tag_specification: {namespace: ocp, name: "4.17"}
build_root:
  image_stream_tag: {namespace: openshift, name: release, tag: golang-1.22}
  use_build_cache: true
canonical_go_repository: go.etcd.io/etcd
images:
- to: etcd
  from: base
  dockerfile_path: Dockerfile.rhel
  context_dir: images/etcd
  build_args: [{name: TAGS, value: scos}]
  additional_architectures: [arm64]
  capabilities: [arm64, ppc64le, fast]
  inputs:
    only-tag: {as: [builder, "registry.ci.openshift.org/ocp/4.17:cli"]}
    outside: {paths: [{source_path: /bin/a, destination_dir: .}]}
- to: literal
  dockerfile_literal: |
    FROM base
  optional: true
  multi_arch: true
raw_steps:
- pipeline_image_cache_step: {from: base, to: repo-base, commands: echo a}
- rpm_image_injection_step: {from: base, to: base-with-rpms}
- project_directory_image_build_step: {to: artifacts, from: base}
- output_image_tag_step: {from: artifacts}
promotion:
  to:
  - namespace: ocp
    name: "4.17"
    excluded_images: [literal]
    additional_images: {rpms: artifacts}
    tag_by_commit: true
  - {namespace: hypershift, tag: latest, disabled: true}
resources:
  "*": {requests: {cpu: 100m, memory: 200Mi}}
  etcd: {requests: {cpu: 3}, limits: {memory: 8Gi}}
releases: {latest: {integration: {namespace: ocp, name: "4.17"}}}
tests: [{as: unit, anything: {may: stand here}}]
"""


ETCD = BuiltImage(
    name="etcd",
    line=14,
    base="base",
    context_directory="images/etcd",
    dockerfile_path="Dockerfile.rhel",
    inputs=(
        PipelineInput(
            image="only-tag", aliases=("builder", "registry.ci.openshift.org/ocp/4.17:cli")
        ),
        PipelineInput(image="outside", copies=(Copy("/bin/a", "."),)),
    ),
    build_arguments=(Argument("TAGS", "scos"),),
    architectures=("arm64", "ppc64le"),
    resources=Resources(cpu_request="3", memory_limit="8Gi"),
)
"""The first image of ``EVERYTHING``."""


def read(text: str, path: str = "openshift/etcd/openshift-etcd-main.yaml") -> ReadConfiguration:
    """The configuration in ``text``."""
    (document,) = parse_documents(text.encode(), path=path)
    return read_configuration(document)


def test_every_field() -> None:
    """Each field that says how images are made becomes the field that means it."""
    found = read(EVERYTHING + METADATA)
    assert found.issues == ()
    configuration = found.configuration
    assert str(configuration.name) == "openshift/etcd@main"
    assert configuration.imported == {
        "base": CentralImage("ocp", "4.17", "base"),
        "only-tag": CentralImage("ocp", "4.17", "cli"),
        "rpm-base": CentralImage("ocp", "4.17", "base-rhel9"),
        "outside": ExternalImage("quay.io/centos/centos:stream9"),
    }
    assert configuration.imported["base"].pull_spec == "registry.ci.openshift.org/ocp/4.17:base"
    assert configuration.listed == {"etcd", "literal"}
    etcd, literal, cached, injected, artifacts = sorted(
        configuration.built, key=lambda image: image.line
    )
    assert etcd == ETCD
    assert isinstance(literal, BuiltImage)
    assert (literal.dockerfile, literal.optional) == ("FROM base\n", True)
    assert literal.architectures == ("arm64", "ppc64le", "s390x")
    assert literal.resources == Resources(cpu_request="100m", memory_request="200Mi")
    assert cached == CommandImage(
        name="repo-base",
        line=30,
        base="base",
        commands="echo a",
        resources=Resources(cpu_request="100m", memory_request="200Mi"),
    )
    assert injected == InjectedImage(name="base-with-rpms", line=31, base="base")
    assert (artifacts.name, artifacts.line) == ("artifacts", 32)
    assert configuration.targets == (
        Target(
            namespace="ocp",
            name="4.17",
            excluded=("literal",),
            additional={"rpms": "artifacts"},
        ),
        Target(namespace="hypershift", tag="latest", disabled=True),
    )
    assert [target.stream for target in configuration.targets] == ["ocp/4.17", ""]
    assert configuration.build_root == BuildRoot(
        image=CentralImage("openshift", "release", "golang-1.22")
    )


def test_both_forms_of_images_mean_the_same() -> None:
    """A list of images is an object with items; the lines are those of the form."""
    old = read("images:\n- to: a\n- to: b\n" + METADATA).configuration
    new = read("images:\n  items:\n  - to: a\n  - to: b\n" + METADATA).configuration
    assert [image.name for image in old.built] == [image.name for image in new.built] == ["a", "b"]
    assert [image.line for image in new.built] == [3, 4]
    assert old.listed == new.listed


def test_both_forms_of_promotion_mean_the_same() -> None:
    """A target that stands alone is a list with one target."""
    old = read("promotion: {namespace: ocp, name: '4.9', disabled: true}\n" + METADATA)
    new = read("promotion: {to: [{namespace: ocp, name: '4.9', disabled: true}]}\n" + METADATA)
    assert old.configuration.targets == new.configuration.targets
    assert read("promotion: {}\n" + METADATA).configuration.targets == ()


def test_unknown_fields_are_kept_and_told() -> None:
    """What OpenShift CI has added since is a notice with its line, and nothing is lost."""
    found = read("images:\n  items:\n  - {to: a, colour: [1, red]}\nnew: ~\n" + METADATA)
    (issue,) = found.issues
    assert (issue.code, issue.line, issue.blocks) == ("unread-configuration-field", 3, False)
    (field,) = found.configuration.unread
    assert (field.name, field.value) == ("images.items.0.colour", '[1,"red"]')


def test_metadata_wins_over_the_file_name() -> None:
    """A file that is called otherwise is read as what its metadata says, and reported."""
    found = read("images: []\n" + METADATA, "openshift/etcd/openshift-etcd-master__okd.yaml")
    assert found.configuration.name == ConfigurationName("openshift", "etcd", "main")
    (issue,) = found.issues
    assert (issue.code, issue.line) == ("configuration-name", 2)
    assert "openshift-etcd-main.yaml" in issue.message


def test_the_name_counts_without_metadata() -> None:
    """Folders say where organisation and repository end."""
    found = read("images: []\n", "a/b-c/d/e/openshift/api-x/openshift-api-x-rel-1__okd-scos.yaml")
    assert found.issues == ()
    assert found.configuration.name == ConfigurationName("openshift", "api-x", "rel-1", "okd-scos")
    with pytest.raises(InvalidDocument) as caught:
        read("images: []\n", "somewhere/file.yaml")
    assert "zz_generated_metadata" in caught.value.hint


PARTS = st.from_regex(r"[a-z0-9]+(-[a-z0-9.]+)*", fullmatch=True)


@given(org=PARTS, repo=PARTS, branch=PARTS, variant=st.just("") | PARTS)
def test_names_of_files_are_read_back(org: str, repo: str, branch: str, variant: str) -> None:
    """Whatever hyphens the parts have, the name of the file in its folder gives them again."""
    name = ConfigurationName(org, repo, branch, variant)
    assert parse_file_name(Path(org, repo, file_name(name))) == name


@pytest.mark.parametrize(
    "path", ["x.yaml", "openshift/api/other-api-main.yaml", "openshift/api/openshift-api-.yaml"]
)
def test_names_that_do_not_fit_say_nothing(path: str) -> None:
    """A name without its folders, or with others, is no name."""
    assert parse_file_name(Path(path)) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [("images:\n- {to: a, build_args: [{name: V, value: 4.1}]}\n", 2), ("images: 3\n", 1)],
)
def test_wrong_types_are_errors_of_the_file(text: str, line: int) -> None:
    """A number where OpenShift CI wants a text stops the file there too."""
    with pytest.raises(InvalidDocument) as caught:
        read(text + METADATA)
    assert caught.value.line == line


def test_trees_are_read_whatever_is_wrong_with_a_file(tmp_path: Path) -> None:
    """Files that are no YAML, or not one document, are issues; all others are read."""
    write_configuration(tmp_path, "api", "main", "images: [{to: api}]\n")
    write_configuration(tmp_path, "etcd", "main", "images: [{to: etcd}]\n")
    broken = write_configuration(tmp_path, "bad", "main", "images: [\n")
    (tmp_path / "openshift" / "two.yml").write_text("a: 1\n---\nb: 2\n")
    copy = tmp_path / "openshift" / "etcd" / "copy.yaml"
    copy.write_text(METADATA)
    (tmp_path / ".config.prowgen.yaml").write_text("private: true\n")
    (tmp_path / "OWNERS").write_text("- me\n")
    tree = read_tree(tmp_path)
    assert [str(each.name) for each in tree.configurations] == [
        "openshift/api@main",
        "openshift/etcd@main",
    ]
    assert sorted((issue.code, Path(issue.file).name) for issue in tree.issues) == [
        ("configuration-name", "copy.yaml"),
        ("duplicate-configuration", "openshift-etcd-main.yaml"),
        ("invalid-definition", broken.name),
        ("invalid-definition", "two.yml"),
    ]


def test_a_tree_that_is_none_is_refused(tmp_path: Path) -> None:
    """A mistyped folder is an error, an empty one an issue."""
    with pytest.raises(InputError, match="no folder"):
        read_tree(tmp_path / "nowhere")
    (issue,) = read_tree(tmp_path).issues
    assert issue.code == "empty-catalog"


@pytest.mark.skipif(not REAL.is_dir(), reason="the real configurations are not here")
def test_all_real_configurations_are_read_quickly() -> None:
    """The 86 files of OpenShift's repository have no field that is not known here."""
    tree = read_tree(REAL)
    for cost in attempt_below(1.0):
        with cost:
            read_tree(REAL)
    assert len(tree.configurations) == 86
    assert tree.issues == ()
    assert sum(len(each.listed) for each in tree.configurations) == 178


NAMES = st.sampled_from(["a", "b", "base", "src", "bin", "*"])
STEPS = st.sampled_from(["pipeline_image_cache_step", "rpm_image_injection_step"])
ITEM = st.fixed_dictionaries(
    {"to": NAMES},
    optional={
        "from": NAMES,
        "inputs": st.dictionaries(
            NAMES, st.none() | st.fixed_dictionaries({"as": st.lists(NAMES)})
        ),
        "optional": st.booleans(),
        "dockerfile_literal": st.none() | st.text(),
    },
)
TARGET = st.fixed_dictionaries(
    {"namespace": st.just("ocp"), "name": st.just("4.15")},
    optional={
        "excluded_images": st.lists(NAMES, max_size=2),
        "additional_images": st.dictionaries(NAMES, NAMES, max_size=2),
    },
)
IMAGE = st.builds(dict, namespace=st.just("ocp"), name=st.just("4.15"), tag=NAMES)
DOCUMENTS = st.fixed_dictionaries(
    {
        "zz_generated_metadata": st.just({"org": "o", "repo": "r", "branch": "release-4.15"}),
        "images": st.lists(ITEM, max_size=3) | st.builds(dict, items=st.lists(ITEM, max_size=3)),
        "promotion": st.builds(dict, to=st.lists(TARGET, max_size=2)) | TARGET,
    },
    optional={
        "base_images": st.dictionaries(NAMES, IMAGE, max_size=2),
        "raw_steps": st.lists(
            st.dictionaries(STEPS, st.builds(dict, **{"from": NAMES, "to": NAMES}), max_size=1),
            max_size=2,
        ),
    },
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(NAMES, below, max_size=2),
    max_leaves=3,
)


@given(DOCUMENTS)
def test_every_sound_file_gives_components(value: dict) -> None:
    """Whatever stands on what, components have names of their own, and each is a promoted tag."""
    read = read_configuration(Document("x.yaml", value, {}))
    configurations = (read.configuration,)
    wanted = want(configurations, branch="release-4.15", stream="ocp/4.15")
    made = make_components(configurations, wanted).definitions
    names = [each.component.name for each in made.definitions]
    assert names == sorted(set(names))
    tags = stream_tags(read.configuration, "ocp/4.15")
    reported = {issue.component for issue in made.issues}
    if not reported:
        assert set(tags) <= {*names, *(entry.name for entry in made.imports)}


@given(value=DOCUMENTS, field=st.sampled_from(["images", "promotion", "raw_steps"]), odd=ANYTHING)
def test_odd_files_are_read_or_refused(value: dict, field: str, odd: object) -> None:
    """Nothing but the refusal of the file comes out, whatever stands in it."""
    with contextlib.suppress(InvalidDocument):
        read_configuration(Document("x.yaml", value | {field: odd}, {}))
