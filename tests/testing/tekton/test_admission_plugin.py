# SPDX-License-Identifier: Apache-2.0
"""Tekton's webhooks in a simulated cluster, as a client meets them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from okd_payload.cluster.kinds import PIPELINE_RUN, TASK, TASK_RUN
from okd_payload.errors import Refused
from okd_payload.testing.kubernetes.memory_cluster import MemoryCluster
from okd_payload.testing.tekton.admission.plugin import add_tekton

_STEPS = [{"name": "s", "image": "quay.test/tool:1", "script": "true"}]


@pytest.fixture
def client():
    """A cluster with Tekton's webhooks and no controllers."""
    client = MemoryCluster()
    add_tekton(client.simulated)
    return client


def _task_run(**spec: Any) -> bytes:
    document = {
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": {"name": "x"},
        "spec": {"taskSpec": {"steps": _STEPS}, **spec},
    }
    return msgspec.json.encode(document)


def _end(client: MemoryCluster) -> None:
    condition = {"type": "Succeeded", "status": "True", "reason": "Succeeded"}
    client.simulated.set_status(TASK_RUN, "x", {"conditions": [condition]}, namespace="default")


async def test_defaults_are_written(client):
    """What comes back is what the webhook wrote."""
    made = msgspec.json.decode(await client.create(TASK_RUN, _task_run()))
    assert made["spec"]["timeout"] == "1h0m0s"
    assert made["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "tekton-pipelines"}


async def test_what_the_webhook_refuses_is_refused(client):
    """The text of the webhook reaches the client."""
    with pytest.raises(Refused, match=r"missing field\(s\): spec.taskSpec.steps"):
        await client.create(TASK_RUN, _task_run(taskSpec={"steps": []}))


@pytest.mark.parametrize("change", [b'{"spec":{"timeout":"10s"}}', b'{"spec":{"retries":3}}'])
async def test_a_started_run_changes_in_nothing_but_its_status(client, change):
    """As recorded: only ``status`` and ``statusMessage`` may change."""
    await client.create(TASK_RUN, _task_run())
    with pytest.raises(Refused, match="only status and statusMessage updates are allowed: spec"):
        await client.patch(TASK_RUN, "x", change)
    await client.patch(TASK_RUN, "x", b'{"metadata":{"labels":{"later":"label"}}}')
    await client.patch(TASK_RUN, "x", b'{"spec":{"status":"TaskRunCancelled"}}')


async def test_a_status_must_be_one_that_exists(client):
    """As recorded, word for word."""
    await client.create(TASK_RUN, _task_run())
    with pytest.raises(Refused, match="Bogus should be TaskRunCancelled or TaskRunPending"):
        await client.patch(TASK_RUN, "x", b'{"spec":{"status":"Bogus"}}')


async def test_a_run_that_is_done_does_not_change(client):
    """After the end nothing in the specification may change, labels may."""
    await client.create(TASK_RUN, _task_run())
    _end(client)
    with pytest.raises(Refused, match="Once the TaskRun is complete, no updates are allowed"):
        await client.patch(TASK_RUN, "x", b'{"spec":{"status":"TaskRunCancelled"}}')
    await client.patch(TASK_RUN, "x", b'{"metadata":{"labels":{"later":"label"}}}')


async def test_a_pipeline_run_can_be_stopped_and_no_more(client):
    """Only its status changes."""
    tasks = [{"name": "a", "taskSpec": {"steps": _STEPS}}]
    document = {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": "p"},
        "spec": {"pipelineSpec": {"tasks": tasks}},
    }
    await client.create(PIPELINE_RUN, msgspec.json.encode(document))
    await client.patch(PIPELINE_RUN, "p", b'{"spec":{"status":"CancelledRunFinally"}}')
    with pytest.raises(Refused, match="only status updates are allowed: spec"):
        await client.patch(PIPELINE_RUN, "p", b'{"spec":{"timeouts":{"pipeline":"5m"}}}')


async def test_a_task_may_change_as_it_likes(client):
    """Tasks are checked again, and not held to what they were."""
    document = {
        "apiVersion": "tekton.dev/v1",
        "kind": "Task",
        "metadata": {"name": "t"},
        "spec": {"steps": _STEPS},
    }
    await client.apply(TASK, msgspec.json.encode(document))
    document["spec"] = {"steps": [_STEPS[0] | {"script": "false"}]}
    changed = msgspec.json.decode(await client.apply(TASK, msgspec.json.encode(document)))
    assert changed["spec"]["steps"][0]["script"] == "false"
    document["spec"] = {"steps": []}
    with pytest.raises(Refused):
        await client.apply(TASK, msgspec.json.encode(document))
