# SPDX-License-Identifier: Apache-2.0
"""``okd-payload build``: what is said when it cannot go on; the real thing with buildah."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from small_stream import COMPONENTS, inline, write_stream

from okd_payload.oci.layout import LayoutRepository
from okd_payload.testing.images import push_image


def test_issues_stop_a_build_before_it_begins(run_cli, tmp_path: Path):
    """Nothing is built, and the document has the issues all the same."""
    path = write_stream(tmp_path, components={**COMPONENTS, "lost": inline("FROM nowhere")})
    code, out, err = run_cli("build", path, "-o", "json")
    assert code == 2
    printed = json.loads(out)
    assert (printed["release"], printed["components"], printed["run"]) == (None, [], "")
    assert [issue["code"] for issue in printed["issues"]] == ["dangling-reference"]
    assert "error: 1 error before the first build" in err


def test_sources_that_are_away_fail_the_build(run_cli, tmp_path: Path):
    """The same command may work later, so the exit code is 1."""
    components = {**COMPONENTS, "away": f"source: {{git: 'file://{tmp_path}/nowhere'}}\n"}
    code, out, err = run_cli("build", write_stream(tmp_path, components=components))
    assert (code, out) == (1, "")
    assert "[source-unavailable]" in err


def test_without_buildah_the_way_to_get_it(run_cli, tmp_path: Path, monkeypatch):
    """It is said once, with the command that helps; what else was asked for is not tried."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("git", "sh", "tar", "mktemp", "mkdir", "cp", "ln", "rm", "busybox", "gzip"):
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"{name} is needed: make setup")
        (programs / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(programs))
    code, out, err = run_cli("build", write_stream(tmp_path), "-o", "json")
    assert code == 1
    lines = err.splitlines()
    assert lines[-3].startswith("error: 1 of 6 images failed, 4 ")
    assert lines[-2].startswith("  base: buildah is not installed")
    assert lines[-1].startswith("hint: `okd-payload doctor`")
    actions = {item["name"]: item["action"] for item in json.loads(out)["components"]}
    assert (actions["root"], actions["base"], actions["etcd"]) == ("imported", "failed", "skipped")


def test_a_base_that_is_no_release(run_cli, tmp_path: Path):
    """What was named is an ordinary image, and the message says so."""
    layout = LayoutRepository(tmp_path / "layout")
    asyncio.run(push_image(layout, tag="1", layers=[bytes(1024)]))
    words = ["--from-release", f"oci:{tmp_path}/layout:1", "--component", f"etcd={tmp_path}"]
    code, out, err = run_cli("build", write_stream(tmp_path), *words)
    assert (code, out) == (1, "")
    assert "did not contain an image-references file" in err
    assert "is an ordinary image" in err


def test_a_base_that_is_not_there(run_cli, tmp_path: Path):
    """The nearest tags are offered."""
    layout = LayoutRepository(tmp_path / "layout")
    asyncio.run(push_image(layout, tag="4.20.0"))
    words = ["--from-release", f"oci:{tmp_path}/layout:4.20.1", "--component", f"etcd={tmp_path}"]
    code, _, err = run_cli("build", write_stream(tmp_path), *words)
    assert code == 1
    assert "did you mean 4.20.0?" in err


def test_repositories_are_for_builds_without_a_stream_file(run_cli, tmp_path: Path):
    """A stream file says itself where its images go."""
    words = ["--content", "quay.io/me/okd", "--from-release", "quay.io/okd/x:1"]
    path = write_stream(tmp_path)
    code, _, err = run_cli("build", path, *words, "--component", f"etcd={tmp_path}")
    assert code == 2
    assert "under `publish`" in err


def test_only_a_stream_file_knows_dependants(run_cli, tmp_path: Path, monkeypatch):
    """Without one, nobody says what is built on what."""
    monkeypatch.chdir(tmp_path)
    words = ["--from-release", "quay.io/okd/x:1", "--component", "etcd=.", "--with-dependants"]
    code, _, err = run_cli("build", *words)
    assert code == 2
    assert "only a stream file says" in err


@pytest.mark.parametrize("option", ["--content", "--releases"])
def test_where_to_publish_is_a_repository(run_cli, tmp_path: Path, monkeypatch, option: str):
    """It becomes part of the payload, so it is looked at before anything else."""
    monkeypatch.chdir(tmp_path)
    words = ["--from-release", "quay.io/okd/x:1", "--component", "etcd=."]
    code, _, err = run_cli("build", *words, option, "quay.io/me/okd:latest")
    assert code == 2
    assert f"error: {option} is a repository: leave tag and digest away" in err
