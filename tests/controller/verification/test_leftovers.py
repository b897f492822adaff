# SPDX-License-Identifier: Apache-2.0
"""What runs left in a cluster is kept for a while, and then deleted with nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from rig import STREAM, Rig

from okd_payload.cluster import ObjectKind
from okd_payload.cluster.kinds import PIPELINE_RUN, POD
from okd_payload.controller.cluster_objects import RELEASE_LABEL
from okd_payload.controller.configuration.model import Runner as RunnerSettings
from okd_payload.controller.configuration.model import Verification
from okd_payload.controller.model import Release, RunState, VerificationRun
from okd_payload.controller.records import events, releases, runs
from okd_payload.controller.verification.cluster_runs import RUN_LABEL
from okd_payload.controller.verification.leftovers import (
    _MOST_AT_ONCE,
    _RETRY_SECONDS,
    _TRIED_SECONDS,
    KEPT_SECONDS,
    Leftovers,
    ObjectRemover,
    Write,
)
from okd_payload.errors import NoSuchObject, RecordsError
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.tekton.admission.plugin import add_tekton

RELEASE = "4.20.0-0.test-2026-01-02-030405"
USER = "system:serviceaccount:ci:controller"


class World:
    """A cluster with objects of runs, and whoever deletes them."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.client = MemoryCluster("ci", cluster=SimulatedCluster())
        add_tekton(self.client.simulated)
        self.start_anew()

    def start_anew(self, client: MemoryCluster | None = None, write: Write | None = None) -> None:
        """Another process takes over, with the rights of ``client``, and writes by ``write``."""
        known = client or self.client
        surroundings = msgspec.structs.replace(self.rig.surroundings, cluster=known)
        remover = ObjectRemover(surroundings)
        self.leftovers = Leftovers(surroundings, remover, write=write or self.rig.database.write)

    async def advance(self) -> float | None:
        """One pass."""
        return await self.leftovers.advance(self.rig.streams[STREAM])

    async def ran(
        self, name: str, runner: str = "container", *, ended: float | None = -KEPT_SECONDS
    ) -> str:
        """A run of the release, with its object; the name of both. It ended that long ago."""
        now, number = self.rig.clock.now(), f"{RELEASE}-{name}"
        run = VerificationRun(
            id=number,
            release=RELEASE,
            verification=name,
            state=RunState.RUNNING if ended is None else RunState.SUCCEEDED,
            runner=runner,
            queued=now,
            ended=None if ended is None else now + ended,
            handle=f"ci/{number}",
        )
        await self.rig.database.write(lambda unit: runs.write(unit, run, time=now))
        self.put(_kind(runner), number, mark=number)
        return number

    def put(self, kind: ObjectKind, name: str, *, mark: str = "", is_over: bool = True) -> None:
        """An object, with the label of the run ``mark``."""
        status = {"completionTime": "2026-01-02T03:04:05Z"} if is_over else {}
        labels = {RUN_LABEL: mark} if mark else {}
        document = {
            "apiVersion": kind.api_version,
            "kind": kind.kind,
            "metadata": {"labels": labels | {RELEASE_LABEL: RELEASE}},
            "status": status if kind is PIPELINE_RUN else {"phase": "Succeeded"},
        }
        self.client.add(kind, name, msgspec.json.encode(document))

    async def is_there(self, name: str, kind: ObjectKind = POD) -> bool:
        """Whether the cluster has it."""
        try:
            await self.client.get(kind, name)
        except NoSuchObject:
            return False
        return True


def _kind(runner: str) -> ObjectKind:
    return PIPELINE_RUN if runner == "tekton" else POD


@pytest.fixture
async def world(rig: Rig) -> World:
    """A release with nothing yet."""
    now = rig.clock.now()
    release = Release(name=RELEASE, stream=STREAM, created=now, changed=now, input_hash="")
    await rig.database.write(lambda unit: releases.create(unit, release, ()))
    return World(rig)


@pytest.mark.parametrize("runner", ["container", "tekton"])
async def test_objects_are_kept_for_an_hour_and_deleted(world: World, runner: str) -> None:
    """Those of runs that have ended; nobody is told of the run a second time."""
    over = await world.ran("over", runner, ended=0)
    going = await world.ran("going", runner, ended=None)
    told = await world.rig.database.read(events.last_number)
    assert await world.advance() == world.rig.clock.now() + KEPT_SECONDS
    assert await world.is_there(over, _kind(runner))
    world.rig.clock.advance(KEPT_SECONDS)
    assert await world.advance() is None
    assert not await world.is_there(over, _kind(runner))
    assert await world.is_there(going, _kind(runner))
    run = await world.rig.database.read(lambda unit: runs.find(unit, over))
    assert run is not None
    assert (run.state, run.handle) == (RunState.SUCCEEDED, "")
    assert await world.rig.database.read(events.last_number) == told


async def test_a_pipeline_that_tidies_up_is_waited_for(world: World) -> None:
    """It takes down what its tests made, also when its run was cancelled long ago."""
    name = await world.ran("e2e", "tekton")
    world.put(PIPELINE_RUN, name, mark=name, is_over=False)
    assert await world.advance() == world.rig.clock.now() + _RETRY_SECONDS
    assert await world.is_there(name, PIPELINE_RUN)
    world.put(PIPELINE_RUN, name, mark=name)
    world.rig.clock.advance(_RETRY_SECONDS)
    await world.advance()
    assert not await world.is_there(name, PIPELINE_RUN)


@pytest.mark.parametrize("mark", ["", "somebody-elses"])
async def test_objects_of_others_are_left(world: World, mark: str) -> None:
    """Whoever made one under the name of a pod that was deleted keeps it."""
    name = await world.ran("e2e")
    world.put(POD, name, mark=mark)
    assert await world.advance() is None
    assert await world.is_there(name)


async def test_prow_and_this_machine_keep_their_own(world: World) -> None:
    """Prow deletes its objects, and runs on this machine have none."""
    settings = RunnerSettings(kind="container", settings={"where": "machine"})
    world.rig.configure(verifications=(Verification(name="here", runner=settings),))
    names = [await world.ran("job", "prowjob"), await world.ran("here")]
    assert await world.advance() is None
    assert [await world.is_there(name) for name in names] == [True, True]


async def test_a_kill_after_the_deletion_costs_a_second_look(world: World) -> None:
    """What is gone is not missed."""
    name = await world.ran("e2e")

    async def killed(_unit: Any) -> None:
        raise RecordsError("this instance acts no more")

    world.start_anew(write=killed)
    with pytest.raises(RecordsError):
        await world.advance()
    assert not await world.is_there(name)
    world.start_anew()
    assert await world.advance() is None
    run = await world.rig.database.read(lambda unit: runs.find(unit, name))
    assert run is not None
    assert run.handle == ""


async def test_one_pass_deletes_only_so_many(world: World) -> None:
    """The next one comes at once, and what cannot be deleted holds nothing up."""
    stuck = [await world.ran(f"p{each}", "tekton", ended=-9000) for each in range(_MOST_AT_ONCE)]
    for name in stuck:
        world.put(PIPELINE_RUN, name, mark=name, is_over=False)
    name = await world.ran("e2e")
    assert await world.advance() == world.rig.clock.now()
    assert await world.is_there(name)
    assert await world.advance() == world.rig.clock.now() + _RETRY_SECONDS
    assert not await world.is_there(name)


async def test_a_missing_right_is_said_and_given_up_one_day(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Passes go on, and the object goes when the right is there."""
    name = await world.ran("e2e")
    world.start_anew(MemoryCluster("ci", cluster=world.client.simulated, user=USER))
    assert await world.advance() == world.rig.clock.now() + _RETRY_SECONDS
    assert f"the Pod ci/{name} is not deleted now: " in caplog.text
    world.client.simulated.access.grant(USER, ["get", "delete"], ["pods"], namespace="ci")
    world.rig.clock.advance(_RETRY_SECONDS)
    assert await world.advance() is None
    assert not await world.is_there(name)
    old = await world.ran("old", ended=-_TRIED_SECONDS - 1)
    assert await world.advance() is None
    assert await world.is_there(old)
