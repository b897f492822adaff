# SPDX-License-Identifier: Apache-2.0
"""The quickstart stream built by real steps in the tool's image, and by this machine's buildah."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from real_program import Program, digests_of
from tool_image import ToolImage

from okd_payload.cluster.kinds import PIPELINE, PIPELINE_RUN, SECRET, TASK
from okd_payload.testing.task_runner.local_cluster import LocalCluster

pytestmark = [pytest.mark.debian, pytest.mark.integration, pytest.mark.slow]
_KINDS = {"Task": TASK, "Pipeline": PIPELINE, "PipelineRun": PIPELINE_RUN}


async def run(program: Program, *words: str | Path) -> dict[str, Any]:
    """What the program prints as JSON, while the cluster goes on."""
    process = await asyncio.create_subprocess_exec(
        *program.command(*words, "-o", "json"),
        env=program.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return json.loads(out)


async def test_the_rendered_pipeline_makes_the_payload_of_this_machine(
    tool: ToolImage, cluster: LocalCluster, stream: Path, program: Program, tmp_path: Path
) -> None:
    """Tasks and Pipeline as they are rendered, every step for real: equal to the digest."""
    here = program.build(stream)
    snapshot = program.run("step", "snapshot", stream).out.strip()
    out = tmp_path / "rendered"
    rendered = program.run("render", "tekton", stream, "--to", out, "--image", tool.pull_spec)
    assert rendered.code == 0, rendered.err
    cluster.add_account("okd-payload-builder")
    cluster.create(
        SECRET,
        {
            "metadata": {"name": "registry-credentials"},
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": "e30="},
        },
    )
    files = [*sorted((out / "base" / "tasks").iterdir())]
    files += [out / "overlays" / "quickstart" / "pipeline.yaml", out / "runs" / "quickstart.yaml"]
    for file in files:
        document = yaml.safe_load(file.read_text())
        if document["kind"] == "PipelineRun":
            document["metadata"] = {"name": "one"}
            document["spec"]["params"] = [{"name": "snapshot", "value": snapshot}]
        cluster.create(_KINDS[document["kind"]], document)
    async with asyncio.timeout(150):
        ended = await cluster.finish(PIPELINE_RUN, "one")
    (condition,) = ended["status"]["conditions"]
    assert (condition["status"], condition["reason"]) == ("True", "Succeeded"), cluster.logs
    results = {item["name"]: item["value"] for item in ended["status"]["results"]}
    assert results["release-digest"] == here["release"]["digest"]
    built = {item["name"]: item["digest"] for item in here["components"]}
    assert {name: results[name] for name in built if name in results} == {
        name: digest for name, digest in built.items() if name in results
    }
    assert set(built) - set(results) == {"network-tools"}  # a stub is another image's tag


@pytest.mark.parametrize("engine", ["tekton", "shipwright"])
async def test_an_engine_gives_the_payload_of_this_machine(
    engine: str,
    tool: ToolImage,
    cluster: LocalCluster,
    stream: Path,
    program: Program,
    docker_registry: str,
) -> None:
    """One pod for each component, as the engine asks for it; equal to the digest."""
    here = program.build(stream)
    there = await run(
        program,
        *("build", stream, "--engine", engine, "--kubeconfig", cluster.kubeconfig),
        *("--image", tool.pull_spec, "--jobs", "2"),
        *("--repository", f"{docker_registry}/{stream.parent.name.replace('_', '-')}/engine"),
    )
    assert digests_of(there) == digests_of(here)
    assert len(cluster.logs) == sum(item["action"] == "built" for item in there["components"])
