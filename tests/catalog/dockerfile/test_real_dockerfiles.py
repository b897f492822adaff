# SPDX-License-Identifier: Apache-2.0
"""The forms that the Dockerfiles of real payload components have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from okd_payload.catalog.dockerfile import OperandKind, evaluate, parse_dockerfile, rewrite
from okd_payload.catalog.load import load_catalog
from okd_payload.catalog.names import TagImage, resolve_image

_STREAM = """
name: okd-scos
catalog:
  - buildConfigs: {folder}
substitutions:
  - glob: registry*.ci.openshift.org/ocp/builder:*
    image: builder
  - glob: registry*.ci.openshift.org/openshift/release:*
    image: builder
  - glob: openshift/origin-release:*
    image: builder
  - glob: registry*.ci.openshift.org/*/*:*
    image: "{{4}}"
"""


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> dict[str, Any]:
    """Facts of the real Dockerfiles by component, those that were found."""
    text = (shared_data / "component-dockerfiles" / "references.json").read_text()
    return {name: entry for name, entry in json.loads(text).items() if entry["found"]}


def _write(entry: dict[str, Any]) -> str:
    """A Dockerfile with the stages, copies and labels of ``entry``."""
    lines = []
    for number, stage in enumerate(entry["stages"]):
        alias = f" AS {stage['alias']}" if stage["alias"] else ""
        lines.append(f"FROM {stage['from']}{alias}")
        lines += [
            f"COPY --from={copy['from']} /a /a"
            for copy in entry["copies_from"]
            if copy["stage"] == number
        ]
    lines += [f'LABEL {name}="{value}"' for name, value in entry["labels"].items()]
    return "\n".join(lines) + "\n"


def test_real_shapes_are_read(facts: dict[str, Any]) -> None:
    """Stages, images, copies between stages and operator labels of all real files are found."""
    assert len(facts) == 184
    for name, entry in facts.items():
        dockerfile = parse_dockerfile(_write(entry), path=name)
        found = evaluate(dockerfile)
        assert [(stage.image, stage.name) for stage in dockerfile.stages] == [
            (stage["from"], stage["alias"] or "") for stage in entry["stages"]
        ]
        assert [operand.name for operand in found.images] == [
            stage["from"] for stage in entry["stages"] if stage["from"] != "scratch"
        ]
        copies = [each for each in found.operands if each.kind is OperandKind.COPY]
        assert [(each.written, each.stage) for each in copies] == [
            (str(copy["from"]), copy["stage"])
            for copy in sorted(entry["copies_from"], key=lambda copy: copy["stage"])
        ]
        assert found.labels == entry["labels"]


def _problems(facts: dict[str, Any], path: Path) -> Iterator[tuple[str, str, str]]:
    catalog = load_catalog(path)
    for component in catalog.components:
        if component.name in facts:
            text = _write(facts[component.name])
            rewritten = rewrite(parse_dockerfile(text, path=component.name), component)
            for operand in evaluate(parse_dockerfile(rewritten.text, path="D")).images:
                name = rewritten.meaning(operand)
                image = resolve_image(name, catalog)
                if not isinstance(image, TagImage) and image.problem:
                    yield component.name, name, image.problem.code.code


def test_four_rules_replace_the_list_of_aliases(
    facts: dict[str, Any], shared_data: Path, tmp_path: Path
) -> None:
    """With bases and four patterns, all real references mean something but these few."""
    folder = shared_data / "okd-payload-pipeline" / "buildconfigs"
    (tmp_path / "stream.yaml").write_text(_STREAM.format(folder=folder))
    artifacts = "registry.ci.openshift.org/ocp/4.22:installer-{}-artifacts"
    assert set(_problems(facts, tmp_path)) == {
        *(
            (name, artifacts.format(part), "dangling-reference")
            for name in ("installer", "installer-artifacts", "ovirt-installer")
            for part in ("etcd", "kube-apiserver")
        ),
        (
            "agent-installer-orchestrator",
            "registry.redhat.io/rhel9-4-els/rhel:9.4",
            "private-reference",
        ),
        ("ibm-vpc-block-csi-driver-operator", "golang:1.15.9", "dangling-reference"),
    }
