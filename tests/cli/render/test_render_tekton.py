# SPDX-License-Identifier: Apache-2.0
"""``render tekton`` as users meet it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_stream import write_stream

Cli = Callable[..., Any]


def pipeline(folder: Path, name: str) -> dict[str, Any]:
    """The Pipeline of an overlay."""
    text = (folder / "overlays" / name / "pipeline.yaml").read_text()
    return yaml.safe_load(text)["spec"]


def after(spec: dict[str, Any]) -> dict[str, list[str]]:
    """What each task waits for."""
    return {task["name"]: task.get("runAfter", []) for task in spec["tasks"]}


def test_a_stream_is_written_and_its_own_overlay_kept(tmp_path: Path, run_cli: Cli) -> None:
    """What people changed stays, all else is written again."""
    write_stream(tmp_path / "stream")
    to = tmp_path / "out"
    source = ("--source", "https://git.test/me/streams@next", "--source-folder", "small")
    ended = run_cli("render", "tekton", tmp_path / "stream", "--to", to, *source)
    assert ended.code == 0, ended.err
    assert str(to / "overlays" / "small" / "pipeline.yaml") in ended.out.splitlines()
    spec = pipeline(to, "small")
    assert after(spec)["etcd"] == ["base"]
    assert after(spec)["base"] == ["root"]
    defaults = {each["name"]: each.get("default") for each in spec["params"]}
    assert defaults["stream-url"] == "https://git.test/me/streams"
    assert defaults["stream-revision"] == "next"
    assert defaults["content-repository"] == "registry.example.org/small/content"
    custom = to / "overlays" / "custom" / "kustomization.yaml"
    custom.write_text("mine\n")
    (to / "base" / "kustomization.yaml").write_text("changed\n")
    assert run_cli("render", "tekton", tmp_path / "stream", "--to", to).code == 0
    assert custom.read_text() == "mine\n"
    assert "resources:" in (to / "base" / "kustomization.yaml").read_text()


def test_tasks_find_the_credentials_for_git_that_are_named(tmp_path: Path, run_cli: Cli) -> None:
    """In their Secret, by git's own helper; without the option no Task names a Secret."""
    write_stream(tmp_path / "stream")
    for name, words in (("with", ("--git-credentials", "git-secret")), ("without", ())):
        to = tmp_path / name
        assert run_cli("render", "tekton", tmp_path / "stream", "--to", to, *words).code == 0
        for file in (to / "base/tasks").iterdir():
            spec = yaml.safe_load(file.read_text())["spec"]
            (step,) = spec["steps"]
            variables = {each["name"]: each["value"] for each in step["env"]}
            secrets = [each for each in spec["volumes"] if "secret" in each]
            if not words:
                assert secrets == []
                assert "GIT_CONFIG_COUNT" not in variables
                continue
            (secret,) = secrets
            assert secret["secret"]["secretName"] == "git-secret"
            mounts = {each["name"]: each["mountPath"] for each in step["volumeMounts"]}
            assert variables["GIT_CONFIG_KEY_0"] == "credential.helper"
            file_there = f"{mounts[secret['name']]}/.git-credentials"
            assert f"--file={file_there} " in variables["GIT_CONFIG_VALUE_0"]


def test_a_pipeline_is_rendered_from_a_snapshot(
    tmp_path: Path, run_cli: Cli, docker_registry: str
) -> None:
    """The graph is the same, and runs are refused when the stream has another one by then."""
    stream = write_stream(tmp_path / "stream")
    made = run_cli("step", "snapshot", stream, "--content", f"{docker_registry}/render/content")
    assert made.code == 0, made.err
    snapshot = made.out.strip()
    one, two = tmp_path / "one", tmp_path / "two"
    assert run_cli("render", "tekton", stream, "--to", one).code == 0
    assert run_cli("render", "tekton", "--snapshot", snapshot, "--to", two).code == 0
    assert after(pipeline(one, "small")) == after(pipeline(two, "small"))
    first = pipeline(one, "small")["tasks"][0]
    expected = next(each["value"] for each in first["params"] if each["name"] == "expect")
    words = ("step", "snapshot", "--given", snapshot, "--expect")
    assert run_cli(*words, expected).code == 0
    refused = run_cli(*words, "0123456789abcdef")
    assert refused.code == 2
    assert "rendered from another graph" in refused.err
    assert "render it again" in refused.err


def test_declared_edges_need_no_source(tmp_path: Path, run_cli: Cli) -> None:
    """Only definitions are read; what they do not say is told, and no graph is expected."""
    components = {
        "base": "inlineDockerfile: |\n  FROM root\n",
        "far": "source: {git: https://unreachable.invalid/far, ref: main}\nbase: base\n",
    }
    stream = write_stream(
        tmp_path / "stream",
        components=components,
        stream="name: far\ncatalog: [{components: components}]\nrelease: {base: base}\n"
        "imports: {root: {command: [./root.sh]}}\n",
    )
    to = tmp_path / "out"
    ended = run_cli("render", "tekton", stream, "--declared-edges", "--to", to)
    assert ended.code == 0, ended.err
    assert "[declared-edges]" in ended.err
    spec = pipeline(to, "far")
    assert after(spec)["far"] == ["base"]
    (expected,) = (each for each in spec["tasks"][0]["params"] if each["name"] == "expect")
    assert expected["value"] == ""


def test_variants_lie_beside_each_other(tmp_path: Path, run_cli: Cli) -> None:
    """Each is found by its name, in one of three places, and is told to `step snapshot`."""
    for place in ("scos/stream.yaml", "variants/fcos/stream.yaml", "next.yaml"):
        folder = write_stream(tmp_path / "all" / Path(place).parent)
        folder.rename(tmp_path / "all" / place)
    names = ("scos", "fcos", "next")
    options = [word for name in names for word in ("--variant", name)]
    ended = run_cli("render", "tekton", tmp_path / "all", "--to", tmp_path / "out", *options)
    assert ended.code == 0, ended.err
    for name in names:
        defaults = {
            each["name"]: each.get("default") for each in pipeline(tmp_path / "out", name)["params"]
        }
        assert defaults["variant"] == name
    unknown = run_cli(
        "render", "tekton", tmp_path / "all", "--to", tmp_path / "o", "--variant", "scoss"
    )
    assert unknown.code == 2
    assert "did you mean scos" in unknown.err


@pytest.mark.parametrize(
    "words",
    [
        ("--snapshot", "r.test/x@sha256:" + "0" * 64, "--variant", "a"),
        ("--lock", "l", "--declared-edges"),
        ("--source-folder", "small"),
    ],
)
def test_what_contradicts_is_refused(tmp_path: Path, run_cli: Cli, words: tuple[str, ...]) -> None:
    """And nothing is written."""
    (tmp_path / "l").write_text("version: 1\n")
    words = tuple(str(tmp_path / "l") if word == "l" else word for word in words)
    ended = run_cli("render", "tekton", "--to", tmp_path / "out", *words)
    assert ended.code == 2
    assert not (tmp_path / "out").exists()
