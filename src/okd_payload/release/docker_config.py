# SPDX-License-Identifier: Apache-2.0
"""Image configurations as ``oc`` reads and writes them.

A release image's configuration is that of its base, passed through the Go type below: keys that
the type lacks are dropped, the rest is written in its order. Keeping to that makes our images
equal to those of ``oc adm release new`` in all but compression. ``oci.config`` is the reader for
everything else.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from okd_payload.errors import ContentError, InvalidDocument
from okd_payload.imagestream import go_json
from okd_payload.imagestream.go_json import OMIT_EMPTY

ZERO_TIME = "0001-01-01T00:00:00Z"
"""How Go writes a time that nobody set."""

_Text = Annotated[str, OMIT_EMPTY]
_Number = Annotated[int, OMIT_EMPTY]
_Flag = Annotated[bool, OMIT_EMPTY]
_Texts = Annotated[tuple[str, ...], OMIT_EMPTY]


class Member(msgspec.Struct, frozen=True):
    """The empty object by which Go's JSON marks a member of a set."""


_Set = Annotated[dict[str, Member], OMIT_EMPTY]


class ContainerConfig(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What a container starts with."""

    hostname: _Text = ""
    domainname: _Text = ""
    user: _Text = ""
    memory: _Number = 0
    memory_swap: _Number = 0
    cpu_shares: _Number = 0
    cpuset: _Text = ""
    attach_stdin: _Flag = False
    attach_stdout: _Flag = False
    attach_stderr: _Flag = False
    port_specs: _Texts = ()
    exposed_ports: _Set = {}
    tty: _Flag = False
    open_stdin: _Flag = False
    stdin_once: _Flag = False
    env: _Texts = ()
    cmd: _Texts = ()
    dns: _Texts = ()
    image: _Text = ""
    volumes: _Set = {}
    volumes_from: _Text = ""
    working_dir: _Text = ""
    entrypoint: _Texts = ()
    network_disabled: _Flag = False
    security_opts: _Texts = ()
    on_build: _Texts = ()
    labels: Annotated[dict[str, str], OMIT_EMPTY] = {}


class RootFilesystem(msgspec.Struct, frozen=True, kw_only=True):
    """The layers by the digests of their uncompressed archives."""

    type: str = ""
    diff_ids: _Texts = ()


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """How one layer came about."""

    created: str = ZERO_TIME
    author: _Text = ""
    created_by: _Text = ""
    comment: _Text = ""
    empty_layer: _Flag = False


class DockerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The whole configuration; times are kept as text."""

    id: str = ""
    parent: _Text = ""
    comment: _Text = ""
    created: str = ZERO_TIME
    container: _Text = ""
    container_config: ContainerConfig = ContainerConfig()
    docker_version: _Text = ""
    author: _Text = ""
    config: Annotated[ContainerConfig | None, OMIT_EMPTY] = None
    architecture: _Text = ""
    size: _Number = 0
    rootfs: Annotated[RootFilesystem | None, OMIT_EMPTY] = None
    history: Annotated[tuple[HistoryEntry, ...], OMIT_EMPTY] = ()
    os: _Text = ""
    os_version: Annotated[str, OMIT_EMPTY] = msgspec.field(default="", name="os.version")
    os_features: Annotated[tuple[str, ...], OMIT_EMPTY] = msgspec.field(
        default=(), name="os.features"
    )


def parse_docker_config(content: bytes) -> DockerConfig:
    """``content`` as a configuration. Raises ContentError."""
    try:
        return go_json.decode(content, DockerConfig, path="image configuration")
    except InvalidDocument as error:
        raise ContentError(
            f"an image configuration is damaged: {error}", hint="build or push the image again"
        ) from error


def encode_docker_config(config: DockerConfig) -> bytes:
    """``config`` as Go writes it, compact."""
    return go_json.encode(config)
