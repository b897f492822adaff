# SPDX-License-Identifier: Apache-2.0
"""Which images a release has: what operators say decides, and nothing else is edited."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

pytestmark = pytest.mark.integration

OPERATOR_LABEL = "io.openshift.release.operator=true"


def names_in(printed: dict) -> set[str]:
    """The images of the release."""
    return {image["name"] for image in printed["release"]["images"]}


def remove_tag(image_references: Path, tag: str) -> None:
    """Take a tag out of an operator's image-references."""
    stream = msgspec.yaml.decode(image_references.read_bytes())
    tags = [item for item in stream["spec"]["tags"] if item["name"] != tag]
    assert len(tags) < len(stream["spec"]["tags"])
    stream["spec"]["tags"] = tags
    image_references.write_bytes(msgspec.yaml.encode(stream))


def test_the_payload_is_operators_and_their_operands(built) -> None:
    """Labelled images, what they name, and the base: neither builders nor roots."""
    assert names_in(built.printed) == {
        "cli",
        "cluster-dns-operator",
        "cluster-ingress-operator",
        "cluster-network-operator",
        "cluster-version-operator",
        "coredns",
        "haproxy-router",
        "kube-rbac-proxy",
        "multus-cni",
        "network-tools",
        "service-ca-operator",
    }


def test_a_new_operator_needs_no_further_edit(resumed, quickstart, built) -> None:
    """A label and manifests bring a component into the next payload, an operand with it."""
    source = quickstart / "sources" / "images" / "builder"
    (source / "manifests").mkdir()
    (source / "manifests" / "01_settings.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: default}\n"
        "data:\n  router: quay.io/openshift/router-base:latest\n"
    )
    (source / "manifests" / "image-references").write_text(
        "kind: ImageStream\napiVersion: image.openshift.io/v1\nspec: {tags: [{name: "
        "haproxy-router-base, from: {kind: DockerImage, name: quay.io/openshift/router-base}}]}\n"
    )
    with (source / "Dockerfile").open("a") as dockerfile:
        dockerfile.write(f"COPY manifests /manifests\nLABEL {OPERATOR_LABEL}\n")

    printed = resumed.build(quickstart)

    assert names_in(printed) - names_in(built.printed) == {"builder", "haproxy-router-base"}
    location = f"oci:{resumed.releases()}:{printed['release']['name']}"
    contents = resumed.run("release", "info", location, "--contents")
    digest = {item["name"]: item["digest"] for item in printed["components"]}["haproxy-router-base"]
    assert "0000_50_builder_01_settings.yaml" in contents.out
    assert f"router: registry.example.org/quickstart/content@{digest}" in contents.out


def test_an_operand_that_nobody_names_is_dropped(resumed, quickstart, built) -> None:
    """Out of image-references is out of the payload, unless another operator names it."""
    sources = quickstart / "sources"
    remove_tag(sources / "cluster-network-operator/manifests/image-references", "kube-rbac-proxy")
    remove_tag(sources / "cluster-network-operator/manifests/image-references", "multus-cni")

    printed = resumed.build(quickstart)

    assert names_in(built.printed) - names_in(printed) == {"multus-cni"}


def test_an_operator_that_loses_its_label_leaves(resumed, quickstart, built) -> None:
    """Its manifests and the operands that only it named are gone from the next release."""
    dockerfile = quickstart / "sources" / "cluster-ingress-operator" / "Dockerfile"
    text = dockerfile.read_text()
    assert text.count(OPERATOR_LABEL) == 1
    dockerfile.write_text(text.replace(OPERATOR_LABEL, "io.openshift.former.operator=true"))

    ended = resumed.run("build", quickstart, "-o", "json")

    printed = ended.document()
    gone = names_in(built.printed) - names_in(printed)
    assert gone == {"cluster-ingress-operator", "haproxy-router"}
    assert [issue["code"] for issue in printed["issues"]] == ["unlabelled-operator"]
    assert "[unlabelled-operator]" in ended.err


def test_a_component_taken_away_is_taken_away(resumed, quickstart, built) -> None:
    """Without its definition, and with nobody who names it, an operator is out (R18)."""
    (quickstart / "components" / "service-ca-operator.yaml").unlink()

    printed = resumed.build(quickstart)

    assert names_in(built.printed) - names_in(printed) == {"service-ca-operator"}
    assert all(item["action"] in ("reused", "stub") for item in printed["components"])


def test_the_release_can_be_looked_into(built) -> None:
    """``release info`` and ``release lint`` read what was built, before it is published."""
    program, release = built.program, built.printed["release"]
    location = f"oci:{program.releases()}:{release['name']}"

    shown = program.run("release", "info", location)
    listed = program.run("release", "info", location, "-o", "name")
    linted = program.run("release", "lint", location)

    assert (shown.code, listed.code, linted.code) == (0, 0, 0), linted.err
    assert release["name"] in shown.out
    assert release["digest"] in shown.out
    assert all(digest in shown.out for name, digest in built.digests.items() if name == "coredns")
    assert set(listed.out.split()) == names_in(built.printed)
