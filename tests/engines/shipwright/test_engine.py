# SPDX-License-Identifier: Apache-2.0
"""Building with Shipwright: every image once, every end told, nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import random

import msgspec
import pytest

from okd_payload.build.records import Action
from okd_payload.cluster import kinds
from okd_payload.errors import (
    BuildError,
    ClusterError,
    ClusterUnavailable,
    NoSuchKind,
    NotPermitted,
    TransientBuildError,
)
from okd_payload.progress import Delayed
from okd_payload.testing.kubernetes import MemoryCluster, Refusal, SimulatedCluster
from okd_payload.testing.tekton.controllers.outcomes import (
    Fault,
    Outcome,
    StepOutcome,
    fails,
    runs_out_of_memory,
    suffers,
)


async def test_a_stream_is_built(world):
    """Every component becomes a BuildRun, is found under key and tag, and is cleared away."""
    catalog = world.stream(2)
    outcome = await world.build(catalog)
    assert outcome.is_complete
    assert sorted(world.started) == ["base", "c0", "c1"]
    assert world.content.manifests.tagged["c0"] == outcome.images["c0"].digest
    log = (outcome.folder / "logs" / "c0.log").read_text()
    assert "# BuildRun c0-" in log
    assert "built c0" in log
    assert await world.left() == []
    again = await world.build(catalog)
    assert {item.action for item in again.record.components} == {Action.REUSED}


async def test_keys_are_those_of_every_engine(world):
    """A stream half built by another engine is finished here, and the other way round."""
    catalog = world.stream(1)
    first = await world.run(catalog, only=["base"])
    outcome = await world.build(catalog)
    assert world.started == ["c0"]
    assert outcome.images["base"].digest == first.images["base"].digest
    await world.run(catalog)
    assert world.built == []


async def test_what_runs_says_what_it_is_for(world):
    """Labels, annotations, node, resources and time limit of a BuildRun."""
    catalog = world.stream(0)
    await world.build(catalog, keeps=True)
    (run,) = world.runs()
    labels, annotations = run["metadata"]["labels"], run["metadata"]["annotations"]
    assert labels["okd-payload.io/stream"] == "test"
    assert labels["app.kubernetes.io/managed-by"] == "okd-payload"
    assert annotations["okd-payload.io/component-name"] == "base"
    key = annotations["okd-payload.io/build-key"]
    assert run["metadata"]["name"] == f"base-{key[:12]}-1"
    build = run["spec"]["build"]["spec"]
    assert build["nodeSelector"] == {"kubernetes.io/arch": "amd64"}
    assert build["output"]["image"].endswith(f":build-{key}")
    assert build["strategy"]["stepResources"][0]["resources"]["limits"]["memory"] == "4Gi"
    assert build["timeout"] == "14400s"
    assert run["spec"]["retention"] == {"ttlAfterFailed": "24h", "ttlAfterSucceeded": "24h"}


@pytest.mark.parametrize(
    "outcome",
    [
        suffers(Fault.EVICTED, message="The node was low on resource: memory."),
        suffers(Fault.DELETED),
        runs_out_of_memory(),
    ],
    ids=["evicted", "deleted", "memory"],
)
async def test_a_failure_of_the_surroundings(world, outcome: Outcome):
    """What the surroundings did is tried again, with more memory where that was too little."""
    world.script["c0"].append(outcome)
    built = await world.build(world.stream(1), keeps=True)
    assert built.is_complete
    runs = [run for run in world.runs() if run["metadata"]["name"].startswith("c0-")]
    assert [run["metadata"]["name"][-2:] for run in runs] == ["-1", "-2"]
    resources = runs[1]["spec"]["build"]["spec"]["strategy"]["stepResources"][0]["resources"]
    enlarged = outcome.steps[0].out_of_memory
    assert resources["limits"]["memory"] == ("8192Mi" if enlarged else "4Gi")


async def test_a_broken_build_says_why(world):
    """The words of the pod are the words of the error, and nothing is tried again."""
    world.pods.fail("c0", BuildError("cannot build c0: RUN make failed", hint="mend it"))
    outcome = await world.build(world.stream(2))
    failed = next(item for item in outcome.record.components if item.action is Action.FAILED)
    assert failed.reason == "cannot build c0: RUN make failed\nmend it"
    assert world.started.count("c0") == 1
    assert await world.left() == []


async def test_a_passing_trouble_in_the_pod(world):
    """What the pod calls passing is tried again by whoever schedules."""
    world.pods.fail("c0", TransientBuildError("no route to host"))
    assert (await world.build(world.stream(1))).is_complete
    assert world.started.count("c0") == 2


async def test_a_step_that_dies_without_a_word(world):
    """A pod that fails and says nothing of why is a failed build, with its log."""
    world.script["c0"].append(fails(3, log="make: *** [all] Error 3\n"))
    outcome = await world.build(world.stream(1))
    failed = next(item for item in outcome.record.components if item.name == "c0")
    assert "the build failed" in failed.reason
    log = (outcome.folder / "logs" / "c0.log").read_text()
    assert "make: *** [all] Error 3" in log


async def test_an_absent_account_stops_the_run(world):
    """What every BuildRun would meet is told once, with what to do; the rest is not begun."""
    outcome = await world.build(world.stream(3), service_account="absent")
    failed = [item for item in outcome.record.components if item.action is Action.FAILED]
    assert len(failed) == 1
    assert "service account absent not found" in failed[0].reason
    assert "--service-account" in failed[0].hint
    assert await world.left() == []


async def test_what_a_cluster_lacks_is_told_once(world):
    """No Shipwright, no rights, no node for the images: one error each, and nothing was made."""
    node = {"metadata": {"name": "n", "labels": {"kubernetes.io/arch": "s390x"}}}
    world.simulated.create(kinds.NODE, node)
    for cluster, error, words in (
        (MemoryCluster("builds", cluster=SimulatedCluster()), NoSuchKind, "no Shipwright"),
        (
            MemoryCluster("builds", cluster=world.simulated, user="nobody"),
            NotPermitted,
            "rights are missing in namespace builds: create buildstrategies",
        ),
        (world.cluster, ClusterError, "no node of the cluster is for amd64: they are for s390x"),
    ):
        world.cluster = cluster
        with pytest.raises(error, match=words) as caught:
            async with world.new_engine().opened():
                pytest.fail("it must not open")
        assert caught.value.hint
    assert world.simulated.objects(kinds.BUILD_STRATEGY) == []


async def test_a_silent_controller(world):
    """A BuildRun about which nothing is said for long stops the run instead of waiting for ever."""
    world.controller.pause()
    patience = world.settings().patience
    async with asyncio.timeout(60):
        outcome = await world.build(
            world.stream(1), patience=type(patience)(silence=0.2, cancelled=0.2)
        )
    failed = next(item for item in outcome.record.components if item.action is Action.FAILED)
    assert "has not said anything" in failed.reason
    assert world.runs() == []


async def test_an_interrupt_cancels(world):
    """When the program is interrupted, what it began is cancelled and cleared away."""
    world.seconds = 5000
    frozen = await world.freeze(world.stream(1))
    async with world.new_engine().opened() as engine:
        running = asyncio.create_task(world.build_with(engine, frozen))
        await world.time.wait(60)
        assert world.started == ["base"]
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    assert await world.left() == []


async def _nothing(_name: str) -> None:
    """A killed program cancels nothing."""


@pytest.mark.parametrize("seed", range(8))
async def test_kills_at_random_moments(world, seed):
    """However often it is killed, every image is built once, with at most so many at a time."""
    chance = random.Random(seed)
    catalog = world.stream(12)
    for number in range(12):
        if chance.random() < 0.4:
            outcomes = [suffers(Fault.EVICTED), runs_out_of_memory(), suffers(Fault.FORCE_DELETED)]
            world.script[f"c{number}"].append(chance.choice(outcomes))
    frozen = await world.freeze(catalog)
    for _ in range(6):
        async with world.new_engine(jobs=3).opened() as engine:
            engine._cancel = _nothing
            killed = asyncio.create_task(world.build_with(engine, frozen, jobs=3))
            await world.time.wait(chance.uniform(0, 200))
            killed.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await killed
            engine._finished.clear()
    async with world.new_engine(jobs=3).opened() as engine:
        outcome = await world.build_with(engine, frozen, jobs=3)
    assert outcome.is_complete
    built = [step.component for step in world.pods.built]
    assert sorted(built) == sorted(["base", *(f"c{number}" for number in range(12))])
    assert world.most_running <= 3
    assert not [run for run in world.runs() if not run["status"].get("completionTime")]


async def test_a_creation_whose_answer_is_lost(world):
    """A BuildRun that was made without our hearing of it is met again by its name."""
    cluster = world.cluster

    class LosesAnswers:
        lost = False

        def __getattr__(self, name):
            return getattr(cluster, name)

        async def create(self, kind, content, **options):
            made = await cluster.create(kind, content, **options)
            if kind == kinds.SHIPWRIGHT_BUILD_RUN and not self.lost:
                LosesAnswers.lost = True
                raise ClusterUnavailable("the answer is lost")
            return made

    world.cluster = LosesAnswers()
    catalog = world.stream(0)
    first = await world.build(catalog)
    assert not first.is_complete
    second = await world.build(catalog)
    assert second.is_complete
    assert world.started == ["base"]


async def test_an_image_that_does_not_arrive(world):
    """A pod that pushed elsewhere is told by the repository, and by the option that names it."""
    results = {"shp-image-digest": "sha256:" + "0" * 64, "shp-image-size": "7"}
    elsewhere = Outcome(steps=(StepOutcome(results=results),))
    world.script["base"] += [elsewhere, elsewhere]
    outcome = await world.build(world.stream(0))
    (failed,) = outcome.record.components
    assert "its image is not in the repository (2 times)" in failed.reason
    assert world.content.name in failed.reason
    assert "--repository" in failed.hint


async def test_a_quota_is_waited_for_and_told(world):
    """Whoever waits for room in a quota hears of it each time, and of its end."""
    patience = msgspec.structs.replace(world.settings().patience, quota=100.0)

    def refuse(document, request):
        if request.resource.name == kinds.SHIPWRIGHT_BUILD_RUN.resource:
            raise Refusal(403, "Forbidden", 'buildruns "x" is forbidden: exceeded quota: few')

    world.simulated.validating.append(refuse)
    outcome = await world.build(world.stream(0), patience=patience)
    (failed,) = outcome.record.components
    assert "exceeded quota" in failed.reason
    delays = [event for event in world.events if isinstance(event, Delayed)]
    assert len(delays) == 7


async def test_sources_are_brought_when_the_cluster_can_build(world):
    """What pods find nowhere else is stored only when it is known that there will be pods."""
    brought = []

    async def bring() -> str:
        brought.append(world.cluster)
        return "quay.test/okd@sha256:" + "1" * 64

    able = world.cluster
    world.cluster = MemoryCluster("builds", cluster=SimulatedCluster())
    with pytest.raises(NoSuchKind):
        async with world.new_engine().opened(bring_sources=bring):
            pytest.fail("it must not open")
    assert brought == []
    world.cluster = able
    async with world.new_engine(keeps=True).opened(bring_sources=bring) as engine:
        await world.build_with(engine, await world.freeze(world.stream(0)))
    (run,) = world.runs()
    options = run["spec"]["build"]["spec"]["paramValues"][2]["values"]
    assert {"value": await bring()} in options
