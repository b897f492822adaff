# SPDX-License-Identifier: Apache-2.0
"""A stream built by steps, each as a pod of its own would run it, sharing but a registry."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_stream import write_stream

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
