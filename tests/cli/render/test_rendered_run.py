# SPDX-License-Identifier: Apache-2.0
"""A rendered Pipeline carried out: every task's command as it is written, in the order it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_stream import COMPONENTS, write_stream

from okd_payload.cli.main import COMMANDS, main

pytestmark = pytest.mark.integration
_VARIABLE = re.compile(r"\$\(([a-z]+(?:\.[A-Za-z0-9_-]+)+)(\[\*\])?\)")
Values = Mapping[str, str | list[str]]


def put_in(text: str, values: Values) -> list[str]:
    """``text`` with its variables replaced, as Tekton does in arguments."""
    whole = _VARIABLE.fullmatch(text)
    if whole and whole[2]:
        found = values[whole[1]]
        assert isinstance(found, list)
        return found
    return [_VARIABLE.sub(lambda each: str(values[each[1]]), text)]


class Runner:
    """Runs the tasks of a rendered Pipeline one by one, each with nothing of the others."""

    def __init__(
        self, rendered: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, overlay: str
    ) -> None:
        self._tasks = {
            path.stem: yaml.safe_load(path.read_text())["spec"]
            for path in (rendered / "base" / "tasks").iterdir()
        }
        pipeline = rendered / "overlays" / overlay / "pipeline.yaml"
        self.spec = yaml.safe_load(pipeline.read_text())["spec"]
        self._folder = folder
        self._monkeypatch = monkeypatch
        self.codes: dict[str, int] = {}
        self.values: dict[str, str | list[str]] = {"context.pipelineRun.name": "one"}

    def run(self, **given: str | list[str]) -> None:
        """Carry out the Pipeline with these parameters, ``_`` for ``-``."""
        chosen = {name.replace("_", "-"): value for name, value in given.items()}
        for parameter in self.spec["params"]:
            name = parameter["name"]
            self.values[f"params.{name}"] = chosen.get(name, parameter.get("default", ""))
        waiting = list(self.spec["tasks"])
        while waiting:
            task = next(each for each in waiting if self._is_ready(each))
            waiting.remove(task)
            code = self._run(task)
            self.codes[task["name"]] = code
            self.values[f"tasks.{task['name']}.status"] = "Failed" if code else "Succeeded"
            if code and task.get("onError") != "continue":
                break
        for task in waiting:
            self.values[f"tasks.{task['name']}.status"] = "None"
        for task in self.spec["finally"]:
            self.codes[task["name"]] = self._run(task)

    def _is_ready(self, task: dict[str, Any]) -> bool:
        used = re.findall(r"\$\(tasks\.([a-z0-9-]+)\.results", yaml.safe_dump(task["params"]))
        return {*task.get("runAfter", []), *used} <= self.codes.keys()

    def _run(self, task: dict[str, Any]) -> int:
        spec = self._tasks[task["taskRef"]["name"]]
        place = self._folder / task["name"]
        (place / "results").mkdir(parents=True)
        values: dict[str, str | list[str]] = {}
        for parameter in spec["params"]:
            values[f"params.{parameter['name']}"] = parameter.get("default", "")
        for given in task["params"]:
            value = given["value"]
            values[f"params.{given['name']}"] = (
                [word for item in value for word in put_in(item, self.values)]
                if isinstance(value, list)
                else put_in(value, self.values)[0]
            )
        for workspace in spec["workspaces"]:
            values[f"workspaces.{workspace['name']}.path"] = ""
        for result in spec.get("results", []):
            values[f"results.{result['name']}.path"] = str(place / "results" / result["name"])
        (step,) = spec["steps"]
        for variable in step["env"]:
            value = put_in(variable["value"], values)[0].replace("/work", str(place))
            self._monkeypatch.setenv(variable["name"], value)
        (place / "home").mkdir()
        words = [word for text in step["args"] for word in put_in(text, values)]
        code = main(words, commands=COMMANDS)
        for path in (place / "results").iterdir():
            self.values[f"tasks.{task['name']}.results.{path.name}"] = path.read_text()
        return code


def test_the_pipeline_makes_the_release_of_a_build(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    docker_registry: str,
    run_cli: Callable[..., Any],
) -> None:
    """Rendered, carried out task by task, and equal to the digest to what `build` makes."""
    content, releases = f"{docker_registry}/run/content", f"{docker_registry}/run/release"
    stream = write_stream(tmp_path / "stream")
    text = stream.read_text().replace("registry.example.org/small/content", content)
    stream.write_text(text.replace("registry.example.org/small/release", releases))
    built = run_cli("build", stream)
    assert built.code == 0, built.err
    made = run_cli("step", "snapshot", stream)
    assert run_cli("render", "tekton", stream, "--to", tmp_path / "out").code == 0
    runner = Runner(tmp_path / "out", tmp_path / "pods", monkeypatch, "small")
    runner.run(snapshot=made.out.strip())
    assert set(runner.codes.values()) == {0}
    assert set(runner.codes) == {task["name"] for task in runner.spec["tasks"]} | {"report"}
    name, digest = built.out.split()
    results = {
        each["name"]: put_in(each["value"], runner.values) for each in runner.spec["results"]
    }
    assert results["release-name"] == [name]
    assert results["release-digest"] == [digest]
    assert results["release-pull-spec"] == [f"{releases}@{digest}"]
    assert results["etcd"][0].startswith("sha256:")


def test_one_failure_is_told_and_all_else_is_built(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    docker_registry: str,
    run_cli: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What stands on it ends at once, the release fails for what it lacks, the report has it."""
    broken = {
        "broken": "inlineDockerfile: |\n  FROM base\n  RUN exit 3\n",
        "above": "inlineDockerfile: |\n  FROM broken\n",
    }
    stream = write_stream(tmp_path / "stream", components={**COMPONENTS, **broken})
    made = run_cli("step", "snapshot", stream, "--content", f"{docker_registry}/bad/content")
    assert run_cli("render", "tekton", stream, "--to", tmp_path / "out").code == 0
    runner = Runner(tmp_path / "out", tmp_path / "pods", monkeypatch, "small")
    runner.run(snapshot=made.out.strip())
    failed = {name for name, code in runner.codes.items() if code}
    assert failed == {"broken", "above", "release"}
    assert "verify" not in runner.codes
    assert runner.codes["etcd"] == runner.codes["report"] == 0
    out = capsys.readouterr().out
    assert "failed broken: its task failed" in out
    assert "failed above: its task failed" in out
    assert "there is no release" in out
