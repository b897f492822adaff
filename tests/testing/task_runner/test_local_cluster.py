# SPDX-License-Identifier: Apache-2.0
"""Pipelines and BuildRuns are carried out by imitated controllers, in real steps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from okd_payload.cluster.kinds import (
    CLUSTER_BUILD_STRATEGY,
    PERSISTENT_VOLUME_CLAIM,
    PIPELINE_RUN,
    SHIPWRIGHT_BUILD,
    SHIPWRIGHT_BUILD_RUN,
)
from okd_payload.testing.task_runner.local_cluster import LocalCluster
from okd_payload.testing.task_runner.runner import TaskRunner

pytestmark = pytest.mark.integration
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
NEEDS_FIRST = "$(tasks.first.results.word)"


@pytest.fixture
async def cluster(runner: TaskRunner, tmp_path: Path) -> AsyncIterator[LocalCluster]:
    """A cluster whose only image is busybox."""
    async with LocalCluster(runner, folder=tmp_path / "cluster") as cluster:
        yield cluster


def task(name: str, script: str, **fields: Any) -> dict[str, Any]:
    """A task of a pipeline, of one step."""
    step = {"name": "s", "image": "busybox", "script": script}
    spec = {
        "steps": [step],
        "results": [{"name": "word"}],
        "params": [{"name": "given", "default": ""}],
        "workspaces": [{"name": "w", "optional": True}],
    }
    return {"name": name, "taskSpec": spec, **fields}


async def test_results_order_and_workspaces_of_a_pipeline(cluster: LocalCluster) -> None:
    """A result goes to the next task, a claim is shared, and finally runs last."""
    cluster.create(PERSISTENT_VOLUME_CLAIM, {"metadata": {"name": "shared"}, "spec": CLAIM})
    shared = [{"name": "w", "workspace": "shared"}]
    given = [{"name": "given", "value": NEEDS_FIRST}]
    write = "echo -n one >$(results.word.path); echo kept >$(workspaces.w.path)/f"
    read = "echo -n $(params.given)-$(cat $(workspaces.w.path)/f) >$(results.word.path)"
    spec = {
        "workspaces": [{"name": "shared"}],
        "tasks": [
            task("second", read, params=given, workspaces=shared),
            task("first", write, workspaces=shared),
            task("third", "true", runAfter=["second"]),
        ],
        "finally": [
            task(
                "last",
                "echo $(params.given)",
                params=[{"name": "given", "value": "$(tasks.third.status)"}],
            )
        ],
        "results": [{"name": "word", "value": "$(tasks.second.results.word)"}],
    }
    claim = {"name": "shared", "persistentVolumeClaim": {"claimName": "shared"}}
    run = {
        "metadata": {"name": "one"},
        "spec": {"pipelineSpec": spec, "workspaces": [claim]},
    }
    cluster.create(PIPELINE_RUN, {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", **run})
    async with asyncio.timeout(60):
        ended = await cluster.finish(PIPELINE_RUN, "one")
    (condition,) = ended["status"]["conditions"]
    assert (condition["status"], condition["reason"]) == ("True", "Succeeded")
    assert cluster.logs["one-last"] == "Succeeded\n"
    assert ended["status"]["results"] == [{"name": "word", "value": "one-kept"}]


async def test_the_steps_of_a_strategy_are_run(cluster: LocalCluster) -> None:
    """With Shipwright's own parameters, and the digest as the result of the BuildRun."""
    script = "echo -n sha256:$(params.shp-output-image) >$(results.shp-image-digest.path)"
    step = {"name": "s", "image": "busybox", "command": ["sh", "-c"], "args": [script]}
    cluster.simulated.create(
        CLUSTER_BUILD_STRATEGY,
        {
            "metadata": {"name": "own"},
            "spec": {"steps": [step]},
        },
    )
    build = {
        "strategy": {"name": "own", "kind": "ClusterBuildStrategy"},
        "output": {"image": "registry.test/a"},
    }
    cluster.create(SHIPWRIGHT_BUILD, {"metadata": {"name": "b"}, "spec": build})
    run = {"metadata": {"name": "r"}, "spec": {"build": {"name": "b"}}}
    cluster.create(SHIPWRIGHT_BUILD_RUN, run)
    async with asyncio.timeout(60):
        ended = await cluster.finish(SHIPWRIGHT_BUILD_RUN, "r")
    assert "output" in ended["status"], (ended["status"]["conditions"], cluster.logs)
    assert ended["status"]["output"]["digest"] == "sha256:registry.test/a", ended["status"]
