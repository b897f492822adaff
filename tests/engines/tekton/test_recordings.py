# SPDX-License-Identifier: Apache-2.0
"""Real TaskRuns, recorded: what each of them means, and how the engine gets through them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from virtual_time import run_virtually

from okd_payload.cluster.kinds import EVENT, POD, TASK_RUN
from okd_payload.engines.pod.causes import Cause
from okd_payload.engines.pod.judging import judge
from okd_payload.engines.pod.object_watch import ObjectWatch
from okd_payload.engines.tekton.following import Followed, Follower
from okd_payload.engines.tekton.settings import Patience
from okd_payload.engines.tekton.task_run import decode_task_run, observe
from okd_payload.progress import Event, Noticed
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.tekton.recordings import Scenario, read_scenario
from okd_payload.testing.tekton.replay import Play

_RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "data" / "tekton-recordings"

ENDS = {
    "tr-buildah-push": Cause.SUCCEEDED,
    "tr-cancel": Cause.CANCELLED,
    "tr-cancel-at-creation": Cause.CANCELLED,
    "tr-command-missing": Cause.BUILD,
    "tr-command-not-found": Cause.BUILD,
    "tr-computeresources": Cause.SUCCEEDED,
    "tr-configmap-late": Cause.SUCCEEDED,
    "tr-delete-default": Cause.DELETED,
    "tr-delete-foreground": Cause.DELETED,
    "tr-delete-orphan": Cause.DELETED,
    "tr-docker-credentials": Cause.SUCCEEDED,
    "tr-env-secret-late": Cause.CONFIGURATION,
    "tr-env-secret-missing": Cause.CONFIGURATION,
    "tr-generate-name": Cause.SUCCEEDED,
    "tr-image-entrypoint-lookup": Cause.SUCCEEDED,
    "tr-image-entrypoint-lookup-fails": Cause.INVALID,
    "tr-image-invalid-name": Cause.IMAGE_ABSENT,
    "tr-image-invalid-name-no-command": Cause.INVALID,
    "tr-image-pull-failure": Cause.IMAGE_ABSENT,
    "tr-image-pull-policy-never": Cause.IMAGE_ABSENT,
    "tr-image-registry-unreachable": Cause.IMAGE_PULL,
    "tr-limitrange": Cause.SUCCEEDED,
    "tr-many-lines": Cause.SUCCEEDED,
    "tr-missing-serviceaccount": Cause.INVALID,
    "tr-missing-workspace": Cause.INVALID,
    "tr-onerror-continue": Cause.SUCCEEDED,
    "tr-oomkilled": Cause.OUT_OF_MEMORY,
    "tr-optional-workspace": Cause.SUCCEEDED,
    "tr-param-extra": Cause.SUCCEEDED,
    "tr-param-missing": Cause.INVALID,
    "tr-param-wrong-type": Cause.INVALID,
    "tr-pod-deleted": Cause.LOST,
    "tr-pod-deleted-default-grace": Cause.LOST,
    "tr-pod-deleted-retries": Cause.SUCCEEDED,
    "tr-pod-evicted-api": Cause.LOST,
    "tr-pod-evicted-by-kubelet": Cause.EVICTED,
    "tr-pod-force-deleted": Cause.SUCCEEDED,
    "tr-pod-template": Cause.SUCCEEDED,
    "tr-psa-restricted": Cause.REFUSED,
    "tr-quota-exceeded": Cause.SUCCEEDED,
    "tr-result-12k-limit": Cause.BUILD,
    "tr-result-3000-bytes": Cause.SUCCEEDED,
    "tr-result-missing": Cause.SUCCEEDED,
    "tr-result-newline": Cause.SUCCEEDED,
    "tr-result-object-missing-key": Cause.INVALID,
    "tr-result-too-big": Cause.BUILD,
    "tr-result-two-steps-too-big": Cause.BUILD,
    "tr-result-wrong-type": Cause.INVALID,
    "tr-retries-exhausted": Cause.BUILD,
    "tr-retries-then-success": Cause.SUCCEEDED,
    "tr-retries-timeout": Cause.TIMED_OUT,
    "tr-script-steps": Cause.SUCCEEDED,
    "tr-sidecar": Cause.SUCCEEDED,
    "tr-sidecar-fails": Cause.SUCCEEDED,
    "tr-spec-patch": Cause.SUCCEEDED,
    "tr-step-computeresources": Cause.SUCCEEDED,
    "tr-step-fails": Cause.BUILD,
    "tr-step-killed": Cause.LOST,
    "tr-step-timeout": Cause.TIMED_OUT,
    "tr-steptemplate": Cause.SUCCEEDED,
    "tr-success-results": Cause.SUCCEEDED,
    "tr-taskref": Cause.SUCCEEDED,
    "tr-taskref-missing": Cause.INVALID,
    "tr-timeout": Cause.TIMED_OUT,
    "tr-unnamed-steps": Cause.SUCCEEDED,
    "tr-unschedulable": Cause.NEVER_STARTED,
    "tr-workspace-configmap-secret": Cause.SUCCEEDED,
    "tr-workspace-emptydir": Cause.SUCCEEDED,
    "tr-workspace-pvc-missing": Cause.NEVER_STARTED,
    "tr-workspace-secret-missing": Cause.NEVER_STARTED,
    "tr-workspace-vct": Cause.SUCCEEDED,
}
"""How each recorded TaskRun ends, for an engine."""
REFUSED = {"tr-breakpoint"}
"""Recordings in which nothing was made."""
TOLD = {
    "tr-quota-exceeded": "the namespace's quota is used up",
    "tr-unschedulable": "no node has room for it",
    "tr-image-pull-policy-never": "its image is not there yet",
}
"""What is said once while it lasts."""


def scenario(name: str) -> Scenario:
    """The recording; the test is skipped where the recordings are not."""
    if not _RECORDINGS.is_dir():
        pytest.skip("the recordings of real runs are not here")
    return read_scenario(_RECORDINGS / name)


def test_every_recording_has_its_end():
    """No recorded TaskRun is left out of the table."""
    if not _RECORDINGS.is_dir():
        pytest.skip("the recordings of real runs are not here")
    assert {path.name for path in _RECORDINGS.glob("tr-*")} - REFUSED == set(ENDS)


@pytest.mark.parametrize("name", [name for name, end in ENDS.items() if end is not Cause.DELETED])
def test_only_the_last_state_is_final(name: str):
    """No state before the end is taken for it, and the end is judged by its cause."""
    recorded = scenario(name)
    states = [
        judge(observe(decode_task_run(msgspec.json.encode(change.document))))
        for change in recorded.changes
        if change.kind == TASK_RUN and change.name == recorded.run.name
    ]
    first = next(number for number, verdict in enumerate(states) if verdict.is_final)
    assert {verdict.cause for verdict in states[first:]} == {ENDS[name]}


async def _follow(recorded: Scenario, log: Path, told: list[Event]) -> Followed:
    simulated = SimulatedCluster()
    for kind in (TASK_RUN, POD, EVENT):
        simulated.serve(kind)
    cluster = MemoryCluster(recorded.name, cluster=simulated)
    document = {name: it for name, it in recorded.run.document.items() if name != "status"}
    run = simulated.put(TASK_RUN, document)
    watch = ObjectWatch(cluster, TASK_RUN, decode_task_run, selector="", namespace=recorded.name)
    follower = Follower(
        cluster, watch, namespace=recorded.name, patience=Patience(), progress=told.append
    )
    async with watch.opened():
        playing = asyncio.create_task(Play(simulated, recorded, run).run(pace=1.0))
        stream = follower.open_log(log)
        followed = await follower.follow(recorded.run.name, stream, subject=recorded.name)
        await stream.close()
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
    return followed


@pytest.mark.parametrize("name", ENDS)
def test_a_replay_is_followed_to_its_end(name: str, tmp_path: Path):
    """Played as it was, a TaskRun is followed to its end with every line of its steps."""
    recorded, told = scenario(name), []
    followed = run_virtually(_follow(recorded, tmp_path / "log", told))
    assert followed.verdict.cause is ENDS[name]
    kept = (tmp_path / "log").read_bytes() if (tmp_path / "log").exists() else b""
    pod = followed.task_run.status.pod_name if followed.task_run is not None else ""
    for (of_pod, container), text in recorded.logs.items():
        if of_pod == pod and container.startswith("step-"):
            assert text.replace(b"\n", b"") in kept.replace(b"\n", b"")
    notices = [event.message for event in told if isinstance(event, Noticed)]
    if name in TOLD:
        assert sum(TOLD[name] in notice for notice in notices) == 1
