# SPDX-License-Identifier: Apache-2.0
"""A controller that is killed between starting a run and noting it makes no second one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rig import STREAM, Rig
from sqlalchemy import Connection

from okd_payload.cluster.kinds import PIPELINE_RUN, POD
from okd_payload.controller.configuration.model import Runner, Verification
from okd_payload.controller.model import Phase, Release, RunState, VerificationRun
from okd_payload.controller.records import releases, runs
from okd_payload.controller.verification.runners import RunnerChoices, make_runners
from okd_payload.controller.verification.runners.github.runner import MARK_INPUT
from okd_payload.controller.verification.verifier import RunnerVerifier
from okd_payload.errors import RecordsUnavailable
from okd_payload.oci.web_requests import WebAnswer, WebRequest
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.memory_forge import MemoryForge
from okd_payload.testing.memory_web import MemoryWeb
from okd_payload.testing.prow import Prow
from okd_payload.testing.tekton.admission.plugin import add_tekton


class World:
    """Everything that runs can be made in, and controllers that die."""

    def __init__(self, rig: Rig, path: Path) -> None:
        self.rig = rig
        self.path = path
        simulated = SimulatedCluster()
        add_tekton(simulated)
        self.cluster = MemoryCluster("ci", cluster=simulated)
        self.prow = Prow(self.cluster)
        self.forge = MemoryForge("o/r", "w.yaml", token="t", mark=MARK_INPUT)
        self.lab: set[str] = set()
        """The runs that a server of others was told of."""
        rig.surroundings = msgspec.structs.replace(rig.surroundings, cluster=self.cluster)
        (path / "jobs").mkdir()
        (path / "jobs/jobs.yaml").write_text(
            "periodics:\n- name: e2e\n  cluster: build01\n  spec: {containers: [{name: x}]}\n"
        )

    def controller(self, *, dies: bool = False) -> RunnerVerifier:
        """A new process; one that dies does so before it notes that the run was started."""

        async def write(unit: Callable[[Connection], None]) -> None:
            if dies and await self.rig.database.read(lambda known: bool(_open(known))):
                raise RecordsUnavailable("killed here")
            await self.rig.database.write(unit)

        choices = RunnerChoices(web=MemoryWeb(self.answer), prow_jobs=self.path / "jobs")
        return RunnerVerifier(
            self.rig.surroundings, make_runners(self.rig.surroundings, choices), write=write
        )

    def answer(self, request: WebRequest) -> WebAnswer:
        """What the forge answers, or the server of others."""
        if not request.url.startswith("https://lab.test/"):
            return self.forge.answer(request)
        self.lab.add(msgspec.json.decode(request.body)["run"])
        return WebAnswer(status=202, body=b"{}")

    async def made(self, kind: str) -> int:
        """How many runs of the kind there have been."""
        if kind == "command":
            starts = self.path / "starts"
            return len(starts.read_text().splitlines()) if starts.exists() else 0
        if kind == "github":
            return len(self.forge.inputs)
        if kind == "webhook":
            return len(self.lab)
        if kind == "prowjob":
            return len(await self.prow.jobs())
        return len((await self.cluster.list(POD if kind == "container" else PIPELINE_RUN)).items)


def _open(unit: Connection) -> list[VerificationRun]:
    return runs.list_in(unit, (RunState.QUEUED,))


@pytest.mark.parametrize("kind", ["command", "container", "tekton", "prowjob", "github", "webhook"])
async def test_a_run_is_made_once_whatever_is_killed(
    rig: Rig,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    """Three controllers die one after the other; the fourth finds the run and follows it."""
    monkeypatch.setenv("TOKEN", "t")
    path = tmp_path_factory.mktemp("others")
    world = World(rig, path)
    settings: dict[str, dict[str, Any]] = {
        "container": {"settings": {"image": "quay.test/e2e:1"}},
        "webhook": {"settings": {"url": "https://lab.test/", "secretVariable": "TOKEN"}},
        "tekton": {"settings": {"pipeline": "verify"}},
        "prowjob": {"settings": {"job": "e2e"}},
        "command": {"arguments": ("/bin/sh", "-c", f"echo run >> {path}/starts")},
        "github": {
            "settings": {"repository": "o/r", "workflow": "w.yaml", "tokenVariable": "TOKEN"}
        },
    }
    verification = Verification(name="e2e", runner=Runner(kind=kind, **settings[kind]))
    configuration = rig.configure(verifications=(verification,))
    release = Release(
        name="r", stream=STREAM, phase=Phase.READY, created=1, changed=1, input_hash="h"
    )
    await rig.database.write(lambda unit: releases.create(unit, release, ()))
    for _ in range(3):
        with pytest.raises(RecordsUnavailable):
            await world.controller(dies=True).advance(configuration, release)
        rig.clock.advance(31)
    last = world.controller()
    for _ in range(400):
        await last.advance(configuration, release)
        (run,) = (await rig.database.read(lambda unit: runs.list_of(unit, ["r"])))["r"]
        if run.state is not RunState.QUEUED and await world.made(kind):
            break
        rig.clock.advance(1)
        await asyncio.sleep(0.01)
    assert run.state in (RunState.RUNNING, RunState.SUCCEEDED), run.message
    assert await world.made(kind) == 1
