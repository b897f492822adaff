# SPDX-License-Identifier: Apache-2.0
"""A Tekton bundle: an image whose layers are one Task or Pipeline each.

The rules are those of Tekton's contract (``docs/tekton-bundle-contracts.md``) and of the resolver
that reads bundles (``pkg/resolution/resolver/bundle/bundle.go``): three annotations on every
layer, kinds in lower case, no kind and name twice, compressed with anything but zstd, at most
twenty layers. Each layer is an archive of one file, the object as JSON. Equal objects in any
order give the same digest, so that publishing twice is publishing once.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from okd_payload.engines.manifests import Manifest, encode_manifest
from okd_payload.errors import InputError
from okd_payload.oci import media_types
from okd_payload.oci.blob_sources import BytesSource
from okd_payload.oci.digest import Digest, digest_of
from okd_payload.oci.layers.compression import GzipWriter
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.tar_encoder import encode_header
from okd_payload.oci.layers.tar_header import ZERO_BLOCK, padding_of
from okd_payload.oci.manifest import Descriptor, ImageManifest
from okd_payload.oci.manifest import Manifest as ImageBytes
from okd_payload.oci.manifest import encode_manifest as encode_image
from okd_payload.oci.repository import Repository

MOST_OBJECTS = 20
"""What the resolver takes; it refuses the whole bundle above."""
KIND = "dev.tekton.image.kind"
NAME = "dev.tekton.image.name"
API_VERSION = "dev.tekton.image.apiVersion"

_BUNDLED = frozenset({"Pipeline", "StepAction", "Task"})
_FILE_MODE = 0o600


class _RootFilesystem(msgspec.Struct, frozen=True):
    type: str
    diff_ids: tuple[Digest, ...]


class _Config(msgspec.Struct, frozen=True):
    """The least that readers of images take for a configuration: nothing here ever runs."""

    architecture: str
    os: str
    rootfs: _RootFilesystem


class _Layer(msgspec.Struct, frozen=True):
    descriptor: Descriptor
    diff_id: Digest
    content: bytes


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A whole bundle, ready to be stored."""

    image: ImageBytes
    config: bytes
    layers: tuple[bytes, ...]

    @property
    def digest(self) -> Digest:
        """What the bundle is pinned by."""
        return self.image.digest


def make_bundle(objects: Iterable[Manifest]) -> Bundle:
    """The bundle of ``objects``. Raises InputError for what no resolver would take."""
    ordered = sorted(objects, key=lambda each: (each.kind, each.metadata.name))
    _check(ordered)
    layers = [_make_layer(each) for each in ordered]
    config = msgspec.json.encode(
        _Config(
            architecture="unknown",
            os="unknown",
            rootfs=_RootFilesystem("layers", tuple(layer.diff_id for layer in layers)),
        )
    )
    image = ImageManifest(
        config=Descriptor(
            media_type=media_types.OCI_CONFIG, digest=digest_of(config), size=len(config)
        ),
        layers=tuple(layer.descriptor for layer in layers),
    )
    return Bundle(
        image=encode_image(image), config=config, layers=tuple(layer.content for layer in layers)
    )


async def push_bundle(bundle: Bundle, target: Repository, *, tag: str) -> None:
    """Store ``bundle`` in ``target`` and let ``tag`` mean it. Raises RegistryError."""
    image = bundle.image.image()
    for blob, content in zip(
        (image.config, *image.layers), (bundle.config, *bundle.layers), strict=True
    ):
        if await target.blobs.stat(blob.digest) != blob.size:
            await target.blobs.write(blob, BytesSource(content))
    await target.manifests.put(bundle.image, tag=tag)


def _check(objects: list[Manifest]) -> None:
    if not 0 < len(objects) <= MOST_OBJECTS:
        raise InputError(
            f"a bundle of {len(objects)} objects: Tekton takes 1 to {MOST_OBJECTS}",
            hint="leave some away, or make several bundles",
        )
    seen: set[str] = set()
    for each in objects:
        if each.kind not in _BUNDLED or not each.metadata.name:
            raise InputError(
                f"{each.identity} cannot be in a bundle",
                hint=f"only named objects of {', '.join(sorted(_BUNDLED))} can",
            )
        if each.identity in seen:
            raise InputError(
                f"{each.identity} would be in the bundle twice", hint="give each a name of its own"
            )
        seen.add(each.identity)


def _make_layer(each: Manifest) -> _Layer:
    content = encode_manifest(each)
    entry = Entry(name=each.metadata.name, mode=_FILE_MODE, size=len(content), mtime_ns=0)
    archive = b"".join(
        (encode_header(entry), content, bytes(padding_of(len(content))), ZERO_BLOCK * 2)
    )
    pieces: list[bytes] = []
    writer = GzipWriter(pieces.append)
    writer.write(archive)
    writer.finish()
    compressed = b"".join(pieces)
    descriptor = Descriptor(
        media_type=media_types.OCI_LAYER_GZIP,
        digest=digest_of(compressed),
        size=len(compressed),
        annotations={
            API_VERSION: each.api_version,
            KIND: each.kind.lower(),
            NAME: each.metadata.name,
        },
    )
    return _Layer(descriptor, digest_of(archive), compressed)
