# SPDX-License-Identifier: Apache-2.0
"""``okd-payload catalog lint``: what is told, in which form, and what the exit code says."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import yaml

from okd_payload.clock import SystemClock
from okd_payload.locations import find_locations
from okd_payload.source.lock import Lock, LockedSource, write_lock
from okd_payload.source.model import GitSource
from okd_payload.source.tree import Sources

_BUILD_CONFIG = """\
apiVersion: build.openshift.io/v1
kind: BuildConfig
metadata: {name: app}
spec:
  source: {git: {uri: 'https://git.test/app', ref: main}}
  strategy: {dockerStrategy: {from: {kind: ImageStreamTag, name: 'release:base'}}}
  output: {to: {kind: ImageStreamTag, name: 'release:app'}}
"""
_STREAM = """\
name: demo
catalog: [{components: components}]
imports:
  cluster-version-operator: {image: quay.test/cvo:1}
  base: {image: quay.test/base:1}
  none: {image: quay.test/ubi9-minimal:1, stub: nobody builds it}
"""
_PRIVATE = "FROM registry.ci.openshift.org/ocp/builder:golang AS build\nFROM scratch\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a definition whose base nobody makes."""
    (tmp_path / "builds").mkdir()
    (tmp_path / "builds" / "app.yaml").write_text(_BUILD_CONFIG)
    return tmp_path / "builds"


@pytest.fixture
def make_stream(tmp_path: Path):
    """Writes a stream with one component; returns its folder."""

    def make(component: str, more: str = "") -> Path:
        (tmp_path / "demo" / "components").mkdir(parents=True, exist_ok=True)
        (tmp_path / "demo" / "stream.yaml").write_text(_STREAM + more)
        (tmp_path / "demo" / "components" / "app.yaml").write_text(component)
        return tmp_path / "demo"

    return make


def test_a_broken_folder(run_cli, folder: Path):
    """Issues go to standard error with file and line, one line of result to standard output."""
    code, out, err = run_cli("catalog", "lint", folder)
    assert code == 1
    assert out == "1 definition: something is wrong\n"
    assert "error: app: nobody makes release:base [dangling-reference]" in err
    assert f"at {folder}/app.yaml:6" in err


def test_what_is_permitted_does_not_fail(run_cli, folder: Path):
    """Of one component or of all; and of another component it does."""
    for permit, wanted in (("", 0), ("=app", 0), ("=other", 1)):
        code, _, _ = run_cli("catalog", "lint", folder, "--permit", f"dangling-reference{permit}")
        assert code == wanted


def test_severities(run_cli, folder: Path):
    """Notices are hidden and harmless until somebody asks for them."""
    (folder / "app.yaml").write_text(_BUILD_CONFIG.replace("release:base", "x/release:base"))
    (folder / "task.yaml").write_text(
        "apiVersion: tekton.dev/v1beta1\nkind: Task\nmetadata: {name: t}\nspec: {steps: []}\n"
    )
    code, out, err = run_cli("catalog", "lint", folder)
    assert (code, out) == (0, "1 definition: nothing is wrong\n")
    assert err == "1 issue less severe: see them with --severity notice\n"
    code, _, err = run_cli("catalog", "lint", folder, "--severity", "notice")
    assert code == 0
    assert "[old-api-version]" in err
    assert run_cli("catalog", "lint", folder, "--fail-on", "notice").code == 1


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_programs_get_it_all(run_cli, folder: Path, output: str):
    """The document has every issue as data, and what was looked at."""
    code, out, err = run_cli("catalog", "lint", folder, "-o", output)
    assert (code, err) == (1, "")
    printed = json.loads(out) if output == "json" else yaml.safe_load(out)
    issue = printed["issues"][0]
    assert (issue["code"], issue["component"], issue["line"]) == ("dangling-reference", "app", 6)
    assert printed == {
        "paths": [str(folder)],
        "definitions": 1,
        "dockerfiles": 0,
        "sound": False,
        "issues": [issue],
        "hidden": 0,
    }


def test_a_stream(run_cli, make_stream, monkeypatch):
    """The stream of the current folder, its explained stub and the Dockerfiles in folders."""
    stream = make_stream("source: {folder: ../app}\n")
    (stream / "app").mkdir()
    (stream / "app" / "Dockerfile").write_text("FROM base\n")
    monkeypatch.chdir(stream)
    assert run_cli("catalog", "lint") == (0, "1 definition, 1 Dockerfile: nothing is wrong\n", "")
    (stream / "app" / "Dockerfile").write_text(_PRIVATE)
    code, _, err = run_cli("catalog", "lint", stream / "stream.yaml")
    assert code == 1
    assert "[missing-alias]" in err
    assert f"{stream}/app/Dockerfile:1" in err


def test_permits_of_the_stream(run_cli, make_stream):
    """What the stream file accepts with its reason, is accepted here too."""
    permit = "permits: [{code: dangling-reference, component: app, reason: not yet}]\n"
    stream = make_stream("inlineDockerfile: FROM nobody\n", permit)
    code, _, err = run_cli("catalog", "lint", stream)
    assert code == 0
    assert "1 issue permitted" in err
    make_stream("inlineDockerfile: FROM nobody\n")
    assert run_cli("catalog", "lint", stream).code == 1


def test_nothing_there(run_cli, tmp_path: Path):
    """A path that is not there is wrong input."""
    code, _, err = run_cli("catalog", "lint", tmp_path / "absent")
    assert code == 2
    assert "there is no" in err


def _locked(stream: Path, source: GitSource) -> Path:
    sources = Sources(find_locations(), clock=SystemClock())
    commit = asyncio.run(sources.resolve(source))
    lock = stream / "stream.lock"
    write_lock(Lock(sources={"app": LockedSource(source, commit)}), lock)
    return lock


@pytest.mark.integration
def test_dockerfiles_of_sources(run_cli, make_stream, git_service):
    """They are read when that is asked for; of a lock, those that were kept are read by nobody."""
    url = git_service.make("app", "main", files={"Dockerfile": _PRIVATE})
    stream = make_stream(f"source: {{git: {url}, ref: main}}\n")
    lock = _locked(stream, GitSource(url=url, ref="main"))
    assert run_cli("catalog", "lint", stream).code == 0
    assert run_cli("catalog", "lint", stream, "--lock", lock).code == 0
    code, out, err = run_cli("catalog", "lint", stream, "--dockerfiles", "--lock", lock)
    assert code == 1
    assert out == "1 definition, 1 Dockerfile: something is wrong\n"
    assert f"Dockerfile of {url}@main:1" in err
    (git_service.root / "app").rename(git_service.root / "gone")
    code, out, _ = run_cli("catalog", "lint", stream, "--lock", lock)
    assert (code, out) == (1, "1 definition, 1 Dockerfile: something is wrong\n")


@pytest.mark.integration
def test_a_source_that_is_gone(run_cli, make_stream, git_service):
    """Everything else is checked; that one is told, and exit code 3 says to run it again."""
    stream = make_stream(f"source: {{git: {git_service.url('gone')}, ref: main}}\n")
    code, _, err = run_cli("catalog", "lint", stream, "--dockerfiles")
    assert code == 3
    assert "[source-unavailable]" in err
