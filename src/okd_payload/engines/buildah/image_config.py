# SPDX-License-Identifier: Apache-2.0
"""The configuration of a built image: buildah's, without anything that says where and when.

Buildah writes the time of the build, its own version, random names and hashes of how files came
to it. All of that is taken out or derived from the step, so that every version of buildah, every
machine and every user gives the same bytes.

Docker's ``HEALTHCHECK`` and ``SHELL`` have no place in what buildah hands over (OCI); those of
the parent are kept. Clusters know neither.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from okd_payload.build.engine import BuildStep
from okd_payload.errors import BuildError
from okd_payload.oci.config import HistoryEntry, ImageConfig, read_config
from okd_payload.oci.digest import Digest
from okd_payload.oci.image import Image

EPOCH_ARGUMENT = "SOURCE_DATE_EPOCH"
"""The build argument by which programs in RUN learn the time that they shall write."""
_BUILDER_LABEL = "io.buildah.version"
_DOCKER_ONLY = ("Healthcheck", "Shell")

_CONTENT_HASH = re.compile(r"#\(nop\) (COPY|ADD) (file|dir|multi):[0-9a-f]{64} in ")
_ARGUMENT_VALUES = re.compile(r"^\|\d+ .*?(?=/bin/sh -c )", re.DOTALL)
_DECLARATION = "/bin/sh -c #(nop) ARG"


def compose_config(
    built: bytes, *, step: BuildStep, parent: Image | None, own_layers: Sequence[Digest]
) -> bytes:
    """The configuration for buildah's ``built`` one, with ``own_layers`` above the parent's."""
    found: dict[str, Any] = msgspec.json.decode(built)
    container = dict(found.get("config") or {})
    inherited = _container_of(parent)
    labels = {**(container.get("Labels") or {}), **{it.name: it.value for it in step.labels}}
    labels.pop(_BUILDER_LABEL, None)
    container["Labels"] = labels
    container |= {name: inherited[name] for name in _DOCKER_ONLY if name in inherited}
    if container.get("WorkingDir") == "/":
        del container["WorkingDir"]  # where containers start anyway; only newer buildahs say so
    below = parent.config.diff_ids if parent else ()
    fields = {
        "architecture": step.platform.architecture,
        "author": found.get("author"),
        "config": {name: value for name, value in container.items() if value not in (None, {})},
        "created": format_time(step.timestamp),
        "history": _history(read_config(built), step, parent, len(own_layers)),
        "os": step.platform.os,
        "rootfs": {"type": "layers", "diff_ids": [*below, *own_layers]},
        "variant": step.platform.variant,
    }
    present = {name: value for name, value in fields.items() if value}
    return msgspec.json.encode(present, order="deterministic")


def format_time(timestamp: int) -> str:
    """RFC 3339, in whole seconds of universal time."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _container_of(image: Image | None) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.json.decode(image.config_bytes) if image else {}
    return fields.get("config") or {}


def _history(
    built: ImageConfig, step: BuildStep, parent: Image | None, own_layers: int
) -> list[HistoryEntry]:
    """The parent's history, and of buildah's only the instructions: no values of arguments."""
    inherited = parent.config.history if parent else ()
    own = []
    for entry in built.history[len(inherited) :]:
        said = _ARGUMENT_VALUES.sub("", _CONTENT_HASH.sub(r"#(nop) \1 in ", entry.created_by))
        if not said.startswith(_DECLARATION):
            own.append(
                HistoryEntry(
                    created=format_time(step.timestamp),
                    created_by=said.strip(),
                    empty_layer=entry.empty_layer,
                )
            )
    if sum(not entry.empty_layer for entry in own) != own_layers:
        raise BuildError(
            f"buildah's history of {step.component} does not fit its {own_layers} layers",
            hint="please report this with the output of `buildah --version`",
        )
    return [*inherited, *own]
