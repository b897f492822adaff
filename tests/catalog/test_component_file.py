# SPDX-License-Identifier: Apache-2.0
"""Component files: what each field means, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from okd_payload.catalog.component import (
    Argument,
    Component,
    Copy,
    ImageInput,
    Layering,
    Origin,
    Resources,
    Sharing,
)
from okd_payload.catalog.component_file import read_component_file
from okd_payload.errors import InvalidDocument
from okd_payload.source.model import FolderSource, GitSource

_EVERYTHING = """\
# The operator that runs etcd.
source: {git: https://github.com/openshift/cluster-etcd-operator, ref: main, pinned: true}
tag: etcd-operator
context: images/operator
dockerfile: Dockerfile.ocp
base: base
inputs:
  - image: cli
    aliases: [registry.ci.openshift.org/ocp/4.20:cli]
  - image: quay.io/forks/forks:1
    copies: [{from: /code/Dockerfile}, {from: /x, to: ./images/operator}]
buildArguments: {TAGS: scos}
environment: {GOFLAGS: -mod=vendor}
labels: {io.k8s.display-name: etcd operator}
selectorLabels: {group: etcd}
layering: each
resources: {requests: {cpu: 500m, memory: 2Gi}, limits: {cpu: 2, memory: 4Gi}}
sharing: {kind: specific, reason: has another base}
"""


def _write(folder: Path, text: str, name: str = "etcd") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


def test_every_field(tmp_path: Path) -> None:
    """Each field of the file becomes the field of the component that the reference names."""
    path = _write(tmp_path, _EVERYTHING)
    found = read_component_file(path, layering=Layering.ONE)
    assert found.pinned
    assert found.component == Component(
        name="etcd",
        tag="etcd-operator",
        origin=Origin(str(path), 2),
        source=GitSource(url="https://github.com/openshift/cluster-etcd-operator", ref="main"),
        context_directory="images/operator",
        dockerfile_path="Dockerfile.ocp",
        base="base",
        inputs=(
            ImageInput(image="cli", aliases=("registry.ci.openshift.org/ocp/4.20:cli",)),
            ImageInput(
                image="quay.io/forks/forks:1",
                copies=(Copy("/code/Dockerfile", "."), Copy("/x", "./images/operator")),
            ),
        ),
        build_arguments=(Argument("TAGS", "scos"),),
        environment=(Argument("GOFLAGS", "-mod=vendor"),),
        labels=(Argument("io.k8s.display-name", "etcd operator"),),
        selector_labels=(Argument("group", "etcd"),),
        layering=Layering.EACH,
        resources=Resources(
            cpu_request="500m", cpu_limit="2", memory_request="2Gi", memory_limit="4Gi"
        ),
        sharing=Sharing.SPECIFIC,
        sharing_reason="has another base",
    )


def test_shortest_file(tmp_path: Path) -> None:
    """A source is enough; the name is that of the file, the rest has defaults."""
    path = _write(tmp_path, "source: {folder: src/etcd}\n")
    found = read_component_file(path, layering=Layering.EACH)
    assert found.component == Component(
        name="etcd",
        tag="etcd",
        origin=Origin(str(path), 1),
        source=FolderSource(path=str(tmp_path.resolve() / "src/etcd")),
        layering=Layering.EACH,
    )


@pytest.mark.parametrize(
    ("written", "url"),
    [("https://example.org/a.git", "https://example.org/a.git"), ("../a", "{parent}/a")],
)
def test_git_urls(tmp_path: Path, written: str, url: str) -> None:
    """A URL stays as it is; a path that begins with a dot is one beside the file."""
    folder = tmp_path / "components"
    folder.mkdir()
    path = _write(folder, f"source: {{git: {written}}}\n")
    source = read_component_file(path, layering=Layering.ONE).component.source
    assert source == GitSource(url=url.format(parent=tmp_path.resolve()))


def test_inline_dockerfile(tmp_path: Path) -> None:
    """A file without source and with the text of a Dockerfile is an image made of images."""
    path = _write(tmp_path, "inlineDockerfile: |\n  FROM base\n  USER 1\n")
    component = read_component_file(path, layering=Layering.ONE).component
    assert component.dockerfile == "FROM base\nUSER 1\n"
    assert component.source is None


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("base: base\nbuildArgument: {}\n", "2: buildArgument: no such field", "buildArguments"),
        ("source: {git: a, folder: b}", "1: source: exactly one of git and folder", ""),
        ("source: {}", "exactly one of git and folder", ""),
        ("source: {folder: b, ref: x}", "folder goes with neither ref nor pinned", ""),
        ("context: ../x", "context: '../x' is not accepted", "folder of the source"),
        ("dockerfile: /x", "dockerfile: '/x' is not accepted", "path of the Dockerfile"),
        ("dockerfile: a/../../x", "is not accepted", "path of the Dockerfile"),
        ("inputs: [{image: a, copies: [{from: x}]}]", "inputs[0].copies[0].from: 'x'", "absolute"),
        (
            "inputs: [{image: a, copies: [{from: /x, to: ..}]}]",
            "inputs[0].copies[0].to: '..' is not",
            "a folder",
        ),
        ("buildArguments: {A: 1}", "buildArguments.A: Expected `str`, got `int`", "quotes"),
        ("environment: {A: 'x\n\n  y'}", "environment.A: 'x\\ny' is not", "one line"),
        ("environment: {1A: x}", "environment.1A: '1A' is not accepted", "a variable name"),
        ("tag: -x", "tag: '-x' is not accepted", "the tag of the image"),
        ("resources: {requests: {cpu: lots}}", "'lots' is not accepted", "quantity"),
        ("layering: two", "Invalid enum value 'two'", "one of: one, each"),
        ("a: 1\n---\nb: 2\n", "2 YAML documents instead of one", "one file per component"),
        ("", "0 YAML documents", ""),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str, hint: str) -> None:
    """Every mistake is named with its place and what would be right."""
    path = _write(tmp_path, text)
    with pytest.raises(InvalidDocument) as caught:
        read_component_file(path, layering=Layering.ONE)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_names_of_files_are_names(tmp_path: Path) -> None:
    """A file name that cannot be the name of a component is refused."""
    path = _write(tmp_path, "base: base\n", name="My Component")
    with pytest.raises(InvalidDocument, match="'My Component' cannot be the name"):
        read_component_file(path, layering=Layering.ONE)
