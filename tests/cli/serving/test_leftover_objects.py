# SPDX-License-Identifier: Apache-2.0
"""The whole controller deletes what runs left in a cluster, and a dry run only says so."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection

sys.path.insert(0, str(Path(__file__).parents[2] / "controller"))

from rig import STREAM, Rig

from okd_payload.cli.serving.assembly import ControllerOptions, make_controller
from okd_payload.cli.serving.hands import Hands
from okd_payload.cli.serving.previewing import PlannedStep, StepCollector, pass_once
from okd_payload.cli.serving.rehearsing import rehearse
from okd_payload.cluster.kinds import POD
from okd_payload.controller.model import Phase, Release, RunState, VerificationRun
from okd_payload.controller.records import releases, runs
from okd_payload.controller.records.copying import copy_records
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.cluster_runs import RUN_LABEL
from okd_payload.controller.verification.leftovers import KEPT_SECONDS
from okd_payload.locations import Locations
from okd_payload.progress import ignore_progress
from okd_payload.testing.kubernetes import MemoryCluster

RELEASE, POD_NAME = "4.20.0-0.test-2026-01-02-030405", "4.20.0-0.test-2026-01-02-030405-e2e"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """An accepted release whose one run has ended an hour ago, and left a pod."""
    rig = Rig(tmp_path)
    now, cluster = rig.clock.now(), MemoryCluster("ci")
    rig.surroundings = msgspec.structs.replace(rig.surroundings, cluster=cluster)
    pod = {"metadata": {"labels": {RUN_LABEL: POD_NAME}}, "status": {"phase": "Succeeded"}}
    cluster.add(POD, POD_NAME, msgspec.json.encode(pod))
    release = Release(name=RELEASE, stream=STREAM, created=now, changed=now, input_hash="")
    run = VerificationRun(
        id=POD_NAME,
        release=RELEASE,
        verification="e2e",
        state=RunState.SUCCEEDED,
        runner="container",
        queued=now,
        ended=now,
        handle=f"ci/{POD_NAME}",
    )

    def unit(connection: Connection) -> None:
        releases.create(connection, release, ())
        ready = releases.move(connection, release, Phase.READY, time=now)
        releases.move(connection, ready, Phase.ACCEPTED, time=now)
        runs.write(connection, run, time=now)

    await rig.database.write(unit)
    rig.clock.advance(KEPT_SECONDS)
    yield rig
    await rig.database.close()


async def one_pass(
    rig: Rig, surroundings: Surroundings, stand_in: Callable[[Hands], Hands]
) -> list[PlannedStep]:
    """What a pass of the whole controller tells."""
    collector = StepCollector(ignore_progress)
    services: Any = SimpleNamespace(
        locations=Locations(cache=rig.surroundings.state, state=rig.surroundings.state),
        clock=rig.clock,
    )
    told = msgspec.structs.replace(surroundings, progress=collector)
    options = ControllerOptions(streams=Path())
    controller = make_controller(told, services, options, stand_in=stand_in)
    await controller.service.leadership.renew()
    planned = await pass_once(controller.service, collector, STREAM)
    return [step for step in planned.steps if step.action == "clean up"]


async def test_a_pass_deletes_what_its_dry_run_names(rig: Rig) -> None:
    """Both tell the same step; only the one in earnest takes it, and only once."""
    cluster = rig.surroundings.cluster
    assert cluster is not None
    reason = f"the Pod ci/{POD_NAME} of a run that has ended"
    expected = [PlannedStep(action="clean up", subject=RELEASE, reason=reason)]
    copy = await copy_records(rig.database)
    rehearsed, stand_in = rehearse(msgspec.structs.replace(rig.surroundings, database=copy))
    assert await one_pass(rig, rehearsed, stand_in) == expected
    await copy.close()
    assert len((await cluster.list(POD)).items) == 1
    assert await one_pass(rig, rig.surroundings, lambda hands: hands) == expected
    assert (await cluster.list(POD)).items == ()
    assert await one_pass(rig, rig.surroundings, lambda hands: hands) == []
