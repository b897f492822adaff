# SPDX-License-Identifier: Apache-2.0
"""A dry run tells the very actions that the pass after it takes, whatever happened before."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "controller"))

from rig import INPUT, RELEASES, STREAM, Rig

from okd_payload.cli.serving.assembly import Controller, ControllerOptions, make_controller
from okd_payload.cli.serving.hands import Hands
from okd_payload.cli.serving.previewing import PlannedPass, StepCollector, pass_once
from okd_payload.cli.serving.rehearsing import RehearsedPlaces, rehearse
from okd_payload.controller import actions
from okd_payload.controller.configuration.model import (
    Gate,
    Input,
    PublishAction,
    Retention,
    Runner,
    Schedule,
    StreamKind,
    UpgradeOrigin,
    Verification,
)
from okd_payload.controller.creation.makers import ProcessMaker
from okd_payload.controller.model import Phase, RunState
from okd_payload.controller.records import releases
from okd_payload.controller.records.copying import copy_records
from okd_payload.controller.schedules.builder import BuildProgress
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.errors import NotFound, OkdPayloadError, RegistryUnavailable, StorageError
from okd_payload.locations import Locations
from okd_payload.oci.location import parse_location
from okd_payload.progress import ignore_progress
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.small_stream import push_small_stream

STABLE, STABLE_RELEASES, SHARED = "4-stable", "quay.test/okd/stable", "quay.test/okd/shared"
HOUR = 3600.0


class TwinRunner:
    """Every third run fails, when it is looked at for the second time; a late one hangs."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.looks: dict[str, int] = {}

    async def start(self, context: RunContext) -> RunUpdate:
        """Begun."""
        del context
        return RunUpdate(state=RunState.RUNNING)

    async def poll(self, context: RunContext) -> RunUpdate:
        """Goes on, then ends."""
        run = context.run.id
        self.looks[run] = self.looks.get(run, 0) + 1
        began = context.run.started or context.run.queued
        is_late = self._clock.now() > began + context.verification.timeout
        if self.looks[run] < 2 or is_late:
            return RunUpdate(state=RunState.RUNNING)
        failed = len(self.looks) % 3 == 0
        return RunUpdate(state=RunState.FAILED if failed else RunState.SUCCEEDED)

    async def cancel(self, context: RunContext) -> None:
        """Ended."""


class TwinBuilder:
    """Every build has ended when it is looked at again."""

    def __init__(self) -> None:
        self.begun: set[str] = set()

    async def advance(self, stream_file: str, identity: str) -> BuildProgress:
        """Begin, or end."""
        del stream_file
        ended = identity in self.begun
        self.begun.add(identity)
        return BuildProgress(ended=ended, succeeded=True)


@pytest.fixture
async def rig(tmp_path: Path):
    """Repositories in memory."""
    made = Rig(tmp_path)
    yield made
    await made.database.close()


class World:
    """Two streams over repositories in memory, and a controller that acts in earnest."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig(folder / "controller")
        self._configure()
        self.collector = StepCollector(ignore_progress)
        surroundings = msgspec.structs.replace(self.rig.surroundings, progress=self.collector)
        self.services: Any = SimpleNamespace(
            locations=Locations(cache=folder / "cache", state=folder), clock=self.rig.clock
        )
        self.surroundings = surroundings

        def stand_in(hands: Hands) -> Hands:
            return msgspec.structs.replace(
                hands,
                maker=ProcessMaker(surroundings),
                runners={"manual": TwinRunner(self.rig.clock)},
                builder=TwinBuilder(),
            )

        self.controller = self._make(surroundings, stand_in)

    def _configure(self) -> None:
        def job(name: str, **fields: Any) -> Verification:
            return Verification(name=name, runner=Runner(kind="manual"), **fields)

        self.rig.configure(
            input=Input(repository=INPUT, mirror_from=SHARED),
            verifications=(
                job("e2e", max_retries=1, timeout=5 * HOUR),
                job("after", after=("e2e",)),
                job("informing", optional=True, upgrade=UpgradeOrigin(rule="Previous")),
            ),
            publications=(
                PublishAction(name="latest", kind="tag", targets=("latest",)),
                PublishAction(
                    name="soaked", kind="tag", targets=("soaked",), gate=Gate(soak=2 * HOUR)
                ),
                PublishAction(
                    name="approved", kind="tag", targets=("approved",), gate=Gate(approvals=1)
                ),
            ),
            supersede=True,
            retention=Retention(expires=3 * HOUR, keep_accepted=1, keep_rejected=1, grace=HOUR),
            schedules=(
                Schedule(name="nightly", kind="build", interval=3 * HOUR, stream_file="s.yaml"),
                Schedule(name="sprint", kind="promote", interval=4 * HOUR, promote_to=STABLE),
                Schedule(
                    name="again",
                    kind="verify",
                    interval=2 * HOUR,
                    verification=job("again", optional=True),
                ),
            ),
        )
        self.rig.configure(
            STABLE,
            kind=StreamKind.STABLE,
            input=Input(),
            releases=STABLE_RELEASES,
            releases_name=STABLE_RELEASES,
            rewrite=True,
        )

    def _make(self, surroundings: Any, stand_in: Callable[[Hands], Hands]) -> Controller:
        options = ControllerOptions(streams=Path())
        return make_controller(surroundings, self.services, options, stand_in=stand_in)

    async def preview(self) -> list[PlannedPass]:
        """What passes over both streams would do."""
        collector = StepCollector(ignore_progress)
        copy = await copy_records(self.rig.database)
        copied = msgspec.structs.replace(self.rig.surroundings, database=copy, progress=collector)
        surroundings, stand_in = rehearse(copied)
        controller = self._make(surroundings, stand_in)
        await controller.service.leadership.renew()
        planned = [await pass_once(controller.service, collector, name) for name in self.names]
        await copy.close()
        return planned

    async def sync(self) -> list[PlannedPass]:
        """What passes over both streams do."""
        service = self.controller.service
        await service.leadership.renew()
        return [await pass_once(service, self.collector, name) for name in self.names]

    @property
    def names(self) -> tuple[str, ...]:
        """Both streams."""
        return (STREAM, STABLE)

    def snapshot(self) -> dict[str, tuple[dict[str, str], list[str]]]:
        """All tags and blobs of all repositories."""
        return {
            name: (dict(each.manifests.tagged), sorted(each.blobs.contents))
            for name, each in self.rig.repositories.items()
            if each.blobs.contents  # asking for one makes one
        }

    async def newest(self, phase: Phase) -> str:
        """The newest release of the stream in that phase; empty where there is none."""
        found = await self.rig.database.read(
            lambda unit: releases.list_of(unit, STREAM, phases=[phase], limit=1)
        )
        return found[0].name if found else ""


Deed = Callable[[World], Awaitable[Any]]
_changes = itertools.count()


async def push_images(world: World) -> None:
    """The images change; those that are taken over from elsewhere change back."""
    await push_small_stream(world.rig.repository(INPUT), change=str(next(_changes)))


async def push_shared(world: World) -> None:
    """An image changes that is taken over from elsewhere."""
    await push_small_stream(world.rig.repository(SHARED), change=str(next(_changes)))


async def push_stable(world: World) -> None:
    """Somebody puts a release into the stable stream, under the next name."""
    name = await world.newest(Phase.ACCEPTED)
    if not name:
        return
    stable, origin = world.rig.repository(STABLE_RELEASES), world.rig.repository(RELEASES)
    stable.blobs.contents.update(origin.blobs.contents)
    manifest = await origin.manifests.get(name)
    for tag in ("4.20.0", "next"):
        if tag not in await stable.manifests.tags():
            await stable.manifests.put(manifest, tag=tag)
            return


def on_newest(phase: Phase, deed: Callable[..., Awaitable[Any]]) -> Deed:
    """Somebody does something to the newest release in a phase."""

    async def act(world: World) -> None:
        name = await world.newest(phase)
        if name:
            await deed(world.rig.surroundings, name, actor="ann", reason="because")

    return act


def on_stream(deed: Callable[..., Awaitable[Any]]) -> Deed:
    """Somebody does something to the stream."""
    return lambda world: deed(world.rig.surroundings, STREAM, actor="ann", reason="because")


def wait(seconds: float) -> Deed:
    """Time passes."""

    async def act(world: World) -> None:
        world.rig.clock.advance(seconds)

    return act


async def break_registry(world: World) -> None:
    """A registry goes away, or comes back."""
    if world.rig.errors:
        world.rig.errors.clear()
    else:
        world.rig.errors[INPUT] = RegistryUnavailable("down")


async def approve(world: World) -> None:
    """Somebody approves the newest accepted release."""
    name = await world.newest(Phase.ACCEPTED)
    if name:
        await actions.approve(world.rig.surroundings, name, actor="ann", team="quality", reason="")


async def nothing(world: World) -> None:
    """Another pass, and nothing else."""
    del world


DEEDS: dict[str, Deed] = {
    "images": push_images,
    "shared": push_shared,
    "stable": push_stable,
    "nothing": nothing,
    "a minute": wait(60),
    "an hour": wait(HOUR + 1),
    "six hours": wait(6 * HOUR),
    "reject": on_newest(Phase.READY, actions.reject),
    "accept": on_newest(Phase.READY, actions.accept),
    "keep": on_newest(Phase.ACCEPTED, actions.keep),
    "approve": approve,
    "retry": on_newest(Phase.REJECTED, actions.retry),
    "rebuild": on_stream(actions.rebuild),
    "pause": on_stream(actions.pause),
    "resume": on_stream(actions.resume),
    "registry": break_registry,
}


async def compare(folder: Path, deeds: list[str]) -> set[str]:
    """Each time after a deed, hold what is told against what is done; the actions that were."""
    world = World(folder)
    await push_images(world)
    seen: set[str] = set()
    for deed in deeds:
        try:
            await DEEDS[deed](world)
        except OkdPayloadError:
            continue  # what cannot be done to a release as it is, such as to accept it twice
        before = world.snapshot()
        planned = await world.preview()
        assert world.snapshot() == before
        done = await world.sync()
        assert planned == done, deed
        seen |= {step.action for each in done for step in each.steps}
    await world.rig.database.close()
    return seen


LONG_LIFE = [
    *("nothing",) * 8, "approve", "stable", "nothing", "nothing", "an hour", "shared", "nothing",
    *("nothing",) * 6, "an hour", "an hour", "nothing", "nothing", "shared", *("nothing",) * 3,
    "reject", "nothing", "rebuild", *("nothing",) * 6, "six hours", "nothing", "nothing", "shared",
    *("nothing",) * 7, "six hours", *("nothing",) * 3, "an hour", "an hour", "nothing", "nothing",
    "shared", *("nothing",) * 8, "six hours", *("nothing",) * 4, "an hour", *("nothing",) * 4,
    "stable", "nothing", "shared", "nothing", "nothing", "shared", *("nothing",) * 3,
]  # fmt: skip


async def test_whoever_writes_in_a_dry_run_is_refused(rig: Rig) -> None:
    """Contents are never stored; tags lead where they would, for this dry run alone."""
    await push_small_stream(rig.repository(INPUT))
    places = RehearsedPlaces(rig.open)
    opened = await places.open(parse_location(INPUT))
    assert await places.open(parse_location(f"{INPUT}:etcd")) is opened
    manifest = await opened.manifests.get("etcd")
    with pytest.raises(StorageError, match="dry run"):
        await opened.blobs.write(manifest.needs()[0], None)
    with pytest.raises(StorageError, match="dry run"):
        await opened.blobs.mount(manifest.needs()[0], rig.repository(INPUT))
    await opened.manifests.put(manifest, tag="new")
    await opened.manifests.untag("etcd")
    assert "new" in await opened.manifests.tags()
    assert "etcd" not in await opened.manifests.tags()
    with pytest.raises(NotFound):
        await opened.manifests.get("etcd")
    assert "etcd" in await rig.repository(INPUT).manifests.tags()
    assert "new" not in await rig.repository(INPUT).manifests.tags()


@pytest.mark.slow
async def test_a_dry_run_tells_what_a_pass_does_in_a_long_life(tmp_path: Path) -> None:
    """From the first image to what a deleted release left: every action there is."""
    seen = await compare(tmp_path, LONG_LIFE)
    assert seen == {
        *("mirror", "adopt", "rename", "begin", "make", "start run", "end run", "settle", "abort"),
        *("publish", "withdraw", "delete", "clean up", "promote"),
        *("begin build", "begin verify", "begin promote"),
    }


@pytest.mark.slow
@settings(max_examples=6)
@given(st.lists(st.sampled_from(sorted(DEEDS)), min_size=8, max_size=24))
def test_a_dry_run_tells_what_a_pass_does(tmp_path_factory, deeds: list[str]) -> None:
    """Whatever people, registries and time did before it."""
    asyncio.run(compare(tmp_path_factory.mktemp("world"), deeds))
