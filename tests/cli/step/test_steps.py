# SPDX-License-Identifier: Apache-2.0
"""A stream built by steps, each as a pod of its own would run it, sharing but a registry."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_stream import COMPONENTS, write_stream

from okd_payload.cli.main import COMMANDS, main

pytestmark = pytest.mark.integration
NAMES = ("root", "base", "cluster-version-operator", "etcd", "etcd-operator")


class Pods:
    """Runs commands, each with a cache and a state of its own."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self._number = 0

    def run(self, *words: str | Path, code: int = 0) -> dict[str, str]:
        """The results of ``step`` with these words, and its two outputs."""
        self._number += 1
        place = self._folder / str(self._number)
        place.mkdir(parents=True)
        self._monkeypatch.setenv("OKD_PAYLOAD_CACHE", str(place / "cache"))
        self._monkeypatch.setenv("OKD_PAYLOAD_STATE", str(place / "state"))
        options = [f"--result-{name}={place}/{name}" for name in RESULTS.get(str(words[0]), ())]
        self._capsys.readouterr()
        ended = main(["step", *map(str, words), *options], commands=COMMANDS)
        out, err = self._capsys.readouterr()
        assert ended == code, err
        results = {path.name: path.read_text() for path in place.iterdir() if path.is_file()}
        return results | {"out": out, "err": err}


RESULTS = {
    "snapshot": ("snapshot", "digest", "stream"),
    "component": ("digest", "key", "built"),
    "release": ("digest", "name", "pull-spec"),
}


@pytest.fixture
def pods(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Pods]:
    """Somewhere to run steps."""
    return Pods(tmp_path / "pods", monkeypatch, capsys)


def test_a_stream_is_built_step_by_step(
    pods: Pods, tmp_path: Path, docker_registry: str, run_cli: Callable[..., Any]
) -> None:
    """The payload is the one that a build on one machine makes, and a second run builds nothing."""
    content, releases = f"{docker_registry}/steps/content", f"{docker_registry}/steps/release"
    stream = write_stream(tmp_path / "stream")
    here = ("--content", content, "--releases", releases)
    made = pods.run("snapshot", stream.parent, "etcd", *here, "--branch", "")
    assert made["snapshot"].startswith(f"{content}@sha256:")
    assert made["stream"] == "small"
    assert made["snapshot"].endswith(made["digest"])
    step = ("--snapshot", made["snapshot"])
    early = pods.run("component", "etcd", *step, code=1)
    assert "etcd stands on base, which is not built" in early["err"]
    unfinished = pods.run("release", *step, code=1)
    assert "not built" in unfinished["err"]
    pods.run("imports", *step)
    first = {name: pods.run("component", name, *step) for name in NAMES}
    # The root file system was made for etcd above, before it was seen that its base is missing.
    assert {name for name, each in first.items() if each["built"] == "true"} == {*NAMES} - {"root"}
    again = {name: pods.run("component", name, *step) for name in NAMES}
    assert {each["built"] for each in again.values()} == {"false"}
    assert {n: e["digest"] for n, e in again.items()} == {n: e["digest"] for n, e in first.items()}
    assert len(first["etcd"]["key"]) == 64
    assert first["root"]["key"] == ""
    released = pods.run("release", *step)
    assert released["pull-spec"] == f"{releases}@{released['digest']}"
    pods.run("verify", released["pull-spec"], *step)
    report = tmp_path / "report"
    told = pods.run("report", *step, "--to", report, "etcd=Succeeded", "base=None", "")
    assert released["name"] in told["out"]
    written = json.loads((report / "report.json").read_bytes())
    assert written["release"]["digest"] == released["digest"]
    actions = {item["name"]: item["action"] for item in written["components"]}
    assert (actions["etcd"], actions["base"], actions["kuryr"]) == ("built", "reused", "stub")
    assert (report / "report.html").stat().st_size > 1000
    # The same snapshot is taken by build, too, and gives the same release.
    built = run_cli("build", "--snapshot", made["snapshot"])
    assert built.code == 0, built.err
    assert built.out.split() == [released["name"], released["digest"]]
    # The repository is the image stream: nothing of all this is taken for an image of it.
    listed = run_cli(
        "release", "new", "--from-repository", content, "--name", "4.20.1", "-o", "json"
    )
    tags = {tag["name"] for tag in json.loads(listed.out)["spec"]["tags"]}
    assert tags == {*NAMES, "kuryr"}


def test_images_are_brought_to_where_the_payload_names_them(
    pods: Pods, tmp_path: Path, docker_registry: str
) -> None:
    """Built in one repository, published in another."""
    work, content = f"{docker_registry}/apart/work", f"{docker_registry}/apart/content"
    stream = write_stream(tmp_path / "stream")
    here = ("--content", content, "--releases", f"{docker_registry}/apart/release")
    made = pods.run("snapshot", stream, *here, "--repository", work)
    step = ("--snapshot", made["snapshot"], "--repository", work)
    pods.run("batch", *step)
    released = pods.run("release", *step)
    pods.run("verify", released["pull-spec"], "--snapshot", made["snapshot"])


def test_a_failed_component_is_told_in_the_report(
    pods: Pods, tmp_path: Path, docker_registry: str
) -> None:
    """What was built is there, what failed says so, and there is no release."""
    content = f"{docker_registry}/failing/content"
    stream = write_stream(tmp_path / "stream")
    made = pods.run("snapshot", stream, "--content", content)
    step = ("--snapshot", made["snapshot"])
    pods.run("component", "root", *step)
    told = pods.run("report", *step, "base=Failed", "--to", tmp_path / "report")
    assert "failed base: its task failed" in told["out"]
    assert "skipped etcd: parent base is made again" in told["out"]
    assert "there is no release" in told["out"]


def test_a_given_snapshot_is_taken_as_it_is(
    pods: Pods, tmp_path: Path, docker_registry: str
) -> None:
    """Selections are checked against it, and nothing is planned anew."""
    content = f"{docker_registry}/given/content"
    stream = write_stream(tmp_path / "stream")
    made = pods.run("snapshot", stream, "--content", content)
    given = pods.run("snapshot", "@", "", "--given", made["snapshot"])
    assert given["snapshot"] == made["snapshot"]
    wrong = pods.run("snapshot", "", "etdc", "--given", made["snapshot"], code=2)
    assert "did you mean etcd" in wrong["err"]
    changed = main(["plan", "--snapshot", made["snapshot"], "--component", "etcd=/tmp"])
    assert changed == 2


def git(folder: Path, *words: str) -> None:
    """Run git in ``folder`` as nobody in particular."""
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def test_a_stream_in_git_is_frozen_with_its_parameters(
    pods: Pods, tmp_path: Path, docker_registry: str
) -> None:
    """A variant at a path of a repository: branch, name and repositories are those of the run."""
    repository = tmp_path / "repository"
    write_stream(repository / "streams" / "variants" / "scos")
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "streams")
    content = f"{docker_registry}/git/content"
    made = pods.run(
        *("snapshot", f"file://{repository}@main", "--path", "streams", "--variant", "scos"),
        *("--release-name", "4.20.0-0.mine", "--content", content, "--repository", content),
    )
    step = ("--snapshot", made["snapshot"])
    batch = pods.run("batch", "", *step)
    assert "etcd built sha256:" in batch["out"]
    again = pods.run("batch", "etcd", *step)
    assert "etcd reused sha256:" in again["out"]
    assert "etcd-operator" not in again["out"]
    released = pods.run("release", *step, "--to", f"{docker_registry}/git/release:mine")
    assert released["name"] == "4.20.0-0.mine"
    tagged = pods.run("verify", released["pull-spec"], *step)
    assert tagged["out"] == f"{released['pull-spec']}: sound\n"
    wrong = pods.run(
        "snapshot", f"file://{repository}@main", "--path", "../x", "--content", content, code=2
    )
    assert "leads out of the stream" in wrong["err"]
    missing = pods.run(
        *("snapshot", f"file://{repository}@main", "--path", "streams", "--variant", "scso"),
        *("--content", content),
        code=2,
    )
    assert "did you mean scos" in missing["err"]


def test_a_batch_goes_on_where_something_fails(
    pods: Pods, tmp_path: Path, docker_registry: str
) -> None:
    """Only what stands on the failure is skipped, and all is told."""
    components = {**COMPONENTS, "broken": "inlineDockerfile: |\n  FROM base\n  RUN exit 3\n"}
    components["above"] = "inlineDockerfile: |\n  FROM broken\n"
    stream = write_stream(tmp_path / "stream", components=components)
    made = pods.run("snapshot", stream, "--content", f"{docker_registry}/batch/content")
    failed = pods.run("batch", "above", "etcd", "--snapshot", made["snapshot"], code=1)
    told = dict(line.split(" ", 1) for line in failed["out"].splitlines())
    assert told["etcd"].startswith("built sha256:")
    assert told["broken"].startswith("failed ")
    assert told["above"] == "skipped broken failed"
    assert "1 of 5 images failed, 1 skipped" in failed["err"]


def test_a_selection_takes_what_the_tags_have(
    pods: Pods, tmp_path: Path, docker_registry: str
) -> None:
    """With a changed base, one component is rebuilt, and the others stay as they were."""
    here = ("--content", f"{docker_registry}/select/content")
    here += ("--releases", f"{docker_registry}/select/release")
    stream = write_stream(tmp_path / "stream")
    before = pods.run("snapshot", stream, *here)
    pods.run("batch", "--snapshot", before["snapshot"])
    etcd = tmp_path / "stream" / "etcd" / "etcd.sh"
    etcd.write_text("#!/bin/sh\necho etcd 3.6\n")
    operator = tmp_path / "stream" / "etcd-operator" / "manifests" / "0000_12_etcd_00.yaml"
    operator.write_text(operator.read_text().replace("name: etcd,", "name: other,"))
    step = ("--snapshot", pods.run("snapshot", stream, *here)["snapshot"])
    pods.run("component", "etcd", *step)
    refused = pods.run("release", *step, code=1)
    assert "etcd-operator: changed commit" in refused["err"]
    pods.run("release", "etcd", *step)
    kept = pods.run("release", "--keep-going", *step)
    assert kept["pull-spec"]


def test_a_stream_that_goes_nowhere_is_told(pods: Pods, tmp_path: Path) -> None:
    """Nothing is pushed to a host that nobody named."""
    stream = write_stream(tmp_path / "stream")
    text = stream.read_text()
    stream.write_text("".join(line for line in text.splitlines(True) if "publish" not in line))
    refused = pods.run("snapshot", stream, "--content", "", code=2)
    assert "nobody says where the images of the stream go" in refused["err"]
    assert "publish.content" in refused["err"]
