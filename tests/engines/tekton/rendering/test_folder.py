# SPDX-License-Identifier: Apache-2.0
"""The rendered folder: the same bytes again, and what kubectl makes of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from okd_payload.build.plan import Plan
from okd_payload.engines.manifests import write_folder
from okd_payload.engines.tekton.rendering import RenderSettings, Variant, render_folder
from okd_payload.errors import InputError

Planned = Callable[[str], Plan]
EXAMPLES = Path(__file__).resolve().parents[4] / "examples"


def read_folder(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder``."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_stream_is_the_same_bytes(tmp_path: Path) -> None:
    """Whatever the order of hashes, the language and the current folder."""
    found = []
    for number, (seed, language) in enumerate([("1", "C"), ("77", "tr_TR.UTF-8")]):
        place = tmp_path / str(number)
        place.mkdir()
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "LC_ALL": language,
            "OKD_PAYLOAD_CACHE": str(tmp_path / "cache"),
            "OKD_PAYLOAD_STATE": str(tmp_path / "state"),
        }
        words = ["render", "tekton", str(EXAMPLES / "quickstart"), "--to", "out"]
        subprocess.run(
            [sys.executable, "-m", "okd_payload", *words],
            check=True,
            cwd=place,
            env=environment,
            capture_output=True,
        )
        found.append(read_folder(place / "out"))
    assert found[0] == found[1]
    assert "overlays/quickstart/pipeline.yaml" in found[0]


def test_variants_share_their_tasks(planned: Planned, tmp_path: Path) -> None:
    """Each has an overlay with its own Pipeline, on one base."""
    variants = [Variant(name=name, plan=planned(name)) for name in ("scos", "fcos")]
    write_folder(render_folder(variants, RenderSettings()), tmp_path)
    pipelines = {
        name: yaml.load(
            (tmp_path / "overlays" / name / "pipeline.yaml").read_bytes(), yaml.CSafeLoader
        )
        for name in ("scos", "fcos")
    }
    tasks = {path.stem for path in (tmp_path / "base" / "tasks").iterdir()}
    for name, pipeline in pipelines.items():
        assert pipeline["metadata"]["name"] == f"okd-payload-{name}"
        every = [*pipeline["spec"]["tasks"], *pipeline["spec"]["finally"]]
        assert {task["taskRef"]["name"] for task in every} <= tasks


@pytest.mark.integration
def test_kubectl_makes_every_overlay(planned: Planned, tmp_path: Path) -> None:
    """What it prints has the Tasks and the Pipeline; values of one's own take their place."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not on this machine")
    variants = [Variant(name=name, plan=planned(name)) for name in ("scos", "fcos")]
    write_folder(render_folder(variants, RenderSettings()), tmp_path)
    custom = tmp_path / "overlays" / "custom" / "kustomization.yaml"
    text = custom.read_text()
    assert '# content-repository\n        value: ""' in text
    custom.write_text(text.replace('value: ""', 'value: "quay.test/me/content"', 1))
    for overlay in ("scos", "fcos", "custom"):
        made = subprocess.run(
            [kubectl, "kustomize", tmp_path / "overlays" / overlay],
            check=True,
            capture_output=True,
        )
        documents = list(yaml.load_all(made.stdout, yaml.CSafeLoader))
        (pipeline,) = (each for each in documents if each["kind"] == "Pipeline")
        assert len([each for each in documents if each["kind"] == "Task"]) == 8
        defaults = {each["name"]: each.get("default") for each in pipeline["spec"]["params"]}
        assert defaults["content-repository"] == (
            "quay.test/me/content" if overlay == "custom" else ""
        )


def test_two_variants_of_one_name_are_refused(planned: Planned) -> None:
    """Neither would be found again."""
    variant = Variant(name="scos", plan=planned("scos"))
    with pytest.raises(InputError, match="two overlays would be called scos"):
        render_folder([variant, variant], RenderSettings())
