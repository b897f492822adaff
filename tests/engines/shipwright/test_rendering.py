# SPDX-License-Identifier: Apache-2.0
"""Rendered strategies and Builds: taken by the API, always the same, and meaning the plan."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from streams import AMD64

sys.path.insert(0, str(Path(__file__).parents[1] / "tekton" / "rendering"))

from rendered import STREAMS, VARIANTS, plan_stream

from okd_payload.build.plan import Plan
from okd_payload.build.source_build import decode_text, read_inputs, read_lists
from okd_payload.engines.pod.security import SecurityProfile
from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.engines.shipwright.rendering import RenderSettings, render_folder
from okd_payload.engines.shipwright.strategy import make_step_strategy
from okd_payload.errors import InputError
from okd_payload.testing.kubernetes import SimulatedCluster
from okd_payload.testing.kubernetes.validation import Judge
from okd_payload.testing.yardstick import attempt_below

REPOSITORY = "quay.test/okd/content"
TOOL = ToolSettings(profile=SecurityProfile.CAPABILITIES, credentials="registry-credentials")
SETTINGS = RenderSettings(repository=REPOSITORY, tool=TOOL, platform=AMD64)


@pytest.fixture(scope="module", params=STREAMS)
def plan(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The plan of each stream; of real variants only where their data is."""
    folder = tmp_path_factory.mktemp("planned")
    data = request.getfixturevalue("shared_data") if request.param in VARIANTS else folder
    return asyncio.run(plan_stream(request.param, data, folder))


def _documents(plan: Plan, settings: RenderSettings = SETTINGS) -> dict[str, list[dict[str, Any]]]:
    files = {file.path: file.text for file in render_folder(plan, settings)}
    return {
        path: list(yaml.load_all(text, Loader=yaml.CSafeLoader)) for path, text in files.items()
    }


def test_the_api_takes_every_object(plan: Plan, shared_data: Path) -> None:
    """Strategies, Builds and the example fit Shipwright's schemas, with no unknown field."""
    cluster = SimulatedCluster()
    cluster.install(shared_data / "crds" / "shipwright")
    judge = Judge(cluster)
    judged = 0
    for path, documents in _documents(plan).items():
        if path.endswith("kustomization.yaml"):
            continue
        for document in documents:
            document["metadata"].setdefault("name", "generated")
            document["metadata"].pop("generateName", None)
            assert judge.problems(document) == [], path
            judged += 1
    assert judged == len(plan.components) + 3


def test_the_same_plan_is_the_same_bytes_quickly(plan: Plan) -> None:
    """Rendering 189 components takes less than a second of the processor."""
    files = render_folder(plan, SETTINGS)
    for cost in attempt_below(1.0):
        with cost:
            again = render_folder(plan, SETTINGS)
        assert again == files


def test_every_file_counts(plan: Plan) -> None:
    """The kustomizations name every Build, and what they name is there."""
    documents = _documents(plan)
    (builds,) = documents["builds/kustomization.yaml"]
    assert [f"builds/{name}" for name in builds["resources"]] == [
        path for path in documents if path.startswith("builds/") and "kustomization" not in path
    ]
    assert documents["kustomization.yaml"][0]["resources"] == ["strategy", "builds"]


def test_a_build_means_what_the_plan_means(plan: Plan) -> None:
    """Every image that a Dockerfile needs is named, by a tag of the stream or pinned elsewhere."""
    nodes = {node.component.name: node for node in plan.components}
    documents = _documents(plan)
    for path, (build, *_) in documents.items():
        if not path.startswith("builds/") or build["kind"] != "Build":
            continue
        node = nodes[build["metadata"]["labels"]["okd-payload.io/component"]]
        spec = build["spec"]
        assert spec["output"]["image"] == f"{REPOSITORY}:{node.name}"
        values = {
            each["name"]: each.get("value", [it["value"] for it in each.get("values", [])])
            for each in spec.get("paramValues", [])
        }
        if spec["strategy"]["name"] == "okd-payload-component":
            assert values["component"] == node.component.name
            continue
        words = [word for name in ("images", "copies") for word in (name, *values.get(name, []))]
        lists = read_lists(words)
        inputs = read_inputs(lists["images"], lists["copies"])
        named = {item.image for item in inputs} | {values.get("base", "")} - {""}
        wanted = {
            f"{REPOSITORY}:{each.node}" if ":" not in each.node else plan.nodes[each.node].reference
            for each in node.dependencies
        }
        assert named - {""} == wanted, node.name
        if node.component.dockerfile is not None:
            assert decode_text(values["inline"]) == node.component.dockerfile


def test_no_user_namespaces() -> None:
    """Shipwright cannot ask for them, and says so instead of building with other rights."""
    with pytest.raises(InputError, match="user namespace") as caught:
        make_step_strategy(ToolSettings(profile=SecurityProfile.USER_NAMESPACE))
    assert "--pod-security capabilities" in caught.value.hint


def test_strategies_of_equal_settings_are_one() -> None:
    """The name of the engine's strategy is that of its content."""
    other = ToolSettings(profile=SecurityProfile.PRIVILEGED)
    assert make_step_strategy(TOOL) == make_step_strategy(TOOL)
    names = {make_step_strategy(each).metadata.name for each in (TOOL, other)}
    assert len(names) == 2
