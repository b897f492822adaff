# SPDX-License-Identifier: Apache-2.0
"""Clusters that lack something: one clear message, and nothing left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from shipyard import Shipyard
from virtual_time import run_virtually

from okd_payload.cluster import ObjectKind
from okd_payload.cluster.kinds import EVENT, NODE, POD, TASK_RUN
from okd_payload.engines.pod.rights import TEKTON
from okd_payload.engines.tekton.preflight import check_cluster
from okd_payload.errors import ClusterError, NoSuchKind, NotPermitted
from okd_payload.progress import Delayed
from okd_payload.testing.kubernetes import JsonObject, MemoryCluster, Refusal, SimulatedCluster

OLD = ObjectKind("tekton.dev/v1beta1", "TaskRun", "taskruns")
ONE = {"base": "FROM scratch\nLABEL base=1\n"}


async def test_without_tekton():
    """A cluster that has no Tekton is told from one that cannot be reached."""
    with pytest.raises(NoSuchKind, match="there is no Tekton on this cluster"):
        await check_cluster(MemoryCluster(), namespace="builds", architecture="amd64")


async def test_with_an_old_tekton():
    """A Tekton from before v1 is named as what is to be updated."""
    simulated = SimulatedCluster()
    simulated.serve(OLD)
    with pytest.raises(NoSuchKind, match="Tekton is too old") as caught:
        await check_cluster(
            MemoryCluster(cluster=simulated), namespace="builds", architecture="amd64"
        )
    assert "0.44" in caught.value.hint


async def test_without_rights():
    """All rights that are missing are in one message."""
    simulated = SimulatedCluster()
    for kind in (TASK_RUN, POD, EVENT):
        simulated.serve(kind)
    cluster = MemoryCluster("builds", cluster=simulated, user="somebody")
    with pytest.raises(NotPermitted) as caught:
        await check_cluster(cluster, namespace="builds", architecture="amd64")
    message = caught.value.message
    assert message.startswith("rights are missing in namespace builds: create, get, list, watch")
    for right in TEKTON:
        assert right.resource in message


async def test_without_a_node_for_the_images():
    """A pod for a processor that no node has would wait for ever, so none is made."""
    simulated = SimulatedCluster()
    for kind in (TASK_RUN, POD, EVENT, NODE):
        simulated.serve(kind)
    labels = {"kubernetes.io/arch": "s390x"}
    simulated.create(NODE, {"metadata": {"name": "n", "labels": labels}})
    cluster = MemoryCluster("builds", cluster=simulated)
    with pytest.raises(ClusterError, match="no node of the cluster is for amd64") as caught:
        await check_cluster(cluster, namespace="builds", architecture="amd64")
    assert "--platform" in caught.value.hint
    await check_cluster(cluster, namespace="builds", architecture="s390x")


@pytest.mark.parametrize("refused", ["webhook", "quota"])
def test_a_cluster_that_takes_no_task_run(tmp_path: Path, refused: str):
    """Admission that says no stops the run; a quota is waited for, and told."""
    yard = Shipyard(tmp_path)
    yard.change(patience=msgspec.structs.replace(yard.settings.patience, quota=100.0))

    def refuse(document: JsonObject, request: Any) -> None:
        if request.resource.name != TASK_RUN.resource:
            return
        if refused == "webhook":
            raise Refusal(400, "BadRequest", 'admission webhook "policy" denied the request: no')
        raise Refusal(403, "Forbidden", 'taskruns "x" is forbidden: exceeded quota: few')

    yard.simulated.validating.append(refuse)

    async def work() -> Any:
        async with yard.cluster:
            return await yard.build(await yard.freeze(yard.catalog(ONE)))

    outcome = run_virtually(work())
    (failed,) = outcome.record.components
    if refused == "webhook":
        assert "refuses it: no" in failed.reason
    else:
        assert "exceeded quota" in failed.reason
        delays = [event for event in yard.events if isinstance(event, Delayed)]
        assert len(delays) == 7
    assert yard.task_runs == []


def test_room_in_the_quota_is_waited_for(tmp_path: Path):
    """A build begins when the quota has room again."""
    yard = Shipyard(tmp_path)
    full = [True]

    def refuse(document: JsonObject, request: Any) -> None:
        if request.resource.name == TASK_RUN.resource and full:
            full.pop()
            raise Refusal(403, "Forbidden", 'taskruns "x" is forbidden: exceeded quota: few')

    yard.simulated.validating.append(refuse)

    async def work() -> Any:
        async with yard.cluster:
            return await yard.build(await yard.freeze(yard.catalog(ONE)))

    outcome = run_virtually(work())
    assert outcome.is_complete
