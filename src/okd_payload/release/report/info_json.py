# SPDX-License-Identifier: Apache-2.0
"""A release as the JSON object that ``oc adm release info -o json`` prints.

Scripts read ``.digest``, ``.metadata.version``, ``.references.spec.tags[*]`` and the like, so
the keys are Go's, those included that are always null.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from okd_payload.imagestream.openshift import RawImageStream
from okd_payload.oci.digest import Digest
from okd_payload.oci.image import Image
from okd_payload.oci.manifest import Descriptor
from okd_payload.release.docker_config import DockerConfig, parse_docker_config
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.load import Release
from okd_payload.release.metadata import ReleaseMetadata
from okd_payload.release.report.describe import declared_versions, warnings_about
from okd_payload.release.versions import counts, merge_for_display


class DisplayVersion(msgspec.Struct, frozen=True, rename="pascal"):
    """One component version."""

    version: str
    display_name: str


class LayerInfo(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One layer of an image."""

    media_type: str
    digest: str
    size: int


class ImageInfo(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One image of the release."""

    name: str
    digest: str
    content_digest: str
    list_digest: str
    media_type: str
    layers: tuple[LayerInfo, ...]
    config: DockerConfig


class ReleaseInfo(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The whole object."""

    image: str
    digest: str
    content_digest: str
    list_digest: str
    config: DockerConfig | None
    metadata: ReleaseMetadata | None
    references: RawImageStream
    versions: None = None
    display_versions: dict[str, DisplayVersion] | None = None
    versions_tags: dict[str, str] = {}
    images: dict[str, ImageInfo] | None = None
    warnings: tuple[str, ...] | None = None


def make_info(
    release: Release, *, pull_spec: str, images: Mapping[str, Image] | None = None
) -> ReleaseInfo:
    """What is known about ``release``, and about ``images`` where they were looked up."""
    declared = declared_versions(release)
    versions, _ = merge_for_display(declared)
    image = release.content.image
    pull_specs = {tag.name: pull_spec_of(tag) for tag in release.tags}
    return ReleaseInfo(
        image=pull_spec,
        digest=image.digest if image else "",
        content_digest=image.digest if image else "",
        list_digest=_list_digest(image),
        config=_sized_config(image) if image else None,
        metadata=release.metadata,
        references=release.references,
        display_versions={
            key: DisplayVersion(item.version, item.display_name) for key, item in versions.items()
        }
        or None,
        versions_tags={
            key: tag for tag, items in reversed(declared) for key in items if counts(key, tag)
        },
        images=None
        if images is None
        else {name: _describe(pull_specs[name], found) for name, found in images.items()},
        warnings=tuple(warnings_about(release)) or None,
    )


def _describe(pull_spec: str, image: Image) -> ImageInfo:
    return ImageInfo(
        name=pull_spec,
        digest=image.digest,
        content_digest=image.digest,
        list_digest=_list_digest(image),
        media_type=image.manifest.media_type,
        layers=tuple(map(_describe_layer, image.layers)),
        config=_sized_config(image),
    )


def _describe_layer(layer: Descriptor) -> LayerInfo:
    return LayerInfo(media_type=layer.media_type, digest=layer.digest, size=layer.size)


def _sized_config(image: Image) -> DockerConfig:
    """The configuration with the size of all layers, which not every builder writes into it."""
    config = parse_docker_config(image.config_bytes)
    return msgspec.structs.replace(
        config, size=config.size or sum(layer.size for layer in image.layers)
    )


def _list_digest(image: Image | None) -> Digest | str:
    return image.referenced.digest if image and image.referenced.is_index else ""
