# SPDX-License-Identifier: Apache-2.0
"""Where the images of a stream are: ``--repository``, whichever engine builds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from small_stream import write_stream


@pytest.mark.integration
def test_images_in_a_registry_are_found_from_anywhere(docker_registry, tmp_path: Path, run_cli):
    """Built into a registry, a stream is up to date for everybody who looks there."""
    for name in ("buildah", "busybox", "git"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is needed: make setup")
    stream = write_stream(tmp_path / "stream")
    place = ["--repository", f"{docker_registry}/repository/option"]
    code, out, err = run_cli("build", stream, *place, "-o", "json")
    assert code == 0, err
    built = json.loads(out)
    elsewhere = ["--state", tmp_path / "elsewhere"]
    code, out, err = run_cli("plan", stream, *place, *elsewhere, "-o", "json")
    assert {image["intent"] for image in json.loads(out)["images"]} == {"reuse"}
    code, out, err = run_cli("build", stream, *place, *elsewhere, "-o", "json")
    again = json.loads(out)
    assert again["release"]["digest"] == built["release"]["digest"]
    assert {item["action"] for item in again["components"]} == {"reused", "stub"}
    targets = ["--content", f"{docker_registry}/published/content"]
    targets += ["--releases", f"{docker_registry}/published/release"]
    name = built["release"]["name"]
    code, out, err = run_cli("publish", stream, name, *place, *targets, "-o", "json")
    assert code == 0, err
    assert json.loads(out)["digest"] == built["release"]["digest"]


THERE = ["--repository", "registry.test/a"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--repository", "registry.test/a:tag"], "has a tag or digest"),
        (["--engine", "tekton"], "--engine tekton needs --repository"),
        (["--engine", "tekton", "--repository", "oci:images"], "needs --repository"),
        (["--detach"], "and --engine buildah builds here"),
        (["--detach"], "systemd-run --user"),
        *(
            (["--detach", "--engine", engine, *THERE], said)
            for engine in ("shipwright", "openshift")
            for said in (
                f"--detach goes with --engine tekton: with --engine {engine} this program makes",
                "the same command goes on where it ended",
            )
        ),
        (["--detach", "--engine", "tekton", *THERE, "--report", "r"], "does not wait"),
    ],
)
def test_what_cannot_work_is_refused(tmp_path: Path, run_cli, words: list[str], said: str):
    """Options that contradict each other end at once, with exit code 2."""
    code, _, err = run_cli("build", write_stream(tmp_path / "stream"), *words)
    assert (code, said in err) == (2, True), err
