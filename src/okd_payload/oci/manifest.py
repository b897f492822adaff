# SPDX-License-Identifier: Apache-2.0
"""Manifests and indexes: their bytes as received, and what the bytes say.

A digest is of bytes, so a ``Manifest`` carries them unchanged and decodes on demand. Schema 1
is refused with an explanation: converting it silently changes digests. Formats: OCI image-spec
1.1 (manifest.md, image-index.md, descriptor.md), docker distribution schema 2.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from okd_payload.errors import ContentError, TooLarge, UnsupportedContent
from okd_payload.oci import media_types
from okd_payload.oci.digest import Digest, digest_of, is_digest

_Kind = TypeVar("_Kind", "ImageManifest", "Index")

MAX_MANIFEST_BYTES = 4 * 1024 * 1024
"""The bound that the distribution specification sets for registries."""


class Platform(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which machine an image is for."""

    architecture: str
    os: str = "linux"
    variant: str = ""
    os_version: str = msgspec.field(default="", name="os.version")
    os_features: tuple[str, ...] = msgspec.field(default=(), name="os.features")

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class Descriptor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A typed, sized pointer to content."""

    media_type: str
    digest: Digest
    size: int
    urls: tuple[str, ...] = ()
    annotations: dict[str, str] = {}
    platform: Platform | None = None
    artifact_type: str = ""

    def __post_init__(self) -> None:
        """Refuse descriptors that point at nothing."""
        if not is_digest(self.digest) or self.size < 0:
            raise ValueError(f"not a descriptor: {self.digest!r}, {self.size} bytes")


class ImageManifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One image of one platform."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    schema_version: int = 2
    media_type: str = ""
    annotations: dict[str, str] = {}
    subject: Descriptor | None = None
    artifact_type: str = ""


class Index(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A list of manifests, usually one per platform (Docker: manifest list)."""

    manifests: tuple[Descriptor, ...]
    schema_version: int = 2
    media_type: str = ""
    annotations: dict[str, str] = {}
    subject: Descriptor | None = None
    artifact_type: str = ""


class Manifest(msgspec.Struct, frozen=True):
    """A manifest or index as bytes; ``digest`` is that of ``content``, always."""

    media_type: str
    content: bytes
    digest: Digest

    @property
    def is_index(self) -> bool:
        """Whether this is an index rather than an image."""
        return self.media_type in media_types.INDEXES

    @property
    def descriptor(self) -> Descriptor:
        """The pointer to this manifest."""
        return Descriptor(media_type=self.media_type, digest=self.digest, size=len(self.content))

    def image(self) -> ImageManifest:
        """What an image manifest says. Raises ContentError, also when this is an index."""
        return _decode(self, ImageManifest, media_types.MANIFESTS)

    def index(self) -> Index:
        """What an index says. Raises ContentError, also when this is an image."""
        return _decode(self, Index, media_types.INDEXES)


def read_manifest(content: bytes, *, media_type: str = "") -> Manifest:
    """``content`` as a manifest; the type inside wins over ``media_type``, the header's.

    Raises TooLarge, UnsupportedContent (schema 1 and unknown types) or ContentError.
    """
    if len(content) > MAX_MANIFEST_BYTES:
        raise TooLarge(f"a manifest of {len(content)} bytes exceeds {MAX_MANIFEST_BYTES}")
    try:
        outline = msgspec.json.decode(content, type=_Outline)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ContentError(f"not a manifest: {error}") from error
    found = outline.media_type or media_type.partition(";")[0].strip() or _guess(outline)
    if outline.schema_version == 1 or found in media_types.SCHEMA1:
        raise UnsupportedContent(
            "manifest schema 1 is not supported",
            hint="its digests do not survive a copy: push the image again with a current tool "
            "(skopeo copy --format v2s2)",
        )
    if found not in media_types.MANIFESTS | media_types.INDEXES:
        raise UnsupportedContent(f"manifest media type {found!r} is not supported")
    return Manifest(found, content, digest_of(content))


def encode_manifest(value: ImageManifest | Index) -> Manifest:
    """A new manifest with compact JSON bytes; ``value.media_type`` must be set."""
    fields = msgspec.to_builtins(value)
    compact = {name: item for name, item in fields.items() if item not in ("", {}, None)}
    order = ("schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests")
    known = {name: compact[name] for name in order if name in compact}
    content = msgspec.json.encode(known | compact)
    return Manifest(value.media_type, content, digest_of(content))


class _Outline(msgspec.Struct, rename="camel"):
    schema_version: int = 0
    media_type: str = ""
    config: msgspec.Raw = msgspec.Raw()
    manifests: msgspec.Raw = msgspec.Raw()


def _guess(outline: _Outline) -> str:
    """OCI lets ``mediaType`` be absent: an index has manifests, an image has a config."""
    return media_types.OCI_INDEX if bytes(outline.manifests) else media_types.OCI_MANIFEST


def _decode(manifest: Manifest, kind: type[_Kind], expected: frozenset[str]) -> _Kind:
    if manifest.media_type not in expected:
        raise ContentError(f"{manifest.digest} is {manifest.media_type}, not what is needed here")
    try:
        return msgspec.json.decode(manifest.content, type=kind)
    except msgspec.DecodeError as error:
        raise ContentError(f"manifest {manifest.digest} is damaged: {error}") from error
