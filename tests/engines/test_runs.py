# SPDX-License-Identifier: Apache-2.0
"""Runs on a cluster: what is seen of them, ending them, clearing them away."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from okd_payload.cluster import ObjectKind
from okd_payload.cluster.kinds import OPENSHIFT_BUILD, SHIPWRIGHT_BUILD_RUN, TASK_RUN
from okd_payload.engines.pod import labels
from okd_payload.engines.runs.attaching import Attachment, exit_code
from okd_payload.engines.runs.ending import cancel_run, prune_runs
from okd_payload.engines.runs.members import Member, read_member
from okd_payload.engines.runs.overview import (
    RunState,
    find_run,
    list_runs,
    select_runs,
)
from okd_payload.engines.tekton.task_run import decode_task_run
from okd_payload.errors import ClusterUnavailable, InputError, NoSuchKind, UnknownName
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.kubernetes import MemoryCluster

RUNNING = ("Unknown", "Running")
GOOD = ("True", "Succeeded")
BAD = ("False", "StepFailed")


def document(
    name: str, *, run: str, role: str, condition: tuple[str, str], stream: str = "okd", **spec: Any
) -> dict[str, Any]:
    """A TaskRun in some state."""
    status, reason = condition
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": {
            "name": name,
            "uid": name,
            "namespace": "builds",
            "creationTimestamp": f"2026-01-01T00:00:{len(name):02}Z",
            "labels": labels.stream_labels(stream, role=role, run=run),
        },
        "spec": spec,
        "status": {"conditions": [{"type": "Succeeded", "status": status, "reason": reason}]},
    }


def read(*documents: dict[str, Any]) -> list[Member]:
    """The TaskRuns that these are."""
    return [read_member(TASK_RUN, json.dumps(each).encode()) for each in documents]


@pytest.fixture
def cluster() -> MemoryCluster:
    """A cluster with TaskRuns, and a detached run of one build that still runs."""
    made = MemoryCluster("builds")
    made.simulated.serve(TASK_RUN)
    for name, role in (("boss", labels.COORDINATOR_ROLE), ("etcd-1", labels.BUILD_ROLE)):
        made.simulated.put(TASK_RUN, document(name, run="one", role=role, condition=RUNNING))
    return made


@pytest.mark.parametrize(
    ("coordinator", "spec", "state"),
    [
        (RUNNING, {}, RunState.RUNNING),
        (GOOD, {}, RunState.SUCCEEDED),
        (BAD, {}, RunState.FAILED),
        (("False", "TaskRunCancelled"), {"status": "TaskRunCancelled"}, RunState.CANCELLED),
    ],
)
def test_a_detached_run_is_where_its_coordinator_is(coordinator, spec, state):
    """The coordinator says how it ended, and the builds are counted."""
    boss = document("boss", run="one", role=labels.COORDINATOR_ROLE, condition=coordinator, **spec)
    builds = [
        document(f"b-{number}", run="one", role=labels.BUILD_ROLE, condition=condition)
        for number, condition in enumerate([GOOD, GOOD, BAD])
    ]
    (run,) = select_runs(read(boss, *builds))
    told = run.describe()
    assert (told.state, told.detached) == (state, True)
    assert (told.building, told.built, told.failed) == (0, 2, 1)


def test_a_run_that_is_driven_elsewhere_has_no_coordinator():
    """While its builds run it runs; afterwards the cluster does not know how it ended."""
    build = document("etcd-1", run="one", role=labels.BUILD_ROLE, condition=RUNNING)
    (run,) = select_runs(read(build))
    assert run.describe().state is RunState.RUNNING
    build = document("etcd-1", run="one", role=labels.BUILD_ROLE, condition=GOOD)
    (run,) = select_runs(read(build))
    assert (run.describe().state, run.describe().detached) == (RunState.ENDED, False)


async def test_runs_are_listed_by_stream(cluster: MemoryCluster):
    """Only what is ours is a run, oldest first, and of one stream if that is asked for."""
    other = document(
        "other-stream-1", run="two", role=labels.BUILD_ROLE, condition=GOOD, stream="fcos"
    )
    foreign = document("foreign", run="three", role=labels.BUILD_ROLE, condition=GOOD)
    foreign["metadata"]["labels"][labels.MANAGED_BY] = "somebody"
    for each in (other, foreign):
        cluster.simulated.put(TASK_RUN, each)
    assert [run.run for run in await list_runs(cluster)] == ["one", "two"]
    assert [run.run for run in await list_runs(cluster, stream="fcos")] == ["two"]
    with pytest.raises(UnknownName, match="unknown run 'ones'") as caught:
        await find_run(cluster, "ones")
    assert "did you mean one?" in caught.value.hint


def other_run(kind: ObjectKind, name: str, status: dict[str, Any]) -> dict[str, Any]:
    """A build of another engine, of the run that is called like its kind."""
    marks = labels.stream_labels("okd", role=labels.BUILD_ROLE, run=kind.plural)
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": name, "namespace": "builds", "labels": marks},
        "spec": {"strategy": {"type": "Docker"}},
        "status": status,
    }


def condition_of(status: str, reason: str) -> dict[str, Any]:
    """The status of something that ends with a condition."""
    return {"conditions": [{"type": "Succeeded", "status": status, "reason": reason}]}


@pytest.mark.parametrize(
    ("kind", "going", "good", "bad"),
    [
        (
            SHIPWRIGHT_BUILD_RUN,
            condition_of(*RUNNING),
            condition_of(*GOOD),
            condition_of("False", "UndefinedVolume"),
        ),
        (OPENSHIFT_BUILD, {"phase": "Running"}, {"phase": "Complete"}, {"phase": "Failed"}),
    ],
    ids=["shipwright", "openshift"],
)
async def test_runs_of_every_engine_are_listed_ended_and_pruned(
    cluster: MemoryCluster, kind: ObjectKind, going: Any, good: Any, bad: Any
):
    """What an engine has of its own for one build counts as a TaskRun does."""
    cluster.simulated.serve(kind, status=kind is SHIPWRIGHT_BUILD_RUN)
    for name, status in (("a", going), ("b", good), ("c", bad)):
        cluster.simulated.put(kind, other_run(kind, name, status))
    run = await find_run(cluster, kind.plural)
    told = run.describe()
    assert (told.building, told.built, told.failed) == (1, 1, 1)
    assert (told.state, told.stream) == (RunState.RUNNING, "okd")
    with pytest.raises(ClusterUnavailable, match="something of it still runs"):
        await cancel_run(cluster, kind.plural, clock=ManualClock())
    run = await find_run(cluster, kind.plural)
    assert [it.name for it in run.members if it.is_ending] == ["a"]
    cluster.simulated.put(kind, other_run(kind, "a", bad))
    assert await prune_runs(cluster, [await find_run(cluster, kind.plural)]) == 3
    assert [it.run for it in await list_runs(cluster)] == ["one"]


async def test_a_cluster_without_any_engine_says_so():
    """Where nothing could be a run, that is told, and not that there is none."""
    with pytest.raises(NoSuchKind):
        await list_runs(MemoryCluster("builds"))


async def test_cancelling_reaches_what_is_made_meanwhile(cluster: MemoryCluster):
    """A child that the coordinator makes before it hears of its end is ended too."""
    late = document("late-1", run="one", role=labels.BUILD_ROLE, condition=RUNNING)
    clock = _Controller(cluster, late)
    assert await cancel_run(cluster, "one", clock=clock) == 3
    (run,) = await list_runs(cluster)
    assert run.is_over
    assert {it.name: it.is_ending for it in run.members} == dict.fromkeys(
        ("boss", "etcd-1", "late-1"), True
    )


async def test_a_controller_that_is_away_cancels_nothing(cluster: MemoryCluster):
    """What goes on nevertheless is told."""
    with pytest.raises(ClusterUnavailable, match="something of it still runs"):
        await cancel_run(cluster, "one", clock=ManualClock())


async def test_only_what_is_over_is_pruned(cluster: MemoryCluster):
    """A run that goes on is refused as a whole; one that is over goes as a whole."""
    running = await list_runs(cluster)
    with pytest.raises(InputError, match="run one is not over"):
        await prune_runs(cluster, running)
    await cancel_run(cluster, "one", clock=_Controller(cluster))
    assert await prune_runs(cluster, await list_runs(cluster)) == 2
    assert cluster.simulated.objects(TASK_RUN) == []


async def test_a_run_without_coordinator_cannot_be_attached_to(cluster: MemoryCluster, tmp_path):
    """Its progress is shown where it was started."""
    await cluster.delete(TASK_RUN, "boss")
    run = await find_run(cluster, "one")
    attachment = Attachment(cluster, run, namespace="builds", folder=tmp_path, show=lambda _: None)
    with pytest.raises(InputError, match="driven by a program elsewhere"):
        await attachment.follow()


async def test_a_log_that_cannot_be_kept_is_told_of(cluster: MemoryCluster, tmp_path):
    """The run is followed to its end all the same."""
    (tmp_path / "logs").write_text("a file")
    shown: asyncio.Queue[bytes] = asyncio.Queue()
    attachment = Attachment(
        cluster,
        await find_run(cluster, "one"),
        namespace="builds",
        folder=tmp_path / "logs",
        show=shown.put_nowait,
    )
    following = asyncio.create_task(attachment.follow())
    told = await asyncio.wait_for(shown.get(), 60)
    status = {"conditions": [{"type": "Succeeded", "status": "True", "reason": "Succeeded"}]}
    cluster.simulated.set_status(TASK_RUN, "boss", status, namespace="builds")
    assert await following == 0
    assert told.startswith(b"the log of etcd-1 is not kept: cannot replace ")


@pytest.mark.parametrize(
    ("condition", "steps", "code"),
    [
        (GOOD, [{"name": "coordinate", "terminated": {"exitCode": 0}}], 0),
        (BAD, [{"name": "coordinate", "terminated": {"exitCode": 3}}], 3),
        (("False", "PodCreationFailed"), [], 1),
    ],
)
def test_a_run_ends_with_the_exit_code_of_its_program(condition, steps, code):
    """Without a program that ran, it is 1."""
    boss = document("boss", run="one", role=labels.COORDINATOR_ROLE, condition=condition)
    boss["status"]["steps"] = steps
    assert exit_code(decode_task_run(json.dumps(boss).encode())) == code


class _Controller:
    """A clock; while it passes, what is cancelled ends, and one child is made late."""

    def __init__(self, cluster: MemoryCluster, late: dict[str, Any] | None = None) -> None:
        self._simulated = cluster.simulated
        self._late = late

    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0

    async def wait(self, seconds: float) -> None:
        if self._late is not None:
            self._simulated.put(TASK_RUN, self._late)
            self._late = None
        for each in self._simulated.objects(TASK_RUN):
            if each["spec"].get("status"):
                ended = {"type": "Succeeded", "status": "False", "reason": "TaskRunCancelled"}
                name = each["metadata"]["name"]
                status = {"conditions": [ended]}
                self._simulated.set_status(TASK_RUN, name, status, namespace="builds")
