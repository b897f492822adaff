# SPDX-License-Identifier: Apache-2.0
"""BuildConfigs of the project, used as they are: at the locked commit, or not at all."""

from __future__ import annotations

import msgspec
from openshift_project import REPOSITORY, OpenShiftProject
from streams import write_stream
from workshop import from_git

from okd_payload.build.job import JobOptions
from okd_payload.build.key import KEY_LABEL
from okd_payload.build.records import Action
from okd_payload.catalog.openshift_names import ImageScope
from okd_payload.cluster import kinds
from okd_payload.engines.openshift.definition import define
from okd_payload.oci.image import read_image
from okd_payload.testing.kubernetes.documents import clone


def _stream(project: OpenShiftProject):
    project.put("base", "FROM scratch\nCOPY . /\n", {"a": "1"})
    project.put("etcd", "FROM x\nCOPY . /\n", {"e": "1"})
    return write_stream(
        project.path / "stream",
        {"base": from_git("base"), "etcd": from_git("etcd", more="base: base\n")},
    )


def _define(project: OpenShiftProject, catalog) -> None:
    """Let the project have the BuildConfigs of the catalog."""
    for component in catalog.components:
        config = msgspec.json.decode(msgspec.json.encode(define(component, ImageScope("release"))))
        project.simulated.create(kinds.BUILD_CONFIG, config, namespace="okd")


async def _build(project: OpenShiftProject, catalog):
    frozen = await project.freeze(catalog)
    async with project.new_engine(existing=True).opened() as engine:
        maker = project.maker_with(catalog, engine)
        return await project.carry_out(frozen, maker, options=JobOptions(jobs=2))


async def test_definitions_stay_as_they_are(project):
    """Builds take the locked commit; the image gets its key afterwards, on the same layers."""
    catalog = _stream(project)
    _define(project, catalog)
    before = [each["spec"] for each in project.simulated.objects(kinds.BUILD_CONFIG)]
    outcome = await _build(project, catalog)
    assert outcome.is_complete
    assert [each["spec"] for each in project.simulated.objects(kinds.BUILD_CONFIG)] == before
    image = await read_image(project.content, outcome.images["etcd"].digest)
    key = image.config.labels[KEY_LABEL]
    assert (await project.images.find(key)).digest == outcome.images["etcd"].digest
    build = project.simulated.find(kinds.OPENSHIFT_BUILD, "etcd-1", namespace="okd")
    assert build["spec"]["revision"]["git"]["commit"] in project.commits
    pushed = await read_image(project.content, build["status"]["output"]["to"]["imageDigest"])
    assert pushed.config.labels[KEY_LABEL] != key  # it is that of its base
    assert pushed.layers == image.layers
    again = await _build(project, catalog)
    assert {item.action for item in again.record.components} == {Action.REUSED}


async def test_another_parent_than_planned(project):
    """A definition that stands on another image than the plan is stopped: the key would lie."""
    catalog = _stream(project)
    _define(project, catalog)
    config = clone(project.simulated.find(kinds.BUILD_CONFIG, "etcd", namespace="okd"))
    other = f"{REPOSITORY}@sha256:{'0' * 64}"
    strategy = config["spec"]["strategy"]["dockerStrategy"]
    strategy["from"] = {"kind": "DockerImage", "name": other}
    project.simulated.put(kinds.BUILD_CONFIG, config)
    outcome = await _build(project, catalog)
    failed = next(item for item in outcome.record.components if item.name == "etcd")
    assert f"takes sha256:{'0' * 64} as its base" in failed.reason
    await project.settle()
    assert project.unfinished() == []


async def test_no_definition(project):
    """A component without a BuildConfig says which one is missing, and what would make it."""
    outcome = await _build(project, _stream(project))
    failed = next(item for item in outcome.record.components if item.action is Action.FAILED)
    assert failed.reason == "namespace okd has no BuildConfig base"
    assert "leave --existing away" in failed.hint


async def test_a_reference_that_means_nothing(project):
    """A definition whose base is no tag of the project stays New: that is told, and cancelled."""
    catalog = _stream(project)
    _define(project, catalog)
    config = clone(project.simulated.find(kinds.BUILD_CONFIG, "base", namespace="okd"))
    strategy = config["spec"]["strategy"]["dockerStrategy"]
    strategy["from"] = {"kind": "ImageStreamTag", "name": "release:nowhere"}
    project.simulated.put(kinds.BUILD_CONFIG, config)
    outcome = await _build(project, catalog)
    failed = next(item for item in outcome.record.components if item.name == "base")
    assert "an image that it names means nothing in the project" in failed.reason
    await project.settle()
    assert project.unfinished() == []
