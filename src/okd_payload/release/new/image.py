# SPDX-License-Identifier: Apache-2.0
"""The release image: a payload as one layer on top of the cluster-version-operator's image.

The image is what ``oc adm release new`` makes of the same payload, but for two things: layers
are compressed by our own encoder, and an OCI base stays an OCI image, instead of becoming a
Docker manifest with OCI layers. A base that is an index gets the layer on each of its members.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from okd_payload.errors import ReleaseError
from okd_payload.oci import media_types
from okd_payload.oci.digest import Digest, digest_of
from okd_payload.oci.image import Image
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.writer import LayerWriter
from okd_payload.oci.manifest import Descriptor, Manifest
from okd_payload.oci.media_types import Family, family_of
from okd_payload.oci.platform import image_members
from okd_payload.release import labels
from okd_payload.release.docker_config import (
    ContainerConfig,
    DockerConfig,
    HistoryEntry,
    RootFilesystem,
    encode_docker_config,
    parse_docker_config,
)
from okd_payload.release.new.manifest_json import encode_image, encode_index
from okd_payload.release.new.payload import Payload
from okd_payload.release.times import format_time

_COMMENT = "Release image for OpenShift"
_FOLDER_MODE, _FILE_MODE = 0o777, 0o444
_OCI_TYPES = {
    media_types.DOCKER_LAYER: media_types.OCI_LAYER,
    media_types.DOCKER_LAYER_GZIP: media_types.OCI_LAYER_GZIP,
    media_types.DOCKER_FOREIGN_LAYER_GZIP: media_types.OCI_FOREIGN_LAYER_GZIP,
}
_DOCKER_TYPES = {oci: docker for docker, oci in _OCI_TYPES.items()}


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """The payload as a compressed archive."""

    content: bytes
    digest: Digest
    diff_id: Digest


class BaseImage(msgspec.Struct, frozen=True, kw_only=True):
    """What the payload is put on: one image, or all members of an index."""

    pull_spec: str
    members: tuple[Image, ...]
    index: Manifest | None = None


class MemberImage(msgspec.Struct, frozen=True, kw_only=True):
    """The release for one platform."""

    base: Image
    manifest: Manifest
    config: bytes
    layer: Descriptor

    @property
    def config_descriptor(self) -> Descriptor:
        """The pointer to the configuration."""
        return self.manifest.image().config


class ReleaseImage(msgspec.Struct, frozen=True, kw_only=True):
    """A whole release image, ready to be stored."""

    manifest: Manifest
    """What the release's pull spec means: the image, or the index of its members."""
    members: tuple[MemberImage, ...]
    layer: Layer
    base: BaseImage

    @property
    def digest(self) -> Digest:
        """The digest of the release."""
        return self.manifest.digest


def write_layer(payload: Payload) -> Layer:
    """The archive of ``payload``: equal payloads give equal bytes. Blocking."""
    with tempfile.TemporaryDirectory(prefix="okd-payload-") as folder:
        path = Path(folder, "layer")
        with LayerWriter(path, media_type=media_types.OCI_LAYER_GZIP) as writer:
            writer.add_folder(labels.FOLDER, mode=_FOLDER_MODE, mtime=payload.newest_mtime)
            for file in payload.files:
                entry = Entry(
                    name=f"{labels.FOLDER}/{file.name}",
                    mode=_FILE_MODE,
                    size=len(file.content),
                    mtime_ns=file.mtime_ns,
                )
                writer.add(entry, (file.content,))
            blob = writer.finish()
        return Layer(content=path.read_bytes(), digest=blob.digest, diff_id=blob.diff_id)


def build_image(payload: Payload, layer: Layer, base: BaseImage) -> ReleaseImage:
    """``payload``, which is ``layer``, on top of ``base``. Raises ContentError."""
    members = tuple(_build_member(payload, layer, image) for image in base.members)
    if not members:
        raise ReleaseError(
            f"the base image {base.pull_spec} has no members",
            hint="it is an empty index: push it again",
        )
    manifest = _build_index(base.index, members) if base.index else members[0].manifest
    return ReleaseImage(manifest=manifest, members=members, layer=layer, base=base)


def _build_member(payload: Payload, layer: Layer, base: Image) -> MemberImage:
    family = family_of(base.manifest.media_type)
    own = Descriptor(media_type=family.layer, digest=layer.digest, size=len(layer.content))
    layers = (*(_in_family(item, family) for item in base.layers), own)
    config = encode_docker_config(
        _change_config(
            parse_docker_config(base.config_bytes),
            payload,
            base=base.digest,
            diff_id=layer.diff_id,
            size=sum(item.size for item in layers),
            count=len(layers),
        )
    )
    pointer = Descriptor(media_type=family.config, digest=digest_of(config), size=len(config))
    return MemberImage(
        base=base,
        manifest=encode_image(family, config=pointer, layers=layers),
        config=config,
        layer=own,
    )


def _change_config(
    config: DockerConfig, payload: Payload, *, base: Digest, diff_id: Digest, size: int, count: int
) -> DockerConfig:
    created = format_time(payload.created)
    rootfs = config.rootfs or RootFilesystem(type="layers")
    history = [HistoryEntry(created=created, comment=_COMMENT)]
    history += [HistoryEntry(created=created)] * (count - 1)
    given = {labels.RELEASE: payload.name, labels.BASE_DIGEST: base}
    return msgspec.structs.replace(
        config,
        parent="",
        created=created,
        container="",
        container_config=ContainerConfig(),
        config=msgspec.structs.replace(config.config or ContainerConfig(), labels=given),
        architecture=config.architecture or "amd64",
        os=config.os or "linux",
        size=size,
        rootfs=RootFilesystem(type=rootfs.type or "layers", diff_ids=(*rootfs.diff_ids, diff_id)),
        history=tuple(history),
    )


def _build_index(base: Manifest, members: Sequence[MemberImage]) -> Manifest:
    """The index of ``members``, in the order and with the platforms of the base's."""
    return encode_index(
        family_of(base.media_type),
        [
            msgspec.structs.replace(member.manifest.descriptor, platform=before.platform)
            for before, member in zip(image_members(base.index()), members, strict=True)
        ],
    )


def _in_family(layer: Descriptor, family: Family) -> Descriptor:
    types = _OCI_TYPES if family is Family.OCI else _DOCKER_TYPES
    return msgspec.structs.replace(layer, media_type=types.get(layer.media_type, layer.media_type))
