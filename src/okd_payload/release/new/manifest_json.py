# SPDX-License-Identifier: Apache-2.0
"""Image manifests and lists, laid out as Go's distribution library writes them.

Any layout of the JSON would do for registries; this one makes our manifests differ from those of
``oc`` only where the content differs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec

from okd_payload.imagestream import go_json
from okd_payload.imagestream.go_json import OMIT_EMPTY
from okd_payload.oci.digest import digest_of
from okd_payload.oci.manifest import Descriptor, Manifest, Platform
from okd_payload.oci.media_types import Family

_INDENT = 3


class _Platform(msgspec.Struct, frozen=True, kw_only=True):
    architecture: str
    os: str
    os_version: Annotated[str, OMIT_EMPTY] = msgspec.field(default="", name="os.version")
    os_features: Annotated[tuple[str, ...], OMIT_EMPTY] = msgspec.field(
        default=(), name="os.features"
    )
    variant: Annotated[str, OMIT_EMPTY] = ""


class _Descriptor(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    media_type: str
    digest: str
    size: int
    urls: Annotated[tuple[str, ...], OMIT_EMPTY] = ()
    annotations: Annotated[dict[str, str], OMIT_EMPTY] = {}
    platform: Annotated[_Platform | None, OMIT_EMPTY] = None


class _Image(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    schema_version: int = 2
    media_type: str
    config: _Descriptor
    layers: tuple[_Descriptor, ...]


class _Index(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    schema_version: int = 2
    media_type: str
    manifests: tuple[_Descriptor, ...]


def encode_image(family: Family, *, config: Descriptor, layers: Iterable[Descriptor]) -> Manifest:
    """The manifest of an image."""
    return _encode(
        _Image(media_type=family.manifest, config=_plain(config), layers=tuple(map(_plain, layers)))
    )


def encode_index(family: Family, members: Iterable[Descriptor]) -> Manifest:
    """The list of the images of several platforms."""
    return _encode(_Index(media_type=family.index, manifests=tuple(map(_plain, members))))


def _encode(value: _Image | _Index) -> Manifest:
    content = go_json.encode(value, indent=_INDENT)
    return Manifest(value.media_type, content, digest_of(content))


def _plain(item: Descriptor) -> _Descriptor:
    return _Descriptor(
        media_type=item.media_type,
        digest=item.digest,
        size=item.size,
        urls=item.urls,
        annotations=item.annotations,
        platform=_plain_platform(item.platform) if item.platform else None,
    )


def _plain_platform(item: Platform) -> _Platform:
    return _Platform(
        architecture=item.architecture,
        os=item.os,
        os_version=item.os_version,
        os_features=item.os_features,
        variant=item.variant,
    )
