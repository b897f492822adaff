# SPDX-License-Identifier: Apache-2.0
"""The Role that we deploy is enough for whoever makes runs in a cluster, and deletes them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml
from rig import Rig
from runners_rig import MakeContext, noted

from okd_payload.cluster import ObjectKind
from okd_payload.cluster.kinds import PIPELINE_RUN, POD, ROLE, ROLE_BINDING, TASK_RUN
from okd_payload.controller.model import RunState
from okd_payload.controller.verification.leftovers import ObjectRemover
from okd_payload.controller.verification.runner import Runner
from okd_payload.controller.verification.runners.container import ContainerRunner
from okd_payload.controller.verification.runners.container.pod import CONTAINER
from okd_payload.controller.verification.runners.tekton import TektonRunner
from okd_payload.testing.kubernetes import MemoryCluster
from okd_payload.testing.tekton.admission.plugin import add_tekton

ROLES = (
    Path(__file__).resolve().parents[4] / "deployments/controller/verification-runs/run-maker.yaml"
)
NAME = "4.20.0-0.test-2026-01-02-030405-e2e"
LOG = "it ran\n"


@pytest.fixture
def cluster(rig: Rig) -> MemoryCluster:
    """A cluster with Tekton in which the controller has what its Role gives, and no more."""
    whole = MemoryCluster("ci")
    add_tekton(whole.simulated)
    role, binding = yaml.safe_load_all(ROLES.read_text())
    binding["subjects"][0]["namespace"] = "ci"
    whole.add(ROLE, role["metadata"]["name"], msgspec.json.encode(role))
    whole.add(ROLE_BINDING, binding["metadata"]["name"], msgspec.json.encode(binding))
    user = f"system:serviceaccount:ci:{binding['subjects'][0]['name']}"
    limited = MemoryCluster("ci", cluster=whole.simulated, user=user)
    rig.surroundings = msgspec.structs.replace(rig.surroundings, cluster=limited)
    return whole


async def end_pod(cluster: MemoryCluster) -> None:
    """The pod has printed something and ended."""
    pod = msgspec.json.decode(await cluster.get(POD, NAME))
    state = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    status = {"phase": "Succeeded", "containerStatuses": [{"name": CONTAINER, "state": state}]}
    cluster.simulated.put(POD, {**pod, "status": status}, namespace="ci")
    cluster.simulated.state.logs.append(pod, CONTAINER, LOG)


async def end_pipeline(cluster: MemoryCluster) -> None:
    """The one task of the PipelineRun has printed something, and both have ended."""
    over = [{"type": "Succeeded", "status": "True", "reason": "Succeeded"}]
    steps = [{"name": "run", "container": "step-run"}]
    child = {"apiVersion": "tekton.dev/v1", "kind": "TaskRun", "name": f"{NAME}-test"}
    task = {"status": {"conditions": over, "podName": f"{NAME}-pod", "steps": steps}}
    cluster.add(TASK_RUN, child["name"], msgspec.json.encode(task))
    state = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    status = {"phase": "Succeeded", "containerStatuses": [{"name": "step-run", "state": state}]}
    spec = {"containers": [{"name": "step-run", "image": "quay.test/e2e:1"}]}
    pod = {"spec": spec, "status": status}
    cluster.add(POD, f"{NAME}-pod", msgspec.json.encode(pod))
    stored = msgspec.json.decode(await cluster.get(POD, f"{NAME}-pod"))
    cluster.simulated.state.logs.append(stored, "step-run", LOG)
    made = msgspec.json.decode(await cluster.get(PIPELINE_RUN, NAME))
    ended = {"completionTime": "2026-01-02T03:04:05Z"}
    made["status"] = {"conditions": over, "childReferences": [child], **ended}
    cluster.simulated.put(PIPELINE_RUN, made, namespace="ci")


@pytest.mark.parametrize("kind", ["container", "tekton"])
async def test_the_role_that_we_deploy_is_enough(
    rig: Rig, cluster: MemoryCluster, make_context: MakeContext, kind: str
) -> None:
    """To make a run, find it again, keep its log, and delete what it left."""
    settings = {"image": "quay.test/e2e:1"} if kind == "container" else {"pipeline": "verify"}
    runner: Runner = (
        ContainerRunner(rig.surroundings) if kind == "container" else TektonRunner(rig.surroundings)
    )
    context = make_context(kind, settings=settings)
    context = noted(context, await runner.start(context))
    assert (await runner.start(context)).state is RunState.RUNNING
    await (end_pod(cluster) if kind == "container" else end_pipeline(cluster))
    update = await runner.poll(context)
    assert update.state is RunState.SUCCEEDED
    assert LOG in (context.folder / update.log).read_text()
    assert await ObjectRemover(rig.surroundings).remove(context.run)
    assert await names(cluster, POD if kind == "container" else PIPELINE_RUN) == []


@pytest.mark.parametrize("kind", ["container", "tekton"])
async def test_it_is_enough_to_end_a_run(
    rig: Rig, cluster: MemoryCluster, make_context: MakeContext, kind: str
) -> None:
    """A pod is deleted, a PipelineRun is cancelled and stays until its last task has run."""
    if kind == "container":
        context = make_context(kind, settings={"image": "quay.test/e2e:1"})
        near = ContainerRunner(rig.surroundings)
        await near.start(context)
        await near.cancel(context)
        assert await names(cluster, POD) == []
    else:
        context = make_context(kind, settings={"pipeline": "verify"})
        far = TektonRunner(rig.surroundings)
        context = noted(context, await far.start(context))
        await far.cancel(context)
        made = msgspec.json.decode(await cluster.get(PIPELINE_RUN, NAME))
        assert made["spec"]["status"] == "CancelledRunFinally"
        assert not await ObjectRemover(rig.surroundings).remove(context.run)
        assert await names(cluster, PIPELINE_RUN) == [NAME]


async def names(cluster: MemoryCluster, kind: ObjectKind) -> list[str]:
    """What the objects of a kind are called."""
    found = await cluster.list(kind)
    return [msgspec.json.decode(each)["metadata"]["name"] for each in found.items]
