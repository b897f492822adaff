# SPDX-License-Identifier: Apache-2.0
"""A small stream from its sources to a registry, with the real buildah."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from small_stream import write_stream

from okd_payload.build.report import Report
from okd_payload.cli.main import main

pytestmark = pytest.mark.integration


class Small:
    """A stream that was built once, its state, and the object that was printed."""

    def __init__(self, folder: Path) -> None:
        self.stream = write_stream(folder / "stream")
        self.folders = ["--state", folder / "state", "--cache", folder / "cache"]
        self.releases = folder / "state" / "streams" / "small" / "releases"
        self.report = folder / "report"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The small stream, built."""
    for name in ("buildah", "busybox", "git"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is needed: make setup")
    small = Small(tmp_path_factory.mktemp("small"))
    words = ["build", small.stream, "--report", small.report, *small.folders]
    assert main([str(word) for word in words]) == 0
    return small


@pytest.fixture
def build(built: Small, run_cli: Callable[..., Any]) -> Callable[..., Any]:
    """Builds in the folders of the small stream, and gives the code, the object and the errors."""

    def run(*words: str | Path) -> tuple[int, dict[str, Any], str]:
        code, out, err = run_cli("build", *words, "-o", "json", *built.folders)
        return code, json.loads(out), err

    return run


def actions(printed: dict[str, Any]) -> dict[str, str]:
    """What happened to each component."""
    return {item["name"]: item["action"] for item in printed["components"]}


def test_what_was_built_is_printed(built: Small, build):
    """The object names release, components and issues; of a second run, nothing was built."""
    code, printed, err = build(built.stream)
    assert (code, printed["issues"]) == (0, [])
    release = printed["release"]
    assert release["name"].startswith("4.20.0-0.small-")
    assert release["reference"] == f"registry.example.org/small/release@{release['digest']}"
    assert actions(printed) == {
        "base": "reused",
        "cluster-version-operator": "reused",
        "etcd": "reused",
        "etcd-operator": "reused",
        "kuryr": "stub",
        "root": "reused",
    }
    assert {item["digest"] for item in printed["components"]} >= {
        image["reference"].partition("@")[2] for image in release["images"]
    }
    assert "4 reused" in err or "5 reused" in err


def test_the_report_has_all_of_it(built: Small):
    """It reads back, and shows why the first run built what it built."""
    report = msgspec.json.decode((built.report / "report.json").read_bytes(), type=Report)
    assert report.release is not None
    assert {item.reason for item in report.components if item.action.value == "built"} == {
        "not built yet"
    }
    assert report.reproduce == ("okd-payload build stream.yaml --lock stream.lock",)


def test_a_failing_build_leads_to_its_log(built: Small, build, run_cli, tmp_path: Path):
    """Exit code 1, the instruction that failed, and where everything is; the report is written."""
    mine = shutil.copytree(built.stream.parent / "etcd", tmp_path / "etcd")
    with (mine / "Dockerfile").open("a") as file:
        file.write("RUN echo no space for etcd && exit 7\n")
    words = ["--component", f"etcd={mine}", "--report", tmp_path / "report"]
    code, printed, err = build(built.stream, *words)
    assert (code, printed["release"]) == (1, None)
    assert actions(printed)["etcd"] == "failed"
    assert actions(printed)["etcd-operator"] == "reused"
    assert "error: 1 of 6 images failed" in err
    assert "`okd-payload logs etcd` shows everything" in err
    assert "no space for etcd" in run_cli("logs", "etcd", *built.folders).out
    report = (tmp_path / "report" / "report.html").read_text()
    assert "no space for etcd" in report
    assert "none was made" in report


def test_a_contributor_needs_no_stream_file(
    built: Small, build, run_cli, tmp_path: Path, docker_registry: str, monkeypatch
):
    """A checkout and a release are enough; the result can be published and installed."""
    _, first, _ = build(built.stream)
    mine = shutil.copytree(built.stream.parent / "etcd", tmp_path / "etcd")
    (mine / "etcd.sh").write_text("#!/bin/sh\necho etcd 4.0\n")
    (mine / "Dockerfile").rename(mine / "Dockerfile.okd")
    monkeypatch.chdir(tmp_path)
    base = f"oci:{built.releases}:{first['release']['name']}"
    words = ["--from-release", base, "--component", "etcd=etcd"]
    private, _, err = build(*words)
    assert private == 2
    assert "--substitute 'registry.ci.openshift.org/ocp/4.20:base=TAG'" in err
    content, releases = f"{docker_registry}/me/content", f"{docker_registry}/me/release"
    parent = first["release"]["images"][0]["reference"].replace(
        "registry.example.org/small/content", content
    )
    digest = parent.partition("@")[2]
    run_cli("copy", f"oci:{built.releases.parent}/images@{digest}", content, *built.folders)
    words += ["--substitute", f"registry.ci.openshift.org/ocp/*:base={parent}"]
    words += ["--content", content, "--releases", releases]
    code, printed, err = build(*words)
    assert code == 0, err
    assert "note etcd: is built from its Dockerfile.okd" in err
    assert actions(printed) == {parent: "imported", "etcd": "built"}
    release = printed["release"]
    assert release["name"].startswith(first["release"]["name"] + ".change-")
    before, after = (
        {image["name"]: image["reference"] for image in it["release"]["images"]}
        for it in (first, printed)
    )
    assert after == before | {"etcd": after["etcd"]}
    assert after["etcd"].startswith(f"{content}@")

    words = ["publish", "change", release["name"], "--content", content, "--releases", releases]
    code, out, err = run_cli(*words, *built.folders)
    assert (code, out) == (0, f"{release['name']} {release['reference']}\n"), err
    code, out, _ = run_cli("copy", release["reference"], f"oci:{tmp_path}/back", *built.folders)
    assert code == 0
    assert out.strip().endswith(release["digest"])


def test_one_component_on_top_of_a_release(built: Small, build, tmp_path: Path):
    """With the stream file, parents are those of the stream, and dependants can be built too."""
    _, first, _ = build(built.stream)
    mine = shutil.copytree(built.stream.parent / "etcd", tmp_path / "etcd")
    (mine / "etcd.sh").write_text("#!/bin/sh\necho etcd 5.0\n")
    base = f"oci:{built.releases}:{first['release']['name']}"
    words = ["--from-release", base, "--component", f"etcd={mine}", "--with-dependants"]
    code, printed, err = build(built.stream, *words)
    assert code == 0, err
    assert actions(printed) == {"base": "reused", "etcd": "built", "root": "reused"}
    code, again, _ = build(built.stream)
    assert again["release"] == first["release"]


def test_a_plan_after_the_build(built: Small, run_cli):
    """Everything is there, and forcing one image builds that one only."""
    code, out, _ = run_cli("plan", built.stream, "--force", "base", *built.folders)
    assert code == 0
    assert out.startswith("small: 6 images in 3 waves, 4 to build, 0 to import, 2 to reuse")
    assert "2      base                       build   forced" in out
