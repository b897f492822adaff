# SPDX-License-Identifier: Apache-2.0
"""Components as BuildConfigs: written and read again, nothing changes its meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from okd_payload.catalog.buildconfig import read_build_config
from okd_payload.catalog.component import (
    Argument,
    Component,
    Copy,
    ImageInput,
    Layering,
    Origin,
    Resources,
)
from okd_payload.catalog.openshift_names import ImageScope
from okd_payload.documents import parse_documents
from okd_payload.engines.openshift.definition import define
from okd_payload.errors import InputError
from okd_payload.source.model import FolderSource, GitSource

SCOPE = ImageScope("release")
_ORIGIN = Origin("component.yaml", 1)


def _read(text: bytes) -> Component:
    (document,) = parse_documents(text, path="bc.yaml")
    definitions = read_build_config(document, image_stream="release")
    (definition,) = definitions.definitions
    return definition.component


def _again(component: Component) -> Component:
    """``component`` after it was written as a BuildConfig and read."""
    found = _read(msgspec.json.encode(define(component, SCOPE)))
    return msgspec.structs.replace(found, origin=component.origin)


def _full() -> Component:
    return Component(
        name="bond-cni",
        tag="network-interface-bond-cni",
        origin=_ORIGIN,
        source=GitSource(url="https://github.com/openshift/bond-cni", ref="release-4.15"),
        context_directory="images/bond",
        dockerfile_path="Dockerfile.openshift",
        base="base",
        inputs=(
            ImageInput(image="forks", copies=(Copy("/code/Dockerfile", "./images"),)),
            ImageInput(image="tools:centos9", aliases=("quay.io/centos/centos:stream8",)),
            ImageInput(image="ocp/4.15:cli", aliases=("cli",)),
            ImageInput(image="quay.io/fedora/fedora:36", aliases=("fedora:36", "fedora")),
            ImageInput(image="registry:5000/one", aliases=("one",)),
        ),
        build_arguments=(Argument("A", "1"), Argument("B")),
        environment=(Argument("E", "$(date) 'x'"),),
        labels=(Argument("io.openshift.release.operator", "true"),),
        selector_labels=(Argument("resources-profile", "high"),),
        layering=Layering.EACH,
        resources=Resources(cpu_request="6", cpu_limit="6", memory_request="8Gi"),
    )


def test_every_field_comes_back() -> None:
    """Reading the BuildConfig of a component gives that component."""
    assert _again(_full()) == _full()


@pytest.mark.parametrize(
    "changes",
    [
        {"source": None, "inputs": ()},
        {"source": None},
        {"dockerfile": "FROM x\n", "dockerfile_path": "Dockerfile"},
        {"dockerfile": "FROM scratch\n", "source": None, "dockerfile_path": "Dockerfile"},
        {"base": "", "layering": Layering.ONE},
        {"base": "quay.io/centos/centos:stream9"},
        {"base": "tools:centos9"},
        {"resources": Resources(), "environment": (), "build_arguments": ()},
    ],
)
def test_all_kinds_of_components(changes: dict[str, Any]) -> None:
    """A component without a source, with an inline Dockerfile, on any base, comes back too."""
    component = msgspec.structs.replace(_full(), **changes)
    assert _again(component) == component


def test_offered_arguments_are_given() -> None:
    """What the stream offers to all is an argument, unless the component gives it itself."""
    component = msgspec.structs.replace(
        _full(), offered_arguments=(Argument("TAGS", "scos"), Argument("A", "no"))
    )
    given = (Argument("TAGS", "scos"), Argument("A", "1"), Argument("B"))
    assert _again(component).build_arguments == given


@pytest.mark.parametrize("changes", [{"source": FolderSource(path="/x")}, {"patches": "patches"}])
def test_what_only_a_machine_has(changes: dict[str, Any]) -> None:
    """A folder or patches of this machine are refused, with what to do instead."""
    component = msgspec.structs.replace(_full(), **changes)
    with pytest.raises(InputError, match="takes its source from git") as caught:
        define(component, SCOPE)
    assert "push the change" in caught.value.hint


def test_the_real_definitions(shared_data: Path) -> None:
    """All 189 BuildConfigs of the OKD pipeline are the same after reading and writing."""
    folder = shared_data / "okd-payload-pipeline" / "buildconfigs"
    seen = 0
    for path in sorted(folder.glob("*.yaml")):
        for original in yaml.safe_load_all(path.read_bytes()):
            if (original or {}).get("kind") != "BuildConfig":
                continue
            component = _read(msgspec.json.encode(original))
            written = msgspec.json.decode(msgspec.json.encode(define(component, SCOPE)))
            assert _meaning(written) == _meaning(original), path.name
            seen += 1
    assert seen == 189


def _meaning(config: dict[str, Any]) -> dict[str, Any]:
    """A BuildConfig with everything written out that the API means when it is not there."""
    source = dict(config["spec"]["source"])
    strategy = dict(config["spec"]["strategy"].get("dockerStrategy") or {})
    source.setdefault("type", "Images")
    source["contextDir"] = source.get("contextDir", ".").lstrip("/") or "."
    source["images"] = source.get("images") or []
    strategy.setdefault("dockerfilePath", "Dockerfile")
    strategy.setdefault("imageOptimizationPolicy", "None")
    for variable in (*strategy.get("buildArgs", []), *strategy.get("env", [])):
        variable.setdefault("value", "")
    metadata = {name: config["metadata"].get(name) or {} for name in ("name", "labels")}
    return {
        "apiVersion": config["apiVersion"],
        "kind": config["kind"],
        "metadata": metadata,
        "spec": {
            "source": source,
            "strategy": {"type": "Docker", "dockerStrategy": strategy},
            "output": config["spec"]["output"],
        },
    }
