# SPDX-License-Identifier: Apache-2.0
"""Image configurations: what the JSON beside the layers says, and changed ones as bytes.

Read leniently, because every builder leaves out something else: absent and null parts are
empty. Changed as text where it counts: ``change_config`` replaces what it is asked to and
keeps every other key with its bytes and place, also those nobody here knows. Formats: OCI
image-spec 1.1 (config.md), which docker's ``container.image.v1`` is a subset of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from okd_payload.errors import TooLarge
from okd_payload.oci.digest import Digest
from okd_payload.oci.foreign_json import decode_json
from okd_payload.oci.manifest import Platform

MAX_CONFIG_BYTES = 4 * 1024 * 1024
"""Real ones stay under 100 KB; decoding may take some forty times the size in memory."""

_Fields = dict[str, msgspec.Raw]
_NULL = b"null"
_NOTHING = msgspec.Raw(_NULL)


class Member(msgspec.Struct, frozen=True):
    """The empty object by which Go's JSON marks a member of a set."""


class ContainerConfig(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What a container of the image starts with."""

    user: str = ""
    exposed_ports: dict[str, Member] = {}
    """As in ``8443/tcp``; only the keys mean something."""
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    volumes: dict[str, Member] = {}
    """Paths; only the keys mean something."""
    working_dir: str = ""
    labels: dict[str, str] = {}
    stop_signal: str = ""


class RootFilesystem(msgspec.Struct, frozen=True, kw_only=True):
    """The layers by the digests of their uncompressed archives, lowest first."""

    type: str = "layers"
    diff_ids: tuple[Digest, ...] = ()


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one layer, or one change without a layer, came about."""

    created: str = ""
    created_by: str = ""
    author: str = ""
    comment: str = ""
    empty_layer: bool = False


class ImageConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What an image says about itself."""

    architecture: str = ""
    os: str = ""
    variant: str = ""
    os_version: str = msgspec.field(default="", name="os.version")
    created: str = ""
    """RFC 3339, as written."""
    author: str = ""
    config: ContainerConfig = ContainerConfig()
    rootfs: RootFilesystem = RootFilesystem()
    history: tuple[HistoryEntry, ...] = ()

    @property
    def labels(self) -> dict[str, str]:
        """The labels, none when there is no container configuration."""
        return self.config.labels

    @property
    def diff_ids(self) -> tuple[Digest, ...]:
        """The digests of the uncompressed layers, lowest first."""
        return self.rootfs.diff_ids

    @property
    def platform(self) -> Platform:
        """The machine that the image is for."""
        return Platform(
            architecture=self.architecture,
            os=self.os or "linux",
            variant=self.variant,
            os_version=self.os_version,
        )


class AddedLayer(msgspec.Struct, frozen=True, kw_only=True):
    """A layer put on top: the digest of its uncompressed archive, and how it came about."""

    diff_id: Digest
    history: HistoryEntry = HistoryEntry()


def read_config(content: bytes) -> ImageConfig:
    """``content`` as an image configuration. Raises TooLarge or ContentError."""
    _check_size(content)
    return decode_json(content, ImageConfig, what="an image configuration")


def change_config(
    content: bytes,
    *,
    created: str | None = None,
    labels: Mapping[str, str] | None = None,
    added: Sequence[AddedLayer] = (),
) -> bytes:
    """``content`` with ``created`` and all labels replaced, where given, and layers added.

    Raises TooLarge or ContentError.
    """
    _check_size(content)
    fields = decode_json(content, _Fields, what="an image configuration")
    if created is not None:
        fields["created"] = _raw(created)
    if labels is not None:
        container = _read_fields(fields.get("config", _NOTHING))
        fields["config"] = _raw(container | {"Labels": _raw(dict(labels))})
    if added:
        rootfs = _read_fields(fields.get("rootfs", _NOTHING))
        diff_ids = [_raw(layer.diff_id) for layer in added]
        rootfs.setdefault("type", _raw("layers"))
        rootfs["diff_ids"] = _extended(rootfs.get("diff_ids", _NOTHING), diff_ids)
        fields["rootfs"] = _raw(rootfs)
        history = [_raw(layer.history) for layer in added]
        fields["history"] = _extended(fields.get("history", _NOTHING), history)
    return msgspec.json.encode(fields)


def _check_size(content: bytes) -> None:
    if len(content) > MAX_CONFIG_BYTES:
        raise TooLarge(f"an image configuration of {len(content)} bytes exceeds {MAX_CONFIG_BYTES}")


def _read_fields(part: msgspec.Raw) -> _Fields:
    if bytes(part) == _NULL:
        return {}
    return decode_json(bytes(part), _Fields, what="an image configuration")


def _extended(items: msgspec.Raw, more: list[msgspec.Raw]) -> msgspec.Raw:
    if bytes(items) == _NULL:
        return _raw(more)
    before = decode_json(bytes(items), list[msgspec.Raw], what="an image configuration")
    return _raw([*before, *more])


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
