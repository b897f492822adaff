# SPDX-License-Identifier: Apache-2.0
"""Manifests and indexes: their bytes as received, and what the bytes say.

A digest is of bytes, so a ``Manifest`` carries them unchanged and decodes on demand. Schema 1
is refused with an explanation: converting it silently changes digests. A document that could be
read both as an image and as an index is refused too, because two readers would see two
different things behind one digest (CVE-2021-41190). Formats: OCI image-spec 1.1 (manifest.md,
image-index.md, descriptor.md), docker distribution schema 2.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from okd_payload.errors import ContentError, TooLarge, UnsupportedContent
from okd_payload.oci import media_types
from okd_payload.oci.digest import Digest, digest_of, is_digest
from okd_payload.oci.foreign_json import decode_json

_Kind = TypeVar("_Kind", "ImageManifest", "Index")

MAX_MANIFEST_BYTES = 4 * 1024 * 1024
"""The bound that the distribution specification sets for registries."""


def _linux() -> str:
    return "linux"


class Platform(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which machine an image is for."""

    architecture: str
    # A factory, because a plain default would be omitted, and the specification requires it.
    os: str = msgspec.field(default_factory=_linux)
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
            raise ValueError(f"not a descriptor: {self.digest[:100]!r}, {self.size} bytes")

    @property
    def is_foreign(self) -> bool:
        """Whether the content is kept elsewhere and never copied along."""
        return bool(self.urls) and self.media_type in media_types.FOREIGN_LAYERS


class ImageManifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One image of one platform."""

    config: Descriptor
    layers: tuple[Descriptor, ...] = ()
    schema_version: int = 2
    media_type: str = ""
    annotations: dict[str, str] = {}
    subject: Descriptor | None = None
    artifact_type: str = ""

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """What a repository must hold of this image: config and layers, each once."""
        held = {item.digest: item for item in (self.config, *self.layers) if not item.is_foreign}
        return tuple(held.values())


class Index(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A list of manifests, usually one per platform (Docker: manifest list)."""

    manifests: tuple[Descriptor, ...] = ()
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

    def value(self) -> ImageManifest | Index:
        """What it says, whichever it is. Raises ContentError."""
        return self.index() if self.is_index else self.image()

    def needs(self) -> tuple[Descriptor, ...]:
        """What a repository must hold before this: blobs, or an index's members."""
        return self.index().manifests if self.is_index else self.image().blobs


def read_manifest(content: bytes, *, media_type: str = "") -> Manifest:
    """``content`` as a manifest; the type inside wins over ``media_type``, the header's.

    Raises TooLarge, UnsupportedContent (schema 1 and unknown types) or ContentError.
    """
    if len(content) > MAX_MANIFEST_BYTES:
        raise TooLarge(f"a manifest of {len(content)} bytes exceeds {MAX_MANIFEST_BYTES}")
    outline = decode_json(content, _Outline, what="a manifest")
    found = outline.media_type or _known_type(media_type) or outline.guess()
    if outline.schema_version == 1 or found in media_types.SCHEMA1:
        raise UnsupportedContent(
            "manifest schema 1 is not supported",
            hint="its digests do not survive a copy: push the image again with a current tool "
            "(skopeo copy --format v2s2)",
        )
    if found not in media_types.MANIFESTS | media_types.INDEXES:
        raise UnsupportedContent(f"manifest media type {found[:100]!r} is not supported")
    outline.check_shape(is_index=found in media_types.INDEXES)
    return Manifest(found, content, digest_of(content))


def encode_manifest(value: ImageManifest | Index) -> Manifest:
    """A new manifest with compact JSON bytes, an OCI one unless ``value`` says otherwise."""
    default = media_types.OCI_INDEX if isinstance(value, Index) else media_types.OCI_MANIFEST
    media_type = value.media_type or default
    fields = msgspec.to_builtins(msgspec.structs.replace(value, media_type=media_type))
    compact = {name: item for name, item in fields.items() if item not in ("", {}, None)}
    order = ("schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests")
    known = {name: compact[name] for name in order if name in compact}
    content = msgspec.json.encode(known | compact)
    return Manifest(media_type, content, digest_of(content))


class _Outline(msgspec.Struct, rename="camel"):
    """Just enough of a manifest to know its kind."""

    schema_version: int = 0
    media_type: str = ""
    config: msgspec.Raw = msgspec.Raw()
    layers: msgspec.Raw = msgspec.Raw()
    manifests: msgspec.Raw = msgspec.Raw()

    def guess(self) -> str:
        """OCI lets ``mediaType`` be absent: an index has manifests, an image has a config."""
        return media_types.OCI_INDEX if _given(self.manifests) else media_types.OCI_MANIFEST

    def check_shape(self, *, is_index: bool) -> None:
        """Raise ContentError unless this is an image or an index, and not both."""
        looks_like_image = _given(self.config) or _given(self.layers)
        if self.schema_version != 2 or not (looks_like_image or _given(self.manifests)):
            raise ContentError("a document that is neither an image manifest nor an index")
        if looks_like_image == is_index or _given(self.manifests) != is_index:
            raise ContentError(
                "a manifest that other programs may read as something else",
                hint="it has the fields of an image and of an index: build the image again",
            )


def _given(field: msgspec.Raw) -> bool:
    return bytes(field) not in (b"", b"null")


def _known_type(header: str) -> str:
    """The media type of a Content-Type header; empty when it says nothing about images."""
    media_type = header.partition(";")[0].strip()
    generic = ("", "application/json", "application/octet-stream", "text/plain")
    return "" if media_type in generic else media_type


def _decode(manifest: Manifest, kind: type[_Kind], expected: frozenset[str]) -> _Kind:
    if manifest.media_type not in expected:
        raise ContentError(
            f"{manifest.digest} is {manifest.media_type}, not what is needed here",
            hint="an image is needed in the place of an index, or the other way round",
        )
    return decode_json(manifest.content, kind, what=f"manifest {manifest.digest}")
