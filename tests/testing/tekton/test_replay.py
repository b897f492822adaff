# SPDX-License-Identifier: Apache-2.0
"""Recordings played into the simulated cluster, seen by somebody who watches it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from okd_payload.cluster import Change, ObjectKind
from okd_payload.cluster.kinds import POD, SHIPWRIGHT_BUILD_RUN, TASK_RUN
from okd_payload.errors import InputError
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.kubernetes.memory_cluster import MemoryCluster
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster
from okd_payload.testing.tekton.recordings import Scenario, read_scenario
from okd_payload.testing.tekton.replay import Play, Replay

_RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "data" / "tekton-recordings"
_NOTHING_RUNS = {"pr-wide-190-spec-1500k", "pr-wide-190-spec-3400k", "tr-breakpoint"}
"""The creation was refused: nothing to play."""

_THEN = 1_735_689_600.0
"""When all recordings begin."""


def _scenario_names() -> list[str]:
    found = (path.parent.name for path in _RECORDINGS.glob("*/watch.jsonl"))
    return sorted(set(found) - _NOTHING_RUNS)


@pytest.fixture
def recordings():
    """The folder of recordings; a test that needs it is skipped where it is not."""
    if not _RECORDINGS.is_dir():
        pytest.skip("the recordings of real runs are not here")
    return _RECORDINGS


def _begin(scenario: Scenario, cluster: SimulatedCluster, **metadata: Any) -> dict[str, Any]:
    """Make the run that was recorded, under another name if ``metadata`` says so."""
    document = {name: it for name, it in scenario.run.document.items() if name != "status"}
    document["metadata"] = {**document["metadata"], **metadata}
    return cluster.put(scenario.run.kind, document)


def _normal(document: dict[str, Any], uids: Mapping[str, str]) -> dict[str, Any]:
    """The object with the uids of this cluster, without its resource version."""
    text = msgspec.json.encode(document).decode()
    for old, new in uids.items():
        text = text.replace(old, new)
    plain: dict[str, Any] = msgspec.json.decode(text)
    plain["metadata"].pop("resourceVersion", None)
    return plain


async def _watch(
    cluster: MemoryCluster, kind: ObjectKind, seen: list[tuple[str, dict[str, Any]]]
) -> None:
    async for event in cluster.watch(kind):
        told = (event.change.value, msgspec.json.decode(event.content))
        seen.append(told)


@pytest.mark.parametrize("name", _scenario_names())
async def test_who_watches_sees_the_recorded_changes(name, recordings):
    """Each kind has the recorded changes in their order, to the last field, and their end."""
    scenario = read_scenario(recordings / name)
    cluster = SimulatedCluster(clock=ManualClock(_THEN))
    client = MemoryCluster(name, cluster=cluster)
    kinds = {it.kind for it in scenario.changes}
    for kind in kinds:
        cluster.serve(kind)
    seen: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    watchers = [asyncio.create_task(_watch(client, it, seen[it.kind])) for it in kinds]
    await asyncio.sleep(0)
    play = Play(cluster, scenario, _begin(scenario, cluster))
    await play.run()
    for _ in range(3):
        await asyncio.sleep(0)
    for watcher in watchers:
        watcher.cancel()
    await asyncio.gather(*watchers, return_exceptions=True)
    for kind in kinds:
        told = [(change, _normal(it, {})) for change, it in seen[kind.kind]]
        recorded = [
            (it.change.value, _normal(it.document, play.rewriting.uids))
            for it in scenario.changes
            if it.kind == kind
        ]
        for _, document in (*told, *recorded) if kind == SHIPWRIGHT_BUILD_RUN else ():
            document["spec"].pop("timeout", None)  # its controller writes 60s anew, as 1m0s
        assert told == recorded
    for final in _ends(recordings / name):
        kind = next(it for it in kinds if it.kind == final["kind"])
        found = cluster.find(kind, final["metadata"]["name"], namespace=name)
        assert found is not None
        assert found.get("status") == final.get("status")


def _ends(folder: Path) -> list[dict[str, Any]]:
    """What was there at the end of a recording."""
    files = sorted(folder.glob("final.*.json"))
    return [document for path in files for document in msgspec.json.decode(path.read_bytes())]


async def test_a_run_of_another_name_has_a_life_of_its_own(recordings):
    """Names, uids, the namespace, labels and times are those of the new run everywhere."""
    scenario = read_scenario(recordings / "tr-retries-then-success")
    cluster = SimulatedCluster(clock=ManualClock(_THEN + 86_400))
    metadata = {"name": "etcd-x1", "namespace": "default", "labels": {"component": "etcd"}}
    run = _begin(scenario, cluster, uid="0-0", creationTimestamp="x", **metadata)
    await Play(cluster, scenario, run).run()
    ended = cluster.find(TASK_RUN, "etcd-x1", namespace="default")
    pods = cluster.objects(POD, namespace="default")
    assert ended is not None
    assert ended["status"]["podName"] == "etcd-x1-pod-retry1"
    assert ended["status"]["retriesStatus"][0]["podName"] == "etcd-x1-pod"
    assert ended["status"]["startTime"].startswith("2025-01-02T")
    assert [it["metadata"]["name"] for it in pods] == ["etcd-x1-pod", "etcd-x1-pod-retry1"]
    for pod in pods:
        assert pod["metadata"]["labels"]["component"] == "etcd"
        assert pod["metadata"]["labels"]["tekton.dev/taskRun"] == "etcd-x1"
        assert pod["metadata"]["ownerReferences"][0]["uid"] == "0-0"
    everything = msgspec.json.encode([ended, *pods]).decode()
    for change in scenario.changes:
        assert change.document["metadata"]["uid"] not in everything
    assert "2025-01-01" not in everything


async def test_a_replay_waits_for_who_cancels(recordings):
    """With actions awaited the run goes on until somebody cancels it."""
    scenario = read_scenario(recordings / "tr-cancel")
    client = MemoryCluster()
    client.simulated.serve(TASK_RUN)
    client.simulated.controllers.append(Replay(lambda _: scenario, awaited=True))
    async with client:
        document = {"metadata": {"name": "slow"}, "spec": scenario.run.document["spec"]}
        content = msgspec.json.encode({"apiVersion": "tekton.dev/v1", "kind": "TaskRun"} | document)
        await client.create(TASK_RUN, content)
        reasons: list[str] = []
        async for event in client.watch(TASK_RUN):
            conditions = msgspec.json.decode(event.content).get("status", {}).get("conditions")
            reasons.append(conditions[0]["reason"] if conditions else "")
            if reasons[-1] == "Running" and "Running" not in reasons[:-1]:
                assert "TaskRunCancelled" not in reasons
                await client.patch(TASK_RUN, "slow", b'{"spec": {"status": "TaskRunCancelled"}}')
            if reasons[-1] == "TaskRunCancelled":
                break


async def test_containers_print_what_they_printed(recordings):
    """The log of a step is the recorded one."""
    scenario = read_scenario(recordings / "tr-step-fails")
    client = MemoryCluster("tr-step-fails")
    await Play(client.simulated, scenario, _begin(scenario, client.simulated)).run()
    log = [it async for it in client.follow_log("run-pod", "step-second")]
    assert b"".join(log) == b"about to fail\n"


async def test_a_run_that_is_deleted_leaves_nothing(recordings):
    """When somebody deletes the run, what the replay made for it goes too."""
    scenario = read_scenario(recordings / "tr-success-results")
    client = MemoryCluster("tr-success-results")
    play = asyncio.create_task(
        Play(client.simulated, scenario, _begin(scenario, client.simulated)).run()
    )
    async for change, _ in client.simulated.changes(POD):
        if change is Change.ADDED:
            break
    await client.delete(TASK_RUN, "run")
    await play
    assert client.simulated.objects(POD) == []


async def test_a_controller_leaves_alone_what_it_has_no_recording_for(recordings):
    """A run without a recording stays as it was made."""
    client = MemoryCluster()
    client.simulated.serve(TASK_RUN)
    client.simulated.controllers.append(Replay(lambda _: None))
    async with client:
        content = b'{"apiVersion":"tekton.dev/v1","kind":"TaskRun","metadata":{"name":"x"}}'
        made = await client.create(TASK_RUN, content)
        await asyncio.sleep(0)
        assert await client.get(TASK_RUN, "x") == made


def test_a_folder_without_a_recording_is_told(tmp_path):
    """Who names the wrong folder is told so."""
    with pytest.raises(InputError, match="holds no recording"):
        read_scenario(tmp_path)
