# SPDX-License-Identifier: Apache-2.0
"""Building on OpenShift: every image once, every end told, nothing left behind."""

from __future__ import annotations

import pytest
from openshift_project import OpenShiftProject
from streams import write_stream
from workshop import from_git

from okd_payload.build.job import BuildOutcome, JobOptions
from okd_payload.build.records import Action
from okd_payload.catalog.catalog import Catalog
from okd_payload.cluster import kinds
from okd_payload.imagestream.cluster import read_cluster_tags


def _two(project: OpenShiftProject) -> Catalog:
    project.put("base", "FROM scratch\nCOPY a /\n", {"a": "1"})
    project.put("etcd", "FROM golang:1.21 AS build\nRUN x\nFROM x\nCOPY --from=build /e /e\n")
    project.registry("golang.test/builder")
    return write_stream(
        project.path / "stream",
        {
            "base": from_git("base"),
            "etcd": from_git(
                "etcd", more='base: base\ninputs: [{image: base, aliases: ["golang:1.21"]}]\n'
            ),
        },
    )


async def _build(project: OpenShiftProject, catalog: Catalog, **options) -> BuildOutcome:
    jobs = options.get("jobs", 2)
    frozen = await project.freeze(catalog)
    async with project.new_engine(**options).opened() as engine:
        return await project.carry_out(
            frozen, project.maker_with(catalog, engine), options=JobOptions(jobs=jobs)
        )


async def test_a_stream_is_built(project):
    """Every component becomes a build; its image is found by key and under its tag."""
    catalog = _two(project)
    outcome = await _build(project, catalog)
    assert [item.action for item in outcome.record.components] == [Action.BUILT, Action.BUILT]
    assert project.builds.started == ["base-1", "etcd-1"]
    stream = await read_cluster_tags(project.cluster, "release")
    assert stream.tag("etcd").digest == outcome.images["etcd"].digest
    assert stream.tag("etcd").reference.endswith(f"/okd/release@{outcome.images['etcd'].digest}")
    assert project.unfinished() == []
    log = (outcome.folder / "logs" / "etcd.log").read_text()
    assert "# build etcd-1 in namespace okd" in log
    assert "git-clone done" in log
    assert log.endswith("built etcd\n")
    again = await _build(project, catalog)
    assert {item.action for item in again.record.components} == {Action.REUSED}


async def test_keys_are_those_of_every_engine(project):
    """What another engine built is not built again, and the other way round."""
    catalog = _two(project)
    await project.run(catalog, only=["base"])
    outcome = await _build(project, catalog)
    assert project.builds.started == ["etcd-1"]
    assert {item.action for item in outcome.record.components} == {Action.BUILT, Action.REUSED}
    await project.run(catalog)
    assert project.built == []


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("DockerBuildFailed", "an instruction of its Dockerfile failed"),
        ("InvalidContextDirectory", "no such context directory"),
        ("SomethingNew", "it failed"),
    ],
)
async def test_a_failure_that_stays(project, reason, words):
    """A build that would fail again is not tried again, and says why in words."""
    catalog = _two(project)
    project.failures["etcd"].append(reason)
    outcome = await _build(project, catalog)
    failed = next(item for item in outcome.record.components if item.name == "etcd")
    assert failed.action is Action.FAILED
    assert words in failed.reason
    assert f"etcd says {reason}" in failed.reason
    assert project.builds.started == ["base-1", "etcd-1"]


@pytest.mark.parametrize(
    "reason",
    ["BuildPodEvicted", "OutOfMemoryKilled", "NoBuildContainerStatus", "FetchSourceFailed"],
)
async def test_a_failure_of_the_surroundings(project, reason):
    """What the surroundings did is tried again, with more memory where that was too little."""
    catalog = _two(project)
    project.failures["etcd"].append(reason)
    outcome = await _build(project, catalog)
    assert outcome.is_complete
    assert project.builds.started == ["base-1", "etcd-1", "etcd-2"]
    config = project.simulated.find(kinds.BUILD_CONFIG, "etcd", namespace="okd")
    limits = config["spec"]["resources"]["limits"]["memory"]
    assert limits == ("8192Mi" if reason == "OutOfMemoryKilled" else "4Gi")


async def test_a_source_that_cannot_be_cloned(project):
    """Whoever builds from a private repository learns how to name its secret."""
    catalog = _two(project)
    project.failures["etcd"] += ["FetchSourceFailed"] * 8
    outcome = await _build(project, catalog)
    failed = next(item for item in outcome.record.components if item.name == "etcd")
    assert failed.action is Action.FAILED
    assert "its source could not be cloned" in failed.reason
    assert "--git-credentials" in failed.hint


async def test_what_the_project_lacks_stops_the_run(project):
    """Where nothing can be pushed, one build says so and the others are left alone."""
    catalog = _two(project)
    project.failures["base"].append("MissingPushSecret")
    outcome = await _build(project, catalog)
    actions = {item.name: item.action for item in outcome.record.components}
    assert actions == {"base": Action.FAILED, "etcd": Action.SKIPPED}
    assert project.builds.started == ["base-1"]


async def test_an_output_that_means_nothing(project):
    """A build that would stay New for ever is told at once, and cancelled."""
    catalog = _two(project)
    engine = project.new_engine()
    frozen = await project.freeze(catalog)
    async with engine.opened():
        project.simulated.remove(kinds.IMAGE_STREAM, "release", namespace="okd")
        outcome = await project.carry_out(
            frozen, project.maker_with(catalog, engine), options=JobOptions(jobs=2)
        )
    failed = next(item for item in outcome.record.components if item.name == "base")
    assert "the image stream that it shall push to is not there" in failed.reason
    assert "oc create imagestream" in failed.hint
    await project.settle()
    assert project.unfinished() == []
