# SPDX-License-Identifier: Apache-2.0
"""Trying a cluster out with a pod, which is gone afterwards however it went."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.cluster import kinds
from okd_payload.engines.pod.readiness.codes import REGISTRY_OUT_OF_REACH
from okd_payload.engines.pod.readiness.probe import probe_cluster
from okd_payload.engines.pod.readiness.probe_pod import make_probe_pod
from okd_payload.engines.pod.readiness.probe_report import (
    ProbeReport,
    decode_report,
    encode_report,
)
from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.testing.kubernetes import MemoryCluster

sys.path.insert(0, str(Path(__file__).parent))

from conftest import wish

REPORT = ProbeReport(version="1", driver="overlay", repository="quay.test/a")
LOST = REGISTRY_OUT_OF_REACH.issue("quay.test: certificate", hint="trust it")


def container(**state):
    """The state of a pod whose container is like this."""
    return {"containerStatuses": [{"name": "probe", "state": state}]}


def ended(message, code=0):
    """The state of a pod that ended."""
    state = container(terminated={"exitCode": code, "message": message, "reason": "Completed"})
    return {"phase": "Failed" if code else "Succeeded", **state}


@contextlib.asynccontextmanager
async def kubelet(simulated, *states):
    """Somebody who brings the pod through ``states``."""

    async def play():
        async for _, pod in simulated.changes(kinds.POD):
            if pod["metadata"]["name"] == "okd-payload-doctor-x":
                break
        for state in states:
            simulated.set_status(kinds.POD, "okd-payload-doctor-x", state, namespace="builds")
            await asyncio.sleep(0)

    playing = asyncio.create_task(play())
    yield
    playing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await playing


async def probe(cluster, simulated, *states, seconds=5.0, **options):
    """How it went, with nothing left behind."""
    async with kubelet(simulated, *states):
        found = await probe_cluster(
            cluster, wish(**options).pod, namespace="builds", seconds=seconds
        )
    assert simulated.objects(kinds.POD) == []
    return found


async def test_a_build_that_works(cluster, simulated):
    """What the pod found is told, and nothing is wrong."""
    states = [
        container(waiting={"reason": "ContainerCreating"}),
        ended(encode_report(REPORT).decode()),
    ]
    found = await probe(cluster, simulated, *states)
    assert found.report == REPORT
    assert found.issues == ()


async def test_a_registry_out_of_reach(cluster, simulated):
    """What the pod could not do is told in its words."""
    report = ProbeReport(version="1", driver="vfs", issues=(LOST,))
    found = await probe(cluster, simulated, ended(encode_report(report).decode(), code=1))
    assert found.issues == (LOST,)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (
            container(waiting={"reason": "ImagePullBackOff", "message": "no such"}),
            "cannot pull .*no such",
        ),
        (
            container(waiting={"reason": "CreateContainerConfigError", "message": 'secret "s"'}),
            "secret",
        ),
        (ended("Traceback", code=2), r"ended with code 2 \(Completed\): Traceback"),
        (ended("", code=137), "it said nothing"),
        ({"phase": "Failed", "reason": "Evicted", "message": "low on disk"}, "Evicted low on disk"),
    ],
)
async def test_pods_that_do_not_get_there(state, words, cluster, simulated):
    """What keeps the pod from its work is told at once, with the cluster's words."""
    found = await probe(cluster, simulated, {"phase": "Pending"} | state)
    assert [issue.code for issue in found.issues] == ["probe-failed"]
    assert re.search(words, found.issues[0].message)
    assert found.issues[0].hint


async def test_a_pod_that_finds_no_place(cluster, simulated):
    """After its time the last that is known of the pod is told."""
    unplaced = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}
    state = {"phase": "Pending", "conditions": [unplaced]}
    found = await probe(cluster, simulated, state, seconds=0.2)
    assert "0/3 nodes are available" in found.issues[0].message


async def test_a_pod_that_others_delete(cluster, simulated, wanted):
    """A pod that somebody deletes is no riddle."""

    async def meddle():
        async for _, pod in simulated.changes(kinds.POD):
            name = pod["metadata"]["name"]
            break
        simulated.delete(kinds.POD, name, namespace="builds")

    meddling = asyncio.create_task(meddle())
    found = await probe_cluster(cluster, wanted.pod, namespace="builds", seconds=5)
    await meddling
    assert "was deleted" in found.issues[0].message


async def test_an_interruption(cluster, simulated, wanted):
    """Whoever interrupts leaves no pod behind."""
    work = probe_cluster(cluster, wanted.pod, namespace="builds", seconds=60)
    probing = asyncio.create_task(work)
    async for _, _pod in simulated.changes(kinds.POD):
        break
    probing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probing
    assert simulated.objects(kinds.POD) == []


async def test_without_the_rights(simulated, wanted):
    """Who may not make pods is told so, and nothing is tried."""
    cluster = MemoryCluster("builds", cluster=simulated, user="jane")
    found = await probe_cluster(cluster, wanted.pod, namespace="builds", seconds=5)
    assert "the right to create, list, watch, delete pods" in found.issues[0].message


async def test_a_pod_that_is_refused(cluster, simulated):
    """What admission says to the pod is told, and it is looked for all the same."""
    simulated.add_namespace("builds-strict")
    pod = wish().pod
    await cluster.create(kinds.POD, pod.encode())
    found = await probe_cluster(cluster, pod, namespace="builds", seconds=5)
    assert "is there already" in found.issues[0].message or "exists" in found.issues[0].message


def test_the_pod():
    """The pod builds as builds do, ends by itself, has no token, and no secret in clear."""
    settings = ToolSettings(credentials="registry", plain_http=("quay.test",))
    pod = make_probe_pod("p", settings, repository="quay.test/a", service_account="b", seconds=9)
    written = json.loads(pod.encode())
    spec = written["spec"]
    assert spec["activeDeadlineSeconds"] == 9
    assert spec["restartPolicy"] == "Never"
    assert spec["automountServiceAccountToken"] is False
    assert spec["hostUsers"] is False
    assert spec["serviceAccountName"] == "b"
    (only,) = spec["containers"]
    assert only["command"] == ["okd-payload"]
    assert only["args"][:2] == ["step", "probe"]
    assert "--plain-http" in only["args"]
    assert only["resources"]["limits"]["memory"]
    assert written["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "okd-payload"
    assert {
        "name": "credentials",
        "secret": {
            "secretName": "registry",
            "items": [{"key": ".dockerconfigjson", "path": "config.json"}],
        },
    } in spec["volumes"]


@given(st.lists(st.text(max_size=2000), max_size=9))
def test_reports_fit_into_the_state_of_a_pod(messages):
    """However much went wrong, the report is short enough, and reads back."""
    issues = tuple(REGISTRY_OUT_OF_REACH.issue(message, hint=message) for message in messages)
    content = encode_report(ProbeReport(version="1", issues=issues))
    assert len(content) <= 4096
    read = decode_report(content.decode())
    assert read is not None
    assert len(read.issues) <= len(issues)


@given(st.text())
def test_other_messages_are_no_reports(text):
    """What is no report is none."""
    assert decode_report(text) is None
