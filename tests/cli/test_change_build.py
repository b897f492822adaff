# SPDX-License-Identifier: Apache-2.0
"""From one pull request of a shared library to a release and a report, with the real buildah."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_stream import BASE, COMPONENTS, ROOT, SOURCES, STREAM, write_stream

from okd_payload.cli.main import main
from okd_payload.testing.go_forge import Forge, Vendored, go_component, go_library

pytestmark = pytest.mark.integration

API = "github.com/openshift/api"
CONFIG = "package config\n\n// Name is asked for.\nfunc Name() string { return `n` }\n"
MAP = """\
kind: ConfigMap
apiVersion: v1
metadata:
  name: api
  namespace: etcd
  annotations: {include.release.openshift.io/hypershift: 'true'}
data: {version: one}
"""
# What stands in for a compiler: it wants what the program calls.
COMPILE = f"""\
grep -q "func Name" vendor/{API}/config/config.go || {{
  echo "./main.go:6:14: undefined: config.Name"
  exit 1
}}
"""
DOCKERFILE = f"FROM {BASE}\nCOPY . /src\nRUN cd /src && sh compile.sh\n"
OPERATOR = (
    f"FROM {BASE}\nCOPY manifests /manifests\n"
    f"COPY vendor/{API}/crd/map.yaml /manifests/0000_12_etcd_02.yaml\n"
    "LABEL io.openshift.release.operator=true\n"
)


class Rig:
    """A stream of git repositories with a shared library, built once, and its release."""

    def __init__(self, folder: Path) -> None:
        forge = Forge(folder / "forge")
        self.api = forge.repository("openshift/api")
        self.api.commit(go_library(API, {"config": CONFIG, "crd": "package crd\n"}))
        self.api.commit({"crd/map.yaml": MAP})
        programs = {
            "etcd": (DOCKERFILE, ("config",), {"compile.sh": COMPILE}),
            "etcd-operator": (
                OPERATOR,
                ("crd",),
                {
                    name.removeprefix("etcd-operator/"): text
                    for name, text in SOURCES.items()
                    if name.startswith("etcd-operator/manifests")
                },
            ),
        }
        components = dict(COMPONENTS)
        for name, (dockerfile, packages, files) in programs.items():
            repository = forge.repository(f"openshift/{name}")
            vendored = Vendored(library=self.api, module=API, version="v0.0.1", packages=packages)
            made = go_component(f"github.com/openshift/{name}", "package main\n", [vendored])
            repository.commit({"Dockerfile": dockerfile, **made, **files})
            components[name] = f'source: {{git: "{repository.url}", ref: main}}\n'
        root = ROOT.replace("sh chmod cat echo", "sh chmod cat echo grep")
        sources = {**SOURCES, "root.sh": root}
        self.stream = write_stream(
            folder / "stream", stream=STREAM, components=components, sources=sources
        )
        self.folders = ["--state", folder / "state", "--cache", folder / "cache"]
        self.releases = folder / "state" / "streams" / "small" / "releases"
        self.release = ""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """The stream, built; with two proposals for its library."""
    for name in ("buildah", "busybox", "git"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is needed: make setup")
    folder = tmp_path_factory.mktemp("change")
    rig = Rig(folder)
    words = ["build", rig.stream, "--report", folder / "first", *rig.folders]
    assert main([str(word) for word in words]) == 0
    report = json.loads((folder / "first" / "report.json").read_text())
    rig.release = f"oci:{rig.releases}:{report['release']['name']}"
    rig.api.propose(1, {"crd/map.yaml": MAP.replace("one", "two")})
    rig.api.propose(2, {"config/config.go": "package config\n", "crd/map.yaml": MAP + "# more\n"})
    return rig


@pytest.fixture
def build(rig: Rig, run_cli: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Builds with a change: the code, the object that is printed, the errors, the page."""

    def run(*words: str | Path) -> tuple[int, dict[str, Any], str, str]:
        report = tmp_path / "report"
        arguments = ("build", rig.stream, *words, *rig.folders, "--report", report, "-o", "json")
        code, out, err = run_cli(*arguments)
        page = report / "report.html"
        return code, json.loads(out), err, page.read_text() if page.exists() else ""

    return run


def fates(printed: dict[str, Any]) -> dict[str, str]:
    """What became of each component that the change reaches."""
    return {item["name"]: item["fate"] for item in printed["impact"]["components"]}


def test_a_dry_run_shows_the_set_and_builds_nothing(rig: Rig, run_cli):
    """Each component with its reason, and where that stands."""
    words = ("build", rig.stream, "--change", "openshift/api@refs/pull/1/head", "--dry-run")
    code, out, _ = run_cli(*words, *rig.folders)
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert ["DISTANCE", "COMPONENT", "RESULT", "WHY", "WHERE"] in lines
    assert ["1", "etcd", "planned", "imports", f"{API},", "1", "package", "go.mod:6"] in lines
    code, out, _ = run_cli(*words, *rig.folders, "-o", "json")
    printed = json.loads(out)
    assert (code, printed["run"], printed["release"]) == (0, "", None)
    assert fates(printed) == {"etcd": "planned", "etcd-operator": "planned"}


def test_a_release_has_the_change_and_the_report_what_it_does(rig: Rig, build):
    """Two components anew, the rest as it was; the manifest that the library brings differs."""
    code, printed, _, page = build(
        "--change", "openshift/api@refs/pull/1/head", "--from-release", rig.release
    )
    assert (code, fates(printed)) == (0, {"etcd": "built", "etcd-operator": "built"})
    (manifest,) = printed["impact"]["manifests"]
    assert manifest["name"] == "0000_12_etcd_02.yaml"
    assert (manifest["added_lines"], manifest["removed_lines"]) == (1, 1)
    assert "0000_12_etcd_02.yaml" in page
    assert "openshift/api" in page
    code, printed, _, _ = build(
        "--change", "openshift/api@refs/pull/1/head", "--from-release", rig.release
    )
    assert fates(printed) == {"etcd": "reused", "etcd-operator": "reused"}


def test_a_change_that_breaks_one_component_says_where(rig: Rig, build):
    """The first error is in the report, and there is no release unless one is asked for."""
    words = ("--change", "openshift/api@refs/pull/2/head", "--from-release", rig.release)
    code, printed, err, page = build(*words)
    assert (code, printed["release"]) == (1, None)
    assert fates(printed) == {"etcd": "failed", "etcd-operator": "built"}
    (failed,) = [item for item in printed["impact"]["components"] if item["fate"] == "failed"]
    assert failed["error"] == "./main.go:6:14: undefined: config.Name"
    assert "undefined: config.Name" in page
    assert "etcd" in err
    code, printed, _, _ = build(*words, "--keep-going")
    assert code == 1
    names = [image["name"] for image in printed["release"]["images"]]
    assert {"etcd", "etcd-operator"} <= set(names)
    assert [item["name"] for item in printed["impact"]["manifests"]] == ["0000_12_etcd_02.yaml"]


def test_a_whole_stream_can_be_built_with_a_change(rig: Rig, build):
    """Nothing else is built again, and the tags of the stream stay where they are."""
    code, printed, _, _ = build("--change", f"openshift/api={rig.api.path}", "--only", "etcd")
    assert (code, fates(printed)) == (0, {"etcd": "built"})
    actions = {item["name"]: item["action"] for item in printed["components"]}
    assert actions["etcd-operator"] == "reused"
    code, printed, _, _ = build("--change", "openshift/api@refs/pull/2/head", "--keep-going")
    assert code == 1
    assert "etcd" in [image["name"] for image in printed["release"]["images"]]


def test_the_report_says_how_to_make_it_again(rig: Rig, build, run_cli, tmp_path: Path):
    """The lock has the sources without the change, and the commit of the change."""
    _, printed, _, _ = build(
        "--change", "openshift/api@refs/pull/1/head", "--from-release", rig.release
    )
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert "--change openshift/api@refs/pull/1/head" in report["reproduce"][0]
    lock = tmp_path / "stream.lock"
    lock.write_text(report["lock"])
    assert rig.api.git("rev-parse", "refs/pull/1/head") in lock.read_text()
    rig.api.propose(1, {"config/config.go": "package moved\n"})
    code, again, _, _ = build(
        *("--change", "openshift/api@refs/pull/1/head", "--from-release", rig.release),
        *("--lock", lock),
    )
    assert (code, again["release"]) == (0, printed["release"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--dry-run"], "--dry-run goes with --change"),
        (["--depth", "1"], "--depth, --only and --skip go with --change"),
        (["--change", "openshift/api@x", "--component", "etcd=."], "goes neither with"),
        (["--change", "nonsense"], "does not name a repository"),
        (["--keep-going", "--fail-fast"], "contradict each other"),
    ],
)
def test_options_that_make_no_sense_are_refused(run_cli, tmp_path: Path, words, says: str):
    """Before anything is read."""
    stream = write_stream(tmp_path / "stream")
    code, _, err = run_cli("build", stream, *words)
    assert code == 2
    assert says in err


def test_a_release_is_enough(
    rig: Rig, run_cli, tmp_path: Path, docker_registry: str, monkeypatch: pytest.MonkeyPatch
):
    """Its annotations say what its images were built from; no stream file is there."""
    monkeypatch.chdir(tmp_path)
    content = f"{docker_registry}/me/content"
    images = rig.releases.parent / "images"
    run_cli("copy", f"oci:{images}:base", f"{content}:base", *rig.folders)
    words = ["build", "--change", f"{rig.api.url}@refs/pull/2/head", "--from-release", rig.release]
    words += ["--substitute", f"registry.ci.openshift.org/ocp/*:base={content}:base"]
    words += ["--content", content, "--releases", f"{docker_registry}/me/release"]
    code, out, err = run_cli(*words, "--skip", "etcd", *rig.folders, "-o", "json")
    assert code == 0, err
    printed = json.loads(out)
    assert fates(printed) == {"etcd-operator": "built"}
    assert printed["impact"]["left_out"] == [
        {"name": "etcd", "tag": "etcd", "reason": "left out by --skip"}
    ]
    assert [item["name"] for item in printed["impact"]["manifests"]] == ["0000_12_etcd_02.yaml"]
    code, _, err = run_cli("build", "--change", f"{rig.api.url}@main", *rig.folders)
    assert code == 2
    assert "only a stream file or a release says" in err
