# SPDX-License-Identifier: Apache-2.0
"""Builds by TaskRuns, against a cluster in memory whose controller does as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mortal_cluster import MortalCluster
from pretend_tekton import Script
from shipyard import Shipyard
from virtual_time import run_virtually
from workshop import actions, digests, record

from okd_payload.build.images import StreamImages
from okd_payload.build.records import Action
from okd_payload.cluster import ObjectKind
from okd_payload.errors import BuildError, RegistryUnavailable

BASE = "FROM scratch\nLABEL base=1\n"
THREE = {
    "base": BASE,
    "etcd": "FROM base\nLABEL name=etcd\n",
    "console": "FROM base\nLABEL name=console\n",
}


@pytest.fixture
def yard(tmp_path: Path) -> Shipyard:
    """A cluster to build on."""
    return Shipyard(tmp_path)


def build(yard: Shipyard, dockerfiles: dict[str, str] = THREE, **options: Any) -> Any:
    """Build these components; the outcome."""

    async def work() -> Any:
        async with yard.cluster:
            frozen = await yard.freeze(yard.catalog(dockerfiles))
            return await yard.build(frozen, **options)

    return run_virtually(work())


def test_every_component_is_built_by_one_task_run(yard):
    """Images, keys and records are there, and TaskRuns and pods are gone afterwards."""
    outcome = build(yard)
    assert actions(outcome) == {"base": "built", "etcd": "built", "console": "built"}
    assert len(yard.tekton.made) == 3
    assert set(yard.tekton.built.values()) == {1}
    assert (yard.task_runs, yard.pods) == ([], [])
    assert record(outcome, "etcd").attempts == 1


def test_a_second_run_makes_no_task_run(yard):
    """What is built already is found by its key, as with every engine."""
    first = build(yard)
    made = list(yard.tekton.made)
    second = build(yard)
    assert yard.tekton.made == made
    assert set(actions(second).values()) == {"reused"}
    assert digests(first) == digests(second)


def test_logs_are_whole(yard):
    """What a container prints is in the log of its component, to the last line."""
    build(yard)
    name = next(name for name in yard.tekton.made if name.startswith("etcd-"))
    printed = yard.tekton.printed[name]
    assert [line for line in yard.log("etcd").splitlines() if line[0] != "#"] == printed
    assert len(printed) == 4


@pytest.mark.parametrize(
    ("scripts", "attempts"),
    [
        ([Script(end="PodEvicted", message="The node was low on resource: memory.")] * 3, 4),
        ([Script(end="killed")] * 2, 3),
        ([Script(end="TaskRunImagePullFailed", message="dial tcp: i/o timeout")] * 2, 3),
        ([Script(end="vanish")], 1),
        ([Script(end="succeed", seconds=9000.0)], 1),
    ],
)
def test_what_passes_is_tried_again(yard, scripts, attempts):
    """Evictions, lost nodes and pulls cost an attempt each, and nothing of the outcome."""
    yard.follow({"etcd": scripts})
    outcome = build(yard)
    assert actions(outcome)["etcd"] == "built"
    assert len([name for name in yard.tekton.made if name.startswith("etcd-")]) == attempts
    assert set(yard.tekton.built.values()) == {1}
    assert (yard.task_runs, yard.pods) == ([], [])


def test_out_of_memory_gets_twice_as_much(yard):
    """Each time a build runs out of memory the next attempt has twice the memory."""
    yard.follow({"etcd": [Script(end="StepOOM"), Script(end="StepOOM")]})
    seen: list[dict[str, Any]] = []
    inner = yard.tekton.script
    yard.tekton.script = lambda document: (seen.append(document), inner(document))[1]
    build(yard, {"base": BASE, "etcd": "FROM base\n"})
    limits = [
        it["spec"]["taskSpec"]["steps"][0]["computeResources"]["limits"]["memory"]
        for it in seen
        if it["metadata"]["name"].startswith("etcd-")
    ]
    assert limits == ["4Gi", "8192Mi", "16384Mi"]


def test_endless_evictions_end_at_last(yard):
    """What never gets better fails its component, and says how often it was tried."""
    yard.follow({"etcd": [Script(end="PodEvicted", message="low on memory")] * 50})
    outcome = build(yard)
    failed = record(outcome, "etcd")
    assert failed.action is Action.FAILED
    assert failed.reason == "etcd: its pod was evicted (6 times): low on memory"
    assert actions(outcome)["console"] == "built"
    assert yard.task_runs == []


def test_a_failing_build_fails_its_component_only(yard):
    """A Dockerfile that is broken is not tried again, and its error is that of the pod."""
    error = BuildError("cannot build etcd: RUN make failed", hint="read the log")
    yard.workshop.engine.fail("etcd", error)
    outcome = build(yard)
    failed = record(outcome, "etcd")
    assert (failed.reason, failed.hint) == ("cannot build etcd: RUN make failed", "read the log")
    assert actions(outcome)["console"] == "built"
    assert len(yard.tekton.made) == 3


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            Script(end="PodAdmissionFailed", message='violates PodSecurity "restricted:latest"'),
            'the cluster refused its pod: violates PodSecurity "restricted:latest"',
        ),
        (
            Script(end="PodCreationFailed", message='serviceaccounts "absent" not found'),
            'the cluster does not take it: serviceaccounts "absent" not found',
        ),
        (Script(end="CreateContainerConfigError"), "its container could not be made"),
        (
            Script(end="TaskRunImagePullFailed", message="manifest unknown: not found"),
            "its image cannot be had: manifest unknown: not found",
        ),
        (Script(end="silent"), "the controller does not answer"),
        (Script(end="unsaid"), "the controller does not answer"),
    ],
)
def test_what_no_build_can_succeed_with_stops_the_run(yard, script, said):
    """One clear message, no second attempt, and nothing is left on the cluster."""
    yard.change(jobs=4)
    yard.tekton.script = lambda _: script
    roots = {f"root-{number}": f"FROM scratch\nLABEL root={number}\n" for number in range(9)}
    outcome = build(yard, roots)
    failed = [item for item in outcome.record.components if item.action is Action.FAILED]
    assert said in failed[0].reason
    assert len(yard.tekton.made) <= 4
    assert (yard.task_runs, yard.pods) == ([], [])


def test_what_keeps_a_pod_from_starting_is_told_once(yard):
    """A pod that takes long is explained by its events, and waited for all the same."""
    warning = 'MountVolume.SetUp failed: secret "registry-credentials" not found'
    yard.follow({"base": [Script(waits=3000.0, warning=warning)]})
    outcome = build(yard)
    assert actions(outcome)["base"] == "built"
    assert yard.notices == [f"waits to start: FailedMount: {warning}"]


def test_registry_that_pods_cannot_reach_stops_the_run(yard):
    """A registry that is away is tried a few times, and then nothing more is begun."""
    errors = [RegistryUnavailable("registry.test cannot be reached") for _ in range(50)]
    yard.workshop.engine.fail("base", *errors)
    outcome = build(yard)
    assert "the pod could not reach the registry (3 times)" in record(outcome, "base").reason
    assert len(yard.tekton.made) == 3
    assert yard.task_runs == []


def test_an_image_of_another_format_is_refused(yard):
    """A pod whose engine builds in another format stops the run, and says what to use."""
    yard.tekton.script = lambda _: Script(result_format="other-2")
    outcome = build(yard)
    failed = record(outcome, "base")
    assert "builds in the format other-2, and this build needs scripted-1" in failed.reason
    assert "--image" in failed.hint


def test_an_image_counts_only_when_it_is_there(yard):
    """A digest that the repository does not have is no image, whatever the pod says."""
    absent = "sha256:" + "0" * 64
    yard.follow({"base": [Script(digest=absent), Script(digest=absent)]})
    outcome = build(yard)
    assert "base: its image is not in the repository (2 times)" in record(outcome, "base").reason


def test_jobs_bound_what_runs(yard):
    """At most as many TaskRuns as jobs run at a time."""
    yard.change(jobs=3)
    roots = {f"root-{number}": f"FROM scratch\nLABEL root={number}\n" for number in range(12)}
    build(yard, roots)
    assert yard.tekton.most_running == 3


def test_an_interrupt_leaves_nothing(yard):
    """When the run is cancelled, its TaskRuns and pods go, and the log has what was printed."""
    yard.tekton.script = lambda _: Script(seconds=1000.0, lines=9)

    async def work() -> None:
        async with yard.cluster:
            frozen = await yard.freeze(yard.catalog(THREE))
            building = asyncio.create_task(yard.build(frozen))
            await asyncio.sleep(500)
            building.cancel()
            await asyncio.wait([building])
            assert building.cancelled()
            await asyncio.sleep(60)

    run_virtually(work())
    assert (yard.task_runs, yard.pods) == ([], [])
    assert "line 3 of base" in yard.log("base")


def test_two_components_with_one_key_are_built_once(yard):
    """Components that are the same but for their names share one build."""
    yard.change(jobs=2)
    outcome = build(yard, {"base": BASE, "one": "FROM base\n", "other": "FROM base\n"})
    assert len(yard.tekton.made) == 2
    assert digests(outcome)["one"] == digests(outcome)["other"]


def test_forced_components_are_built_again(yard):
    """With --force a component is built although its image is there."""
    build(yard)
    outcome = build(yard, forced=frozenset({"etcd"}), afresh={"etcd"})
    assert actions(outcome)["etcd"] == "built"


async def test_a_stream_is_finished_on_another_engine(tmp_path):
    """What one engine built the other finds: keys and digests are those of one engine alone."""
    alone = Shipyard(tmp_path / "alone")
    one = await alone.workshop.run(alone.catalog(THREE))
    both = Shipyard(tmp_path / "both")
    await both.workshop.run(both.catalog(THREE), only=["etcd"])
    async with both.cluster:
        frozen = await both.freeze(both.catalog(THREE))
        quick = Script(waits=0.0, seconds=0.0)
        both.tekton.script = lambda _: quick
        two = await both.build(frozen)
    assert actions(two) == {"base": "reused", "etcd": "reused", "console": "built"}
    assert digests(two) == digests(one)
    images = StreamImages(both.workshop.content, both.workshop.images.platform)
    for item in one.record.components:
        found = await images.find(item.key)
        assert found is not None
        assert found.digest == item.digest


class _SlowAnswers(MortalCluster):
    """Creates at once, and is slow to say so."""

    async def create(
        self, kind: ObjectKind, content: bytes, *, namespace: str = "", dry_run: bool = False
    ) -> bytes:
        made = await super().create(kind, content, namespace=namespace, dry_run=dry_run)
        await asyncio.sleep(5)
        return made


def test_an_interrupt_while_a_task_run_is_made_leaves_nothing(yard):
    """What was asked for and not yet answered is waited for, and ended."""

    async def work() -> None:
        async with yard.cluster:
            frozen = await yard.freeze(yard.catalog(THREE))
            building = asyncio.create_task(yard.build(frozen, cluster=_SlowAnswers(yard.cluster)))
            await asyncio.sleep(2)
            building.cancel()
            await asyncio.wait([building])
            await asyncio.sleep(60)

    run_virtually(work())
    assert len(yard.tekton.made) == 1
    assert (yard.task_runs, yard.pods) == ([], [])


def test_two_programs_share_their_builds(yard):
    """Who builds the same in the same namespace follows what the other made."""

    async def work() -> list[Any]:
        async with yard.cluster:
            frozen = await yard.freeze(yard.catalog(THREE))
            return await asyncio.gather(yard.build(frozen), yard.build(frozen))

    for outcome in run_virtually(work()):
        assert set(actions(outcome).values()) <= {"built", "reused"}
    assert set(yard.tekton.built.values()) == {1}
    assert yard.task_runs == []


def test_one_of_two_programs_is_interrupted(yard):
    """The other goes on, with another attempt at what went with it."""

    async def work() -> Any:
        async with yard.cluster:
            frozen = await yard.freeze(yard.catalog(THREE))
            one = asyncio.create_task(yard.build(frozen))
            await asyncio.sleep(2)
            other = asyncio.create_task(yard.build(frozen))
            await asyncio.sleep(1)
            one.cancel()
            return await other

    outcome = run_virtually(work())
    assert set(actions(outcome).values()) == {"built"}
    assert len(yard.tekton.made) == 4
    assert yard.task_runs == []


class _SlowLogs(MortalCluster):
    """Brings every piece of a log late."""

    seconds = 5.0

    async def follow_log(
        self, pod: str, container: str, *, namespace: str = "", follow: bool = True
    ) -> AsyncIterator[bytes]:
        pieces = super().follow_log(pod, container, namespace=namespace, follow=follow)
        async for piece in pieces:
            await asyncio.sleep(self.seconds)
            yield piece


def test_slow_logs_are_waited_for(yard):
    """A build is over when its log is here, though its TaskRun ended before."""
    build(yard, cluster=_SlowLogs(yard.cluster))
    printed = [line for lines in yard.tekton.printed.values() for line in lines]
    assert set(printed) <= yard.kept_lines


def test_a_log_that_does_not_end_is_given_up(yard):
    """After a while the build goes on, and its log says that something is missing."""
    cluster = _SlowLogs(yard.cluster)
    cluster.seconds = 500.0
    outcome = build(yard, cluster=cluster)
    assert set(actions(outcome).values()) == {"built"}
    assert "did not bring the end of this log in time" in yard.log("etcd")
