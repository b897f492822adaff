# SPDX-License-Identifier: Apache-2.0
"""Runs in a cluster that is away, refuses, or loses them: each says why, and comes to an end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from rig import STREAM, Rig

from okd_payload.cluster import ObjectKind
from okd_payload.cluster.kinds import PIPELINE_RUN, POD, PROW_JOB
from okd_payload.controller.configuration.model import Runner, StreamConfiguration, Verification
from okd_payload.controller.model import Phase, Release, RunState, VerificationRun
from okd_payload.controller.records import releases, runs
from okd_payload.controller.verification.judging import judge
from okd_payload.controller.verification.runners import RunnerChoices, make_runners
from okd_payload.controller.verification.runners.container.pod import CONTAINER
from okd_payload.controller.verification.verifier import RunnerVerifier
from okd_payload.errors import ClusterUnavailable
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.tekton.admission.plugin import add_tekton

OBJECTS = {"container": POD, "tekton": PIPELINE_RUN, "prowjob": PROW_JOB}
SETTINGS = {
    "container": {"image": "quay.test/e2e:1"},
    "tekton": {"pipeline": "verify"},
    "prowjob": {"job": "e2e"},
}
JOB = "periodics:\n- name: e2e\n  cluster: build01\n  spec: {containers: [{name: x}]}\n"
_TERMINATED = {"terminated": {"exitCode": 0, "reason": "Completed"}}
GOOD_ENDS: dict[str, dict[str, Any]] = {
    "container": {
        "phase": "Succeeded",
        "containerStatuses": [{"name": CONTAINER, "state": _TERMINATED}],
    },
    "tekton": {"conditions": [{"type": "Succeeded", "status": "True", "reason": "Succeeded"}]},
    "prowjob": {"state": "success"},
}
kinds = pytest.mark.parametrize("kind", list(OBJECTS))


class DistantCluster(MemoryCluster):
    """A cluster that may be away."""

    is_away = False

    async def get(self, kind: ObjectKind, name: str, *, namespace: str = "") -> bytes:
        """What it has, while it is there."""
        if self.is_away:
            raise ClusterUnavailable("the cluster is away")
        return await super().get(kind, name, namespace=namespace)


class Bench:
    """One verification of one release, by a runner of one kind."""

    def __init__(self, rig: Rig, kind: str, folder: Path, *, user: str = "") -> None:
        self.rig, self.kind = rig, OBJECTS[kind]
        self.good = GOOD_ENDS[kind]
        self.simulated = SimulatedCluster(clock=rig.clock)
        add_tekton(self.simulated)
        self.simulated.serve(PROW_JOB)
        self.whole = MemoryCluster("ci", cluster=self.simulated)
        self.cluster = DistantCluster("ci", cluster=self.simulated)
        if user:
            self.cluster = DistantCluster("ci", cluster=self.simulated, user=user)
        surroundings = msgspec.structs.replace(rig.surroundings, cluster=self.cluster)
        (folder / "jobs.yaml").write_text(JOB)
        runners = make_runners(surroundings, RunnerChoices(prow_jobs=folder))
        self.verifier = RunnerVerifier(surroundings, runners, write=rig.database.write)
        runner = Runner(kind=kind, settings=SETTINGS[kind])
        verification = Verification(name="e2e", runner=runner, timeout=3600.0, error_retries=1)
        self.configuration: StreamConfiguration = rig.configure(verifications=(verification,))
        self.release = Release(
            name="r",
            stream=STREAM,
            phase=Phase.READY,
            created=rig.clock.now(),
            changed=rig.clock.now(),
            input_hash="h",
        )

    async def advance(self) -> VerificationRun:
        """One pass, and the newest attempt after it."""
        await self.verifier.advance(self.configuration, self.release)
        return (await self.attempts())[-1]

    async def attempts(self) -> list[VerificationRun]:
        """All attempts so far."""
        return (await self.rig.database.read(lambda unit: runs.list_of(unit, ["r"])))["r"]

    async def begin(self) -> VerificationRun:
        """The release, and a first pass over it."""
        await self.rig.database.write(lambda unit: releases.create(unit, self.release, ()))
        return await self.advance()

    async def end_well(self, run: VerificationRun) -> None:
        """The object of ``run`` has ended."""
        name = run.handle.rpartition("/")[2]
        made = msgspec.json.decode(await self.whole.get(self.kind, name))
        made["status"] = self.good
        self.simulated.put(self.kind, made, namespace="ci")


@kinds
async def test_a_cluster_that_is_away_is_waited_for(rig: Rig, tmp_path: Path, kind: str) -> None:
    """It is told meanwhile; the run goes on there, and its end is found."""
    bench = Bench(rig, kind, tmp_path)
    run = await bench.begin()
    assert run.state is RunState.RUNNING
    bench.cluster.is_away = True
    for _ in range(3):
        rig.clock.advance(600)
        waiting = await bench.advance()
        assert (waiting.state, waiting.message) == (RunState.RUNNING, "the cluster is away")
    await bench.end_well(run)
    bench.cluster.is_away = False
    ended = await bench.advance()
    assert (ended.state, ended.message, ended.id) == (RunState.SUCCEEDED, "", run.id)


@kinds
async def test_a_missing_right_is_told_and_ends_with_the_time(
    rig: Rig, tmp_path: Path, kind: str
) -> None:
    """Each attempt has its time, for somebody may give the right; then the release is decided."""
    bench = Bench(rig, kind, tmp_path, user="system:serviceaccount:ci:nobody")
    run = await bench.begin()
    assert run.state is RunState.QUEUED
    assert "lacks the right to create" in run.message
    for _ in range(2):
        rig.clock.advance(3601)
        await bench.advance()
        await bench.advance()
    made = await bench.attempts()
    assert [each.state for each in made] == [RunState.ERROR] * 2
    verdict = judge(bench.configuration, made, since=bench.release.changed)
    assert verdict.phase is Phase.REJECTED
    assert verdict.message.startswith("e2e broke 2 times: it did not end within 1h: ")
    assert f"lacks the right to create {bench.kind.plural}" in verdict.message


@kinds
async def test_what_somebody_deletes_is_made_again_under_another_name(
    rig: Rig, tmp_path: Path, kind: str
) -> None:
    """It says nothing of the release; the first attempt says what became of it."""
    bench = Bench(rig, kind, tmp_path)
    run = await bench.begin()
    await bench.whole.delete(bench.kind, run.handle.rpartition("/")[2])
    await bench.advance()
    again = await bench.advance()
    first, second = await bench.attempts()
    assert (first.state, first.message) == (
        RunState.ERROR,
        f"{bench.kind.kind} {run.handle} was deleted",
    )
    assert (again.id, again.state) == (second.id, RunState.RUNNING)
    assert second.handle != first.handle
    await bench.end_well(second)
    assert (await bench.advance()).state is RunState.SUCCEEDED
