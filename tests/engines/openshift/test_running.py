# SPDX-License-Identifier: Apache-2.0
"""Builds that are interrupted, found again, raced for and limited in number."""

from __future__ import annotations

import asyncio
import contextlib
import random

import msgspec
import pytest
from openshift_project import OpenShiftProject
from streams import write_stream
from workshop import from_git

from okd_payload.build.job import JobOptions
from okd_payload.build.records import Action
from okd_payload.catalog.catalog import Catalog
from okd_payload.cluster import kinds
from okd_payload.errors import ClusterUnavailable, NoSuchKind, NoSuchObject, NotPermitted
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster


def _stream(project: OpenShiftProject, count: int = 1) -> Catalog:
    project.put("base", "FROM scratch\n", {"a": "1"})
    names = [f"c{number}" for number in range(count)]
    for name in names:
        project.put(name, "FROM x\nCOPY . /\n", {"name": name})
    return write_stream(
        project.path / "stream",
        {"base": from_git("base"), **{name: from_git(name, more="base: base\n") for name in names}},
    )


async def _start(project: OpenShiftProject, catalog: Catalog, engine, *, jobs: int = 2):
    frozen = await project.freeze(catalog)
    maker = project.maker_with(catalog, engine)
    return asyncio.create_task(project.carry_out(frozen, maker, options=JobOptions(jobs=jobs)))


async def _cancel(running: asyncio.Task) -> None:
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_an_interrupt_cancels_builds(project):
    """When the program is interrupted, what it began is cancelled on the cluster."""
    catalog = _stream(project)
    project.held["c0"] = asyncio.Event()
    async with project.new_engine().opened() as engine:
        running = await _start(project, catalog, engine)
        await project.begun["c0"].wait()
        await _cancel(running)
    await project.settle()
    assert project.unfinished() == []
    build = project.simulated.find(kinds.OPENSHIFT_BUILD, "c0-1", namespace="okd")
    assert build["status"]["phase"] == "Cancelled"
    assert project.simulated.find(kinds.POD, "c0-1-build", namespace="okd") is None


async def test_a_killed_run_is_taken_over(project):
    """What runs when the program starts again is followed and not built a second time."""
    catalog = _stream(project)
    project.held["c0"] = asyncio.Event()
    async with project.new_engine(log_seconds=0.1).opened() as engine:
        killed = await _start(project, catalog, engine)
        await project.begun["c0"].wait()
        engine._stop = _do_nothing  # a kill leaves no time to cancel
        await _cancel(killed)
    assert project.unfinished() == ["c0-1"]
    async with project.new_engine(run="r2").opened() as engine:
        running = await _start(project, catalog, engine)
        await project.settle()
        project.held["c0"].set()
        outcome = await running
    assert outcome.is_complete
    assert project.builds.started == ["base-1", "c0-1"]
    log = (outcome.folder / "logs" / "c0.log").read_text()
    assert "begun earlier" in log
    assert "built c0" in log


async def _do_nothing(_name: str) -> None:
    return


@pytest.mark.parametrize("seed", range(8))
async def test_kills_at_random_moments(project, seed):
    """However often it is killed, every image is built once, with at most so many at a time."""
    chance = random.Random(seed)
    catalog = _stream(project, 12)
    for number in range(12):
        if chance.random() < 0.3:
            project.failures[f"c{number}"].extend(
                chance.choices(["BuildPodEvicted", "OutOfMemoryKilled", "BuildPodDeleted"], k=1)
            )
    for _ in range(6):
        async with project.new_engine(jobs=3).opened() as engine:
            engine._stop = _do_nothing
            killed = await _start(project, catalog, engine, jobs=3)
            for _ in range(chance.randrange(400)):
                await asyncio.sleep(0)
            await _cancel(killed)
    async with project.new_engine(jobs=3).opened() as engine:
        outcome = await (await _start(project, catalog, engine, jobs=3))
    assert outcome.is_complete
    assert project.unfinished() == []
    assert project.builds.most_running <= 3
    built = [step.component for step in project.builder.built]
    assert sorted(built) == sorted({*built, "base"})
    assert len(built) == 13


async def test_a_request_whose_answer_is_lost(project):
    """A build that began without our hearing of it is found, and no second one is started."""
    catalog = _stream(project)
    cluster = project.cluster

    class LosesAnswers:
        def __getattr__(self, name):
            return getattr(cluster, name)

        async def create(self, kind, content, **options):
            await cluster.create(kind, content, **options)
            raise ClusterUnavailable("the answer is lost")

    project.cluster = LosesAnswers()
    async with project.new_engine().opened() as engine:
        outcome = await (await _start(project, catalog, engine))
    assert outcome.is_complete
    assert project.builds.started == ["base-1", "c0-1"]


async def test_somebody_deletes_the_build(project):
    """A build that is deleted under way is made again."""
    catalog = _stream(project)
    project.held["c0"] = asyncio.Event()
    async with project.new_engine().opened() as engine:
        running = await _start(project, catalog, engine)
        await project.begun["c0"].wait()
        project.simulated.delete(kinds.OPENSHIFT_BUILD, "c0-1", namespace="okd")
        project.held["c0"].set()
        outcome = await running
    assert outcome.is_complete
    assert project.builds.started == ["base-1", "c0-1", "c0-2"]


async def test_a_definition_of_somebody_else(project):
    """A BuildConfig that others own is not taken from them."""
    catalog = _stream(project)
    config = {
        "apiVersion": "build.openshift.io/v1",
        "kind": "BuildConfig",
        "metadata": {"name": "base", "namespace": "okd"},
        "spec": {
            "strategy": {"type": "Docker"},
            "output": {"to": {"kind": "ImageStreamTag", "name": "release:base"}},
        },
    }
    project.simulated.create(kinds.BUILD_CONFIG, config, namespace="okd")
    async with project.new_engine().opened() as engine:
        outcome = await (await _start(project, catalog, engine))
    failed = next(item for item in outcome.record.components if item.action is Action.FAILED)
    assert "is somebody else's" in failed.reason
    assert "--existing" in failed.hint
    assert project.builds.started == []


async def test_what_a_cluster_lacks_is_told_once(project):
    """No Builds, no rights, no image stream: one error each, and nothing was made."""
    bare = MemoryCluster("okd", cluster=SimulatedCluster())
    for cluster, error, words in (
        (bare, NoSuchKind, "no OpenShift Builds"),
        (
            MemoryCluster("okd", cluster=project.simulated, user="nobody"),
            NotPermitted,
            "create buildconfigs.build.openshift.io/instantiate in namespace okd is missing",
        ),
        (
            MemoryCluster("other", cluster=project.simulated),
            NoSuchObject,
            "namespace other has no image stream release",
        ),
    ):
        project.cluster = cluster
        with pytest.raises(error, match=words) as caught:
            async with project.new_engine().opened():
                pytest.fail("it must not open")
        assert caught.value.hint
    assert project.simulated.objects(kinds.BUILD_CONFIG) == []


async def test_builds_say_what_they_are_for(project):
    """Labels and annotations of a build lead to stream, run, component, key and commit."""
    catalog = _stream(project)
    async with project.new_engine().opened() as engine:
        await (await _start(project, catalog, engine))
    build = project.simulated.find(kinds.OPENSHIFT_BUILD, "c0-1", namespace="okd")
    labels, annotations = build["metadata"]["labels"], build["metadata"]["annotations"]
    assert labels["okd-payload.io/stream"] == "test"
    assert labels["okd-payload.io/run"] == "r1"
    assert annotations["okd-payload.io/build-key"].startswith(labels["okd-payload.io/key"])
    assert annotations["okd-payload.io/source"] == "https://example.com/c0"
    assert build["spec"]["revision"]["git"]["commit"] == annotations["okd-payload.io/commit"]
    assert build["spec"]["nodeSelector"] == {"kubernetes.io/arch": "amd64"}
    assert "resources" in build["spec"]
    assert msgspec.json.encode(build).count(b"okd-payload.io/build-key") == 1
