# SPDX-License-Identifier: Apache-2.0
"""A snapshot in a repository: an OCI artifact whose layers are its document and its files.

The config is the empty one, as the image specification wants it of artifacts. A tag made of the
digest keeps registries from throwing the artifact away; it is always asked for by digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from okd_payload.errors import ContentError, NotFound, RegistryError
from okd_payload.oci import media_types
from okd_payload.oci.blob_sources import BytesSource, FileSource, closing
from okd_payload.oci.digest import Digest, digest_of, hex_of
from okd_payload.oci.layers.bounds import Bounds
from okd_payload.oci.layers.compression import GzipWriter, Inflater
from okd_payload.oci.layers.writer import LayerBlob
from okd_payload.oci.manifest import Descriptor, ImageManifest, Manifest, encode_manifest
from okd_payload.oci.repository import Repository

ARTIFACT_TYPE = "application/vnd.okd-payload.snapshot.v1"
DOCUMENT_TYPE = "application/vnd.okd-payload.snapshot.document.v1+json+gzip"
TAG_PREFIX = "snapshot-"
_EMPTY = b"{}"
_MOST_BYTES = 256 * 1024 * 1024
"""Of a document: 189 components take 2 MiB, and altered files stand in it."""
_BOUNDS = Bounds(expanded_bytes=_MOST_BYTES, expansion_free=_MOST_BYTES)


async def store_artifact(
    repository: Repository, document: bytes, layers: Sequence[LayerBlob]
) -> tuple[Manifest, int]:
    """Store a snapshot and read it back; its manifest, and the bytes of all its parts.

    Raises RegistryError.
    """
    compressed = _compress(document)
    head = Descriptor(media_type=DOCUMENT_TYPE, digest=digest_of(compressed), size=len(compressed))
    config = Descriptor(
        media_type=media_types.OCI_EMPTY, digest=digest_of(_EMPTY), size=len(_EMPTY)
    )
    await repository.blobs.write(config, BytesSource(_EMPTY))
    await repository.blobs.write(head, BytesSource(compressed))
    for layer in layers:
        await repository.blobs.write(layer.descriptor, FileSource(Path(layer.path)))
    manifest = encode_manifest(
        ImageManifest(
            artifact_type=ARTIFACT_TYPE,
            config=config,
            layers=(head, *(layer.descriptor for layer in layers)),
        )
    )
    await repository.manifests.put(manifest, tag=TAG_PREFIX + hex_of(manifest.digest))
    await _check(repository, manifest)
    return manifest, sum(item.size for item in manifest.needs())


async def fetch_document(repository: Repository, digest: Digest) -> bytes:
    """The document of the snapshot ``digest``. Raises NotFound and ContentError."""
    try:
        manifest = (await repository.manifests.get(digest)).image()
    except NotFound as error:
        raise NotFound(
            f"there is no snapshot {digest} in {repository.name}",
            hint="is it in another repository, or was it cleared away? Make it anew with "
            "`okd-payload step snapshot`",
        ) from error
    heads = [layer for layer in manifest.layers if layer.media_type == DOCUMENT_TYPE]
    if manifest.artifact_type != ARTIFACT_TYPE or len(heads) != 1:
        raise ContentError(
            f"{repository.name}@{digest} is no snapshot of a stream",
            hint="name what `okd-payload step snapshot` printed",
        )
    inflater = Inflater(media_type=DOCUMENT_TYPE, bounds=_BOUNDS)
    content = bytearray()
    async with closing(repository.blobs.read(heads[0])) as chunks:
        async for chunk in chunks:
            for piece in inflater.feed(chunk):
                content += piece
    for piece in inflater.finish():
        content += piece
    return bytes(content)


async def _check(repository: Repository, manifest: Manifest) -> None:
    """Raise RegistryError unless the repository gives back what was stored."""
    stored = await repository.manifests.get(manifest.digest)
    missing = [
        item.digest
        for item in manifest.needs()
        if await repository.blobs.stat(item.digest) != item.size
    ]
    if stored.content != manifest.content or missing:
        raise RegistryError(
            f"{repository.name} does not have the snapshot that was just stored there",
            hint="does something clear the repository while it is used?",
        )


def _compress(content: bytes) -> bytes:
    pieces = bytearray()
    writer = GzipWriter(pieces.extend)
    writer.write(content)
    writer.finish()
    return bytes(pieces)
