# SPDX-License-Identifier: Apache-2.0
"""Steps as BuildConfigs: everything in them, nothing left to the cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from okd_payload.build.engine import BuildStep, CopiedFiles
from okd_payload.build.key import KEY_LABEL
from okd_payload.build.steps import prepare
from okd_payload.catalog.component import Argument, Copy, Layering, Resources
from okd_payload.cluster import kinds
from okd_payload.engines.openshift.build_config import (
    BuildSettings,
    Target,
    build_config_of,
    object_name,
    request_of,
)
from okd_payload.engines.openshift.pinning import pin_images
from okd_payload.errors import BuildError
from okd_payload.oci.digest import digest_of
from okd_payload.oci.manifest import Platform
from okd_payload.source.model import Commit, FolderSource, GitSource
from okd_payload.testing.kubernetes.schema.definitions import open_api_schema
from okd_payload.testing.memory_sources import MemorySourceTree
from okd_payload.testing.openshift.steps import BuildReader

REPOSITORY = "registry.example.com/okd/release"
BASE, CLI, FORKS = (digest_of(name.encode()) for name in ("base", "cli", "forks"))
COMMIT = Commit(id="a" * 40, tree="b" * 40, time=1, location="https://github.com/openshift/etcd")
SETTINGS = BuildSettings(stream="okd", run="r1")
TARGET = Target(pull_name=REPOSITORY, image_stream="release")
DOCKERFILE = """\
ARG GO=1.21
FROM golang:$GO AS build
COPY --from=cli /usr/bin/oc /
RUN --mount=type=bind,from=cli,target=/x \\
    --mount=type=cache,target=/y echo from=cli
FROM build AS other
FROM base
COPY --from=build /etcd /usr/bin/
COPY --from=cli /usr/bin/oc /
"""


def _step(**changes: Any) -> BuildStep:
    step = BuildStep(
        component="etcd",
        tag="etcd",
        source=GitSource(url="https://github.com/openshift/etcd", ref="release-4.15"),
        commit=COMMIT,
        context_directory="images",
        dockerfile=DOCKERFILE,
        images={"golang:1.21": FORKS, "cli": CLI, "base": BASE},
        copied_files=(CopiedFiles(FORKS, (Copy("/code/Dockerfile", "./images"),)),),
        build_arguments=(Argument("TAGS", "scos"),),
        labels=(Argument("io.openshift.release.operator", "true"),),
        layering=Layering.ONE,
        platform=Platform(architecture="arm64"),
        timestamp=1,
        resources=Resources(memory_request="8Gi", cpu_request="6"),
    )
    return prepare(msgspec.structs.replace(step, **changes), format_version="f").step


def _document(step: BuildStep, target: Target = TARGET, **options: Any) -> dict[str, Any]:
    return msgspec.json.decode(
        msgspec.json.encode(build_config_of(step, target, SETTINGS, **options))
    )


def test_every_image_is_written_out() -> None:
    """FROM, COPY and mounts name images by digest; stages and shell text stay as they are."""
    spec = f"{REPOSITORY}@"
    assert (
        pin_images(_step(), REPOSITORY)
        == f"""\
ARG GO=1.21
FROM {spec}{FORKS} AS build
COPY --from={spec}{CLI} /usr/bin/oc /
RUN --mount=type=bind,from={spec}{CLI},target=/x \\
    --mount=type=cache,target=/y echo from=cli
FROM build AS other
FROM {spec}{BASE}
COPY --from=build /etcd /usr/bin/
COPY --from={spec}{CLI} /usr/bin/oc /
"""
    )


async def test_a_builder_reads_the_same_step() -> None:
    """What the cluster's builder is told is the step, but for the names of images."""
    step = _step()
    document = _document(step)
    request = msgspec.json.decode(msgspec.json.encode(request_of(step, "etcd", SETTINGS)))
    document["spec"]["revision"] = request["revision"]
    document["metadata"] = request["metadata"]
    reader = BuildReader(MemorySourceTree(), {COMMIT.id: COMMIT}.__getitem__)
    again = await reader.read(document, platform=step.platform)
    assert sorted(again.images.values()) == sorted({BASE, CLI, FORKS})
    assert again.dockerfile == pin_images(step, REPOSITORY)
    for name in ("component", "source", "commit", "context_directory", "copied_files"):
        assert getattr(again, name) == getattr(step, name)
    for name in ("build_arguments", "labels", "layering", "platform"):
        assert getattr(again, name) == getattr(step, name)


def test_the_image_goes_to_the_tag_of_its_key() -> None:
    """Whoever comes next finds it, whatever became of the one who asked for it."""
    step = _step()
    key = next(label.value for label in step.labels if label.name == KEY_LABEL)
    stream = {"kind": "ImageStreamTag", "name": f"release:build-{key}"}
    assert _document(step)["spec"]["output"]["to"] == stream
    other = Target(pull_name=REPOSITORY, push_secret="push")
    output = _document(step, other)["spec"]["output"]
    assert output["to"] == {"kind": "DockerImage", "name": f"{REPOSITORY}:build-{key}"}
    assert output["pushSecret"] == {"name": "push"}
    assert {"name": KEY_LABEL, "value": key} in output["imageLabels"]


def test_private_sources_have_a_secret() -> None:
    """It is given to builds that fetch something, and to no other."""
    target = Target(pull_name=REPOSITORY, source_secret="forge")
    assert _document(_step(), target)["spec"]["source"]["sourceSecret"] == {"name": "forge"}
    nothing = _step(source=None, commit=None)
    assert "sourceSecret" not in _document(nothing, target)["spec"]["source"]


def test_resources_are_set_and_grow() -> None:
    """Requests and limits are always there; after running out of memory there is twice as much."""
    resources = _document(_step())["spec"]["resources"]
    assert resources == {
        "requests": {"cpu": "6", "memory": "8Gi"},
        "limits": {"cpu": "6", "memory": "8Gi"},
    }
    enlarged = _document(_step(), enlarged=1)["spec"]["resources"]
    assert enlarged["limits"]["memory"] == "16384Mi"


@pytest.mark.parametrize(
    "changes",
    [
        {"commit": msgspec.structs.replace(COMMIT, dirty=True)},
        {"source": FolderSource(path="/x"), "commit": msgspec.structs.replace(COMMIT, location="")},
    ],
)
def test_changes_that_no_repository_has(changes: dict[str, Any]) -> None:
    """What only this machine has cannot be built there, and the error says what to do."""
    with pytest.raises(BuildError, match="no git repository has") as caught:
        _document(_step(**changes))
    assert "push the change" in caught.value.hint


def test_a_clean_checkout_is_built_from_its_repository() -> None:
    """A folder whose commit a repository has is cloned from there."""
    source = _document(_step(source=FolderSource(path="/x")))["spec"]["source"]
    assert source["git"] == {"uri": COMMIT.location}


def test_images_only() -> None:
    """A component without a source is built of its Dockerfile and files of images."""
    source = _document(_step(source=None, commit=None))["spec"]["source"]
    assert source["type"] == "Dockerfile"
    assert "git" not in source
    assert source["images"][0]["paths"] == [
        {"sourcePath": "/code/Dockerfile", "destinationDir": "./images"}
    ]


@pytest.mark.parametrize(
    ("component", "name"), [("etcd", "etcd"), ("Some_Thing", "some-thing"), ("a" * 80, None)]
)
def test_names_of_objects(component: str, name: str | None) -> None:
    """A name is one that the API takes."""
    found = object_name(component)
    assert len(found) <= 63
    assert found == (name or found.lower())


def test_the_schema_takes_it(shared_data: Path) -> None:
    """Everything that is written fits OpenShift's schemas, without fields that nobody knows."""
    path = shared_data / "crds" / "openshift-build-image.openapi.json"
    definitions = msgspec.json.decode(path.read_bytes())
    schema = open_api_schema(definitions, kinds.BUILD_CONFIG)
    for step in (_step(), _step(source=None, commit=None), _step(copied_files=(), labels=())):
        document = _document(step)
        assert schema.unknown(document) == []
        assert list(schema.problems(document)) == []
    request = msgspec.json.decode(
        msgspec.json.encode(request_of(_step(), "etcd", SETTINGS, arguments=True))
    )
    asked = open_api_schema(definitions, kinds.instantiation("etcd"))
    assert asked.unknown(request) == []
    assert list(asked.problems(request)) == []
