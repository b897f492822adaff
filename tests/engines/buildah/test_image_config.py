# SPDX-License-Identifier: Apache-2.0
"""What is made of the configuration that buildah writes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from okd_payload.build.engine import BuildStep
from okd_payload.catalog.component import Argument
from okd_payload.engines.buildah.image_config import compose_config, format_time
from okd_payload.errors import BuildError
from okd_payload.oci.digest import digest_of
from okd_payload.oci.image import Image, read_image
from okd_payload.oci.manifest import Platform
from okd_payload.testing.images import push_image
from okd_payload.testing.memory_repository import MemoryRepository

OWN = digest_of(b"own")
STEP = BuildStep(
    component="tool",
    tag="tool",
    source=None,
    commit=None,
    context_directory=".",
    dockerfile="FROM base\n",
    images={},
    labels=(Argument("key", "value"),),
    platform=Platform("arm64", variant="v8"),
    timestamp=86_400,
)


@pytest.fixture
async def parent() -> Image:
    """An image of one layer whose configuration has parts that only docker knows."""
    repository = MemoryRepository()
    manifest = await push_image(repository, labels={"from": "parent"})
    image = await read_image(repository, manifest.digest)
    fields = msgspec.json.decode(image.config_bytes)
    fields["config"] |= {"Healthcheck": {"Test": ["CMD", "true"]}, "OnBuild": ["RUN x"]}
    return msgspec.structs.replace(image, config_bytes=msgspec.json.encode(fields))


def compose(parent: Image | None = None, *history: dict[str, Any], **container: Any) -> Any:
    """The composed configuration, with ``container`` and ``history`` as buildah wrote them."""
    before = [{"created": entry.created} for entry in parent.config.history] if parent else []
    built = {
        "created": "2030-01-01T00:00:00Z",
        "architecture": "amd64",
        "os": "linux",
        "config": container,
        "history": [*before, *(history or [{"created_by": "/bin/sh -c make"}])],
    }
    content = compose_config(msgspec.json.encode(built), step=STEP, parent=parent, own_layers=[OWN])
    return msgspec.json.decode(content)


def test_times_and_platform_are_the_steps() -> None:
    """Nothing of when and where it was built stays."""
    config = compose()

    assert config["created"] == format_time(86_400) == "1970-01-02T00:00:00Z"
    assert (config["os"], config["architecture"], config["variant"]) == ("linux", "arm64", "v8")
    assert config["rootfs"] == {"type": "layers", "diff_ids": [OWN]}


def test_the_builder_leaves_no_label() -> None:
    """Labels are the Dockerfile's and the step's, whose win."""
    config = compose(Labels={"io.buildah.version": "1.28.2", "key": "other", "own": "x"})

    assert config["config"]["Labels"] == {"key": "value", "own": "x"}


def test_what_only_some_versions_write_is_left_out() -> None:
    """The folder where containers start anyway, and empty parts."""
    config = compose(WorkingDir="/", Volumes={}, Cmd=None, User="1")

    assert config["config"].keys() == {"Labels", "User"}


async def test_parts_that_only_docker_knows_are_inherited(parent) -> None:
    """A health check of the parent stays; its triggers have done their work."""
    config = compose(parent, Env=["A=b"])

    assert config["config"]["Healthcheck"] == {"Test": ["CMD", "true"]}
    assert "OnBuild" not in config["config"]
    assert config["rootfs"]["diff_ids"] == [*parent.config.diff_ids, OWN]


async def test_history_keeps_instructions_without_hashes_and_values(parent) -> None:
    """Random and secret parts go, the parent's entries stay as they were."""
    config = compose(
        parent,
        {"created_by": "/bin/sh -c #(nop) ARG TOKEN SOURCE_DATE_EPOCH", "empty_layer": True},
        {"created_by": f"/bin/sh -c #(nop) COPY multi:{'a' * 64} in /x ", "empty_layer": True},
        {"created_by": "|2 TOKEN=a b SOURCE_DATE_EPOCH=1 /bin/sh -c make", "comment": "FROM x"},
    )

    created = "1970-01-02T00:00:00Z"
    assert config["history"] == [
        {"created": "2025-01-02T03:04:05Z", "created_by": "test"},
        {"created": created, "created_by": "/bin/sh -c #(nop) COPY in /x", "empty_layer": True},
        {"created": created, "created_by": "/bin/sh -c make"},
    ]


def test_a_history_that_does_not_fit_is_refused() -> None:
    """Readers match layers and history by counting."""
    with pytest.raises(BuildError, match="does not fit its 1 layers"):
        compose(None, {"created_by": "a"}, {"created_by": "b"})
