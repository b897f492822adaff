# SPDX-License-Identifier: Apache-2.0
"""The debian stream as it is written: what can be said about it without building it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

STREAM = Path(__file__).resolve().parents[2] / "examples" / "debian"
SOURCES = STREAM / "sources"
OPERATORS = sorted((SOURCES / "operators" / "cmd").iterdir())
PLACEHOLDER = "quay.io/openshift/origin-"
GO_IMPORTS = Path("/usr/share/gocode")


def documents(path: Path) -> list[dict[str, Any]]:
    """The YAML documents of a file."""
    return [it for it in yaml.safe_load_all(path.read_text()) if it]


def referenced_tags(operator: Path) -> list[str]:
    """The tags that the image-references of an operator name."""
    [references] = documents(operator / "manifests" / "image-references")
    for tag in references["spec"]["tags"]:
        assert tag["from"]["name"] == f"{PLACEHOLDER}{tag['name']}:latest"
    return [tag["name"] for tag in references["spec"]["tags"]]


def environments(operator: Path) -> list[dict[str, str]]:
    """What the deployments of an operator, one for each kind of cluster, say to it."""
    found = []
    for path in sorted((operator / "manifests").glob("*deployment*.yaml")):
        [deployment] = documents(path)
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        found.append({it["name"]: it["value"] for it in container["env"]})
    return found


def test_the_stream_can_be_planned(tmp_path):
    """Every reference of the stream leads somewhere, and nothing about it is an issue."""
    program = Path(sys.executable).with_name("okd-payload")
    folders = [f"--state={tmp_path / 'state'}", f"--cache={tmp_path / 'cache'}"]
    command = [program, "plan", STREAM, "--output=json", *folders]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["issues"] == []


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda path: path.name)
def test_image_references_lead_to_components(operator):
    """Every image that an operator names is one that the stream makes or stands in for."""
    components = {path.stem for path in (STREAM / "components").iterdir()}
    [stream] = documents(STREAM / "stream.yaml")
    assert set(referenced_tags(operator)) <= components | set(stream["imports"])
    assert operator.name in referenced_tags(operator)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda path: path.name)
def test_operators_are_told_what_their_operands_need(operator):
    """Templates use images that the deployment hands over, and those are what is referenced."""
    text = "".join(path.read_text() for path in (operator / "assets").iterdir())
    needed = {f"{name}_IMAGE" for name in re.findall(r"\.Images\.([A-Z_]+)", text)}
    operands = {*referenced_tags(operator)} - {operator.name}
    for environment in environments(operator):
        assert environment.pop("RELEASE_VERSION") == "0.0.1-snapshot"
        assert needed <= environment.keys()
        assert environment == {
            f"{tag.upper().replace('-', '_')}_IMAGE": f"{PLACEHOLDER}{tag}:latest"
            for tag in operands
        }


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda path: path.name)
def test_assets_say_where_they_live(operator):
    """The path in the first line of an asset is that of the object below it."""
    for path in sorted((operator / "assets").iterdir()):
        first, text = path.read_text().split("\n", 1)
        body = yaml.safe_load(re.sub(r"{{.*?}}", "rendered", text))
        version, metadata = body["apiVersion"], body["metadata"]
        expected = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if "namespace" in metadata:
            expected += f"/namespaces/{metadata['namespace']}"
        expected += f"/{body['kind'].lower()}s/{metadata['name']}"
        assert first.removeprefix("# path: ").removesuffix("/status") == expected
        assert first.endswith("/status") is ("status" in body)


def test_manifests_are_complete_objects_for_some_cluster():
    """Every object of the payload has what a cluster looks for before it applies it."""
    manifests = [
        *SOURCES.glob("operators/cmd/*/manifests/*.yaml"),
        *SOURCES.glob("*/install/*.yaml"),
    ]
    assert len(manifests) > 20
    for path in manifests:
        assert re.match(r"0000_[0-9]{2}_[a-z-]+_[0-9]{2}_", path.name)
        for body in documents(path):
            profiles = body["metadata"]["annotations"]
            assert set(profiles.values()) == {"true"}
            assert all(name.startswith("include.release.openshift.io/") for name in profiles)


def test_dockerfiles_name_images_as_openshift_does():
    """No Dockerfile was edited for this stream: substitution does it all."""
    for path in SOURCES.rglob("Dockerfile"):
        stages = set(re.findall(r"^FROM \S+ AS (\S+)", path.read_text(), re.MULTILINE))
        for image in re.findall(r"^FROM (\S+)", path.read_text(), re.MULTILINE):
            assert image in stages or image.startswith("registry.ci.openshift.org/ocp/")


@pytest.mark.parametrize(
    ("own", "foreign", "end"),
    [
        (["bookworm", "bookworm-security", "bookworm-updates"], ["trixie"], ["-", "-"]),
        ([], ["trixie", "bookworm-backports"], ["-"]),
        ([], [], ["-"]),
    ],
)
def test_root_uses_the_archive_of_this_machine(tmp_path, own, foreign, end):
    """Packages come from where this machine has its own, if that is the same Debian."""
    lines = {suite: f"deb http://mirror.example/debian/ {suite} main\n" for suite in own + foreign}
    (tmp_path / "sources").write_text("".join([*lines.values(), *lines.values()]))
    programs = {
        "id": "echo 0",
        "apt-get": f'test "$1" = indextargets && cat {tmp_path}/sources',
        "mmdebstrap": f"printf '%s\\n' \"$@\" >{tmp_path}/words; cat >{tmp_path}/archive",
    }
    for name, script in programs.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run([STREAM / "root.sh"], env=environment, stdin=subprocess.DEVNULL, check=True)
    assert (tmp_path / "archive").read_text() == "".join(lines[suite] for suite in own)
    words = (tmp_path / "words").read_text().splitlines()
    assert words[words.index("bookworm") + 1 :] == end


@pytest.mark.integration
@pytest.mark.parametrize("source", ["operators", "cluster-version-operator"])
def test_go_programs_pass_their_own_tests(source, tmp_path):
    """The unit tests that these sources bring along pass here as well as in the builder image."""
    if shutil.which("go") is None or not (GO_IMPORTS / "src/gopkg.in/yaml.v3").is_dir():
        pytest.skip("needs golang-go and golang-gopkg-yaml.v3-dev, as the builder image has them")
    project = tmp_path / "src/github.com/openshift" / source
    shutil.copytree(SOURCES / source, project)
    settings = {"GOPATH": f"{tmp_path}:{GO_IMPORTS}", "GO111MODULE": "off", "GOFLAGS": ""}
    done = subprocess.run(
        ["make", "test"],
        cwd=project,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok" in done.stdout
