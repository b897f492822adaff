# SPDX-License-Identifier: Apache-2.0
"""BuildConfigs: every field keeps its meaning, and what cannot be honoured is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from okd_payload.catalog.buildconfig import read_build_config
from okd_payload.catalog.component import (
    Argument,
    Component,
    Copy,
    ImageInput,
    Layering,
    Origin,
    Resources,
)
from okd_payload.catalog.definition import Definitions
from okd_payload.catalog.sources import read_openshift_files
from okd_payload.documents import parse_documents
from okd_payload.errors import InvalidDocument
from okd_payload.source.model import GitSource

_EVERYTHING = """\
apiVersion: build.openshift.io/v1
kind: BuildConfig
metadata:
  name: bond-cni
  namespace: okd
  labels: {resources-profile: high}
spec:
  source:
    type: Git
    git: {uri: https://github.com/openshift/bond-cni, ref: release-4.15}
    contextDir: /images/bond
    dockerfile: "FROM x"
    images:
      - from: {kind: ImageStreamTag, name: "release:forked-dockerfiles", namespace: okd}
        paths: [{sourcePath: /code/Dockerfile, destinationDir: ./images}]
        as: null
      - from: {kind: ImageStreamTag, name: "tools:centos9"}
        as: ["quay.io/centos/centos:stream8"]
      - from: {kind: ImageStreamTag, name: "4.15:cli", namespace: ocp}
        as: [cli]
  strategy:
    type: Docker
    dockerStrategy:
      dockerfilePath: Dockerfile.openshift
      from: {kind: DockerImage, name: "quay.io/centos/centos:stream9"}
      imageOptimizationPolicy: SkipLayers
      buildArgs: [{name: A, value: "1"}, {name: B}, {name: A, value: "2"}]
      env: [{name: E, value: x}]
  output:
    to: {kind: ImageStreamTag, name: "release:network-interface-bond-cni"}
    imageLabels: [{name: l, value: v}]
  resources:
    limits: {cpu: 6}
    requests: {cpu: "6", memory: 8Gi}
status: {lastVersion: 3}
"""

_SHORT = """\
kind: BuildConfig
metadata: {{name: x}}
spec:
  {spec}
  output: {{to: {{kind: ImageStreamTag, name: "release:x"}}}}
"""


def _read(text: str) -> Definitions:
    (document,) = parse_documents(text.encode(), path="bc.yaml")
    return read_build_config(document, image_stream="release")


def test_every_field() -> None:
    """Each field becomes what the reference says; names of the own stream lose its name."""
    found = _read(_EVERYTHING)
    assert found.definitions[0].component == Component(
        name="bond-cni",
        tag="network-interface-bond-cni",
        origin=Origin("bc.yaml", 1),
        source=GitSource(url="https://github.com/openshift/bond-cni", ref="release-4.15"),
        context_directory="images/bond",
        dockerfile_path="Dockerfile.openshift",
        dockerfile="FROM x",
        base="quay.io/centos/centos:stream9",
        inputs=(
            ImageInput(image="forked-dockerfiles", copies=(Copy("/code/Dockerfile", "./images"),)),
            ImageInput(image="tools:centos9", aliases=("quay.io/centos/centos:stream8",)),
            ImageInput(image="ocp/4.15:cli", aliases=("cli",)),
        ),
        build_arguments=(Argument("A", "1"), Argument("B", ""), Argument("A", "2")),
        environment=(Argument("E", "x"),),
        labels=(Argument("l", "v"),),
        selector_labels=(Argument("resources-profile", "high"),),
        layering=Layering.ONE,
        resources=Resources(cpu_request="6", cpu_limit="6", memory_request="8Gi"),
    )
    assert [(issue.code, issue.line) for issue in found.issues] == [("duplicate-argument", 27)]


@pytest.mark.parametrize(
    ("policy", "layering"),
    [
        ("", Layering.EACH),
        ("imageOptimizationPolicy: None", Layering.EACH),
        ("imageOptimizationPolicy: SkipLayers", Layering.ONE),
        ("imageOptimizationPolicy: SkipLayersAndWarn", Layering.ONE),
    ],
)
def test_layering(policy: str, layering: Layering) -> None:
    """The optimization policy decides about layers; OpenShift's default keeps them."""
    found = _read(_SHORT.format(spec=f"strategy: {{dockerStrategy: {{{policy}}}}}"))
    assert found.definitions[0].component.layering is layering


@pytest.mark.parametrize(
    ("spec", "issues"),
    [
        ("triggers: [{type: ConfigChange}]", [("ignored-field", 4)]),
        ("runPolicy: Serial\n  nodeSelector: null\n  triggers: []", [("ignored-field", 4)]),
        ("postCommit: {script: make test}", [("ignored-field", 4)]),
        ("source:\n    secrets: [{secret: {name: a}}]", [("unsupported-field", 5)]),
        ("source: {binary: {asFile: x}}", [("unsupported-field", 4)]),
        ("strategy: {type: Source, sourceStrategy: {from: {}}}", [("unsupported-field", 4)] * 2),
        ("strategy: {dockerStrategy: {volumes: [a]}}", [("unsupported-field", 4)]),
        (
            "strategy:\n    dockerStrategy:\n      env:\n      - {name: A, valueFrom: {x: y}}",
            [("unsupported-field", 7)],
        ),
        (
            'strategy:\n    dockerStrategy:\n      env:\n      - {name: A, value: "a\\nb"}',
            [("unsupported-field", 7)],
        ),
        ("strategy: {dockerStrategy: {noCache: true}}", [("ignored-field", 4)]),
        ("strategy: {dockerStrategy: {imageOptimizationPolicy: Magic}}", [("unknown-field", 4)]),
        ("sauce: {git: x}", [("unknown-field", 4)]),
        ("source: {contextDir: ../x}", [("escaping-path", 4)]),
        ("source: {contextDir: a/..b}", []),
        ("strategy: {dockerStrategy: {dockerfilePath: ../Dockerfile}}", [("escaping-path", 4)]),
        ("strategy: {dockerStrategy: {dockerfilePath: /Dockerfile}}", [("escaping-path", 4)]),
        (
            "source: {images: [{from: {name: r}, paths: [{sourcePath: /a, destinationDir: /b}]}]}",
            [("escaping-path", 4)],
        ),
        (
            "strategy: {dockerStrategy: {from: {kind: ImageStreamImage, name: 'a@sha256:0'}}}",
            [("unsupported-field", 4)],
        ),
        (
            "source: {images: [{from: {kind: ImageStreamImage, name: 'a@sha256:0'}}]}",
            [("unsupported-field", 4)],
        ),
        ("resources: {limits: {ephemeral-storage: 1Gi}}", [("ignored-field", 4)]),
    ],
)
def test_what_is_not_honoured_is_said(spec: str, issues: list[tuple[str, int]]) -> None:
    """A field that would change the image is an error, one for clusters a warning, with line."""
    found = _read(_SHORT.format(spec=spec))
    assert [(issue.code, issue.line) for issue in found.issues] == issues
    assert [each.component.name for each in found.definitions] == ["x"]


@pytest.mark.parametrize(
    "to",
    [
        "{kind: ImageStreamTag, name: 'other:x'}",
        "{kind: DockerImage, name: 'release:x'}",
        "{kind: ImageStreamTag, name: 'release:x', namespace: elsewhere}",
        "null",
    ],
)
def test_other_outputs_are_left_out(to: str) -> None:
    """A BuildConfig that makes no tag of the stream is no component of it, and that is said."""
    found = _read(f"kind: BuildConfig\nmetadata: {{name: x}}\nspec: {{output: {{to: {to}}}}}\n")
    assert not found.definitions
    assert [issue.code for issue in found.issues] == ["foreign-output"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: BuildConfig\nspec: {}", "Object missing required field `metadata`"),
        (_SHORT.format(spec="source: {contextDir: [a]}"), "spec.source.contextDir: Expected `str`"),
    ],
)
def test_wrong_types_are_errors(text: str, message: str) -> None:
    """A field of another type is an error of the file that names the field."""
    with pytest.raises(InvalidDocument, match=message.replace(".", r"\.")):
        _read(text)


def _arguments(values: list[dict[str, Any]]) -> tuple[Argument, ...]:
    return tuple(Argument(each["name"], each.get("value") or "") for each in values)


def _name(reference: dict[str, Any] | None) -> str:
    return reference["name"].removeprefix("release:") if reference else ""


def _expected(entry: dict[str, Any]) -> dict[str, Any]:
    policy = entry["imageOptimizationPolicy"]
    return {
        "tag": entry["output"]["tag"],
        "source": GitSource(url=entry["gitUri"], ref=entry["gitRef"]) if entry["gitUri"] else None,
        "context_directory": entry["contextDir"] or ".",
        "dockerfile_path": entry["dockerfilePath"] or "Dockerfile",
        "dockerfile": None,
        "base": _name(entry.get("from")),
        "inputs": tuple(
            ImageInput(
                image=_name(each["from"]),
                aliases=tuple(each.get("as") or ()),
                copies=tuple(
                    Copy(path["sourcePath"], path["destinationDir"])
                    for path in each.get("paths") or ()
                ),
            )
            for each in entry["imageInputs"]
        ),
        "build_arguments": _arguments(entry["buildArgs"]),
        "environment": _arguments(entry["env"]),
        "selector_labels": tuple(Argument(*label) for label in entry["labels"].items()),
        "layering": Layering.ONE if policy == "SkipLayers" else Layering.EACH,
        "resources": Resources(),
    }


def test_all_real_definitions(shared_data: Path) -> None:
    """All 189 BuildConfigs of the real pipeline read, every field as in their inventory."""
    data = shared_data / "okd-payload-pipeline"
    found = read_openshift_files(data / "buildconfigs", image_stream="release")
    entries = {
        each["name"]: each
        for each in json.loads((data / "inventory.json").read_text())["buildConfigs"]
    }
    assert len(found.definitions) == len(entries) == 189
    for definition in found.definitions:
        component = definition.component
        expected = _expected(entries[component.name])
        assert {field: getattr(component, field) for field in expected} == expected
        assert Path(component.origin.file).name == Path(entries[component.name]["file"]).name
    assert [(issue.code, Path(issue.file).name) for issue in found.issues] == [
        ("ignored-document", "00-namespace.yaml"),
        ("duplicate-argument", "06-cli.yaml"),
        ("duplicate-argument", "10-cli-artifacts.yaml"),
        ("duplicate-argument", "10-hyperkube.yaml"),
        ("unknown-field", "failing-20-kuryr-cni-base.yaml"),
        ("unknown-field", "failing-20-kuryr-cni.yaml"),
        ("unknown-field", "failing-20-kuryr-controller.yaml"),
        ("ignored-document", "kustomization.yaml"),
    ]
