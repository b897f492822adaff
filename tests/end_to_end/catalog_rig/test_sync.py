# SPDX-License-Identifier: Apache-2.0
"""A catalog beside a published release: what differs, brought in step, and a stream of both."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from real_program import digests_of
from rig_stream import COMPONENTS, HUB

pytestmark = [pytest.mark.integration, pytest.mark.slow]

HELPERS = {"base", "builder", "haproxy-router-base", "root"}
"""Built because others stand on them; no operator names them."""


@pytest.fixture
def behind(stream: Path) -> Path:
    """The stream with one image less than the release, one more, one renamed, one moved."""
    components = stream / "components"
    (components / "kube-rbac-proxy.yaml").unlink()
    (components / "haproxy-router.yaml").rename(components / "router.yaml")
    (components / "ovirt.yaml").write_text(f"source: {{git: {HUB}/os}}\n")
    moved = components / "machine-os-content.yaml"
    moved.write_text(moved.read_text().replace(f"{HUB}/os", f"{HUB}/okd-machine-os"))
    return stream


def differences(printed: dict) -> set[tuple[str, str]]:
    """The kind and the tag of each difference."""
    return {(each["kind"], each["tag"]) for each in printed["differences"]}


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file of the catalog."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


EXPECTED = {
    ("new", "kube-rbac-proxy"),
    ("renamed", "haproxy-router"),
    ("removed", "ovirt"),
    ("removed", "cli-artifacts"),
    ("source", "machine-os-content"),
}


def test_every_kind_of_difference_is_found(published, resumed, behind) -> None:
    """New, removed, renamed and moved images are told, each with evidence; nothing is written."""
    before = files_of(behind)

    printed = resumed.run(
        "catalog", "sync", behind, "--release", published.pull_spec, "-o", "json"
    ).document()
    checked = resumed.run("catalog", "sync", behind, "--release", published.pull_spec, "--check")
    patch = resumed.run("catalog", "sync", behind, "--release", published.pull_spec, "--patch")

    assert differences(printed) == EXPECTED
    assert set(printed["helpers"]) == HELPERS
    evidence = {each["tag"]: each.get("evidence", "") for each in printed["differences"]}
    assert "Dockerfile.openshift" in evidence["kube-rbac-proxy"]
    assert "Dockerfile.openshift" in evidence["haproxy-router"]
    assert checked.code == 1
    assert files_of(behind) == before
    assert "+++ b/components/kube-rbac-proxy.yaml" in patch.out
    assert "+++ b/components/machine-os-content.yaml" in patch.out


def test_the_catalog_is_brought_in_step(published, resumed, behind) -> None:
    """After ``--write`` the lists are equal, a second run changes nothing, and it is planned."""
    command = ("catalog", "sync", behind, "--release", published.pull_spec)

    written = resumed.run(*command, "--write")
    after = files_of(behind)
    again = resumed.run(*command, "--write", "--check", "-o", "json")

    assert written.code == 0, written.err
    assert again.document()["differences"] == []
    assert files_of(behind) == after
    assert b"cli-artifacts: not in" in after["stream.yaml"]
    assert b"ovirt: not in" in after["stream.yaml"]
    assert "components/ovirt.yaml" not in after
    assert b"tag: haproxy-router" in after["components/router.yaml"]
    planned = resumed.run("plan", behind, "-o", "json").document()
    names = {image["name"] for image in planned["images"]}
    assert names == {*COMPONENTS, "root"} - {"cli-artifacts"}


def test_the_patch_is_what_would_be_written(published, resumed, behind, tmp_path) -> None:
    """``--patch`` gives the very files that ``--write`` makes, to whoever applies it."""
    command = ("catalog", "sync", behind, "--release", published.pull_spec)
    patch = resumed.run(*command, "--patch")
    applied = tmp_path / "applied"
    shutil.copytree(behind, applied)
    subprocess.run(["git", "apply", "-"], cwd=applied, input=patch.out, text=True, check=True)

    assert resumed.run(*command, "--write").code == 0
    assert files_of(applied) == files_of(behind)


def test_a_catalog_in_step_is_in_step(published, resumed, stream) -> None:
    """The catalog that a release was made of has its images, but for what no operator names."""
    assert resumed.run(
        "catalog", "sync", stream, "--release", published.pull_spec, "--write"
    ).code in (0, 1)

    ended = resumed.run("catalog", "sync", stream, "--release", published.pull_spec, "--check")

    assert ended.code == 0, ended.out


def test_a_release_is_a_catalog(published, resumed, tmp_path) -> None:
    """``catalog import --release`` makes components of a release that are in step with it."""
    folder = tmp_path / "imported"
    made = resumed.run("catalog", "import", "--release", published.pull_spec, "--to", folder)
    ended = resumed.run(
        "catalog", "sync", folder, "--release", published.pull_spec, "--check", "-o", "json"
    )

    assert made.code == 0, made.err
    assert ended.document()["differences"] == []
    listed = resumed.run("catalog", "show", folder, "-o", "json").document()
    assert {each["tag"] for each in listed["components"]} == {
        image["name"] for image in published.printed["release"]["images"]
    }


@pytest.fixture
def mixed(published, resumed, stream, tmp_path) -> Path:
    """The stream with classes, which begins with the published release."""
    document = resumed.run("release", "info", published.pull_spec, "-o", "json").document()
    tags = document["references"]["spec"]["tags"]
    document["references"]["spec"]["tags"] = [it for it in tags if it["name"] != "etcd"]
    (tmp_path / "ocp.json").write_bytes(msgspec.json.encode(document))
    ocp = ("--release", published.pull_spec, "--ocp", tmp_path / "ocp.json")
    assert resumed.run("catalog", "sync", stream, *ocp, "--write").code == 0
    with (stream / "stream.yaml").open("a") as file:
        file.write(f"\nbootstrap: {{release: '{published.pull_spec}'}}\n")
    return stream


def test_a_mixed_stream_builds_what_is_its_own(published, rig, mixed) -> None:
    """Shared images come from the release by digest, specific ones are built, and why is shown."""
    program = rig.program("fresh")
    change_etcd(rig)

    planned = classes(program.run("plan", mixed, "-o", "json").document())
    printed = program.build(mixed)

    assert planned["etcd"][0] == "specific"
    assert "has no such image" in planned["etcd"][1]
    assert planned["cli"][0] == "shared"
    assert "the same image in OCP" in planned["cli"][1]
    built = {it["name"] for it in printed["components"] if it["action"] == "built"}
    assert built == {"base", "builder", "haproxy-router-base", "etcd"}
    before, after = (digests_of(each) for each in (published.printed, printed))
    assert before["etcd"] != after["etcd"]
    assert before["cli"] == after["cli"]
    names = {image["name"] for image in published.printed["release"]["images"]}
    assert {image["name"] for image in printed["release"]["images"]} == names
    location = f"oci:{program.releases('rig')}:{printed['release']['name']}"
    assert program.run("release", "lint", location).code == 0


def change_etcd(rig) -> None:
    """Commit something to the repository of etcd."""
    world = rig.world["etcd"]
    files = world.files("openshift-4.16")
    files["cmd/etcd/main.go"] = files["cmd/etcd/main.go"].replace("4.16", "4.16, ours")
    world.commit("openshift-4.16", files, "Be ours")


def classes(printed: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """The class of each planned image, and why."""
    return {
        image["name"]: (image["sharing"], image["sharingReason"]) for image in printed["images"]
    }
