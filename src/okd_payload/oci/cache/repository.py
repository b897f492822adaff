# SPDX-License-Identifier: Apache-2.0
"""A repository with the cache in front of it.

Manifests by digest and small blobs are answered from the cache when it has them, and kept when
they pass. All else is asked of the place behind: what a tag means, whether something is there,
what refers to what, and every write. What comes out of the cache is verified like everything
else, by its digest.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from okd_payload.errors import ContentError
from okd_payload.oci.blob_sources import closing
from okd_payload.oci.cache.shelf import Shelf, Shelves
from okd_payload.oci.digest import Digest, digest_of, hex_of, is_digest
from okd_payload.oci.manifest import Descriptor, Manifest, read_manifest
from okd_payload.oci.repository import (
    Blobs,
    BlobSource,
    Manifests,
    Repository,
    stat_manifest,
)

MAX_BLOB_BYTES = 256 * 1024
"""Larger blobs are layers, or might as well be."""


class CachedRepository:
    """One repository, and what the cache has of it."""

    def __init__(self, behind: Repository, shelves: Shelves) -> None:
        self.behind = behind
        """The place itself."""
        self.shelves = shelves
        self._blobs = CachedBlobs(behind.blobs, shelves.blobs)
        self._manifests = CachedManifests(behind.manifests, shelves.manifests)

    @property
    def name(self) -> str:
        """The name of the place itself."""
        return self.behind.name

    @property
    def blobs(self) -> CachedBlobs:
        """The blobs of this repository."""
        return self._blobs

    @property
    def manifests(self) -> CachedManifests:
        """The manifests and tags of this repository."""
        return self._manifests


def place_behind(repository: Repository) -> Repository:
    """The place itself, where ``repository`` is a cache in front of one: mounts need it."""
    return repository.behind if isinstance(repository, CachedRepository) else repository


class CachedBlobs:
    """The blobs of one repository, the small ones from the cache."""

    def __init__(self, behind: Blobs, shelf: Shelf) -> None:
        self._behind = behind
        self._shelf = shelf

    async def stat(self, digest: Digest) -> int | None:
        """The size of a blob in the place itself, None when it is not there."""
        return await self._behind.stat(digest)

    async def read(self, descriptor: Descriptor) -> AsyncGenerator[bytes]:
        """The verified content, in chunks of any size. Raises NotFound and DigestMismatch."""
        if descriptor.size > MAX_BLOB_BYTES:
            async with closing(self._behind.read(descriptor)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        key = hex_of(descriptor.digest)
        kept = self._shelf.get(key)
        if (
            kept is not None
            and len(kept) == descriptor.size
            and digest_of(kept) == descriptor.digest
        ):
            yield kept
            return
        passed = []
        async with closing(self._behind.read(descriptor)) as chunks:
            async for chunk in chunks:
                passed.append(chunk)
                yield chunk
        self._shelf.put(key, b"".join(passed))

    async def write(self, descriptor: Descriptor, source: BlobSource) -> None:
        """Store the content of ``source`` in the place itself."""
        await self._behind.write(descriptor, source)

    async def mount(self, descriptor: Descriptor, origin: Repository) -> bool:
        """Take a blob from the place behind ``origin`` without moving bytes."""
        return await self._behind.mount(descriptor, place_behind(origin))


class CachedManifests:
    """The manifests of one repository, those asked for by digest from the cache."""

    def __init__(self, behind: Manifests, shelf: Shelf) -> None:
        self._behind = behind
        self._shelf = shelf

    async def get(self, reference: str) -> Manifest:
        """The manifest with this tag or digest, bytes as stored. Raises NotFound."""
        if is_digest(reference):
            kept = self._kept(Digest(reference))
            if kept is not None:
                return kept
        manifest = await self._behind.get(reference)
        content = b"%b\n%b" % (manifest.media_type.encode(), manifest.content)
        self._shelf.put(hex_of(manifest.digest), content)
        return manifest

    async def stat(self, reference: str) -> Descriptor | None:
        """What a tag or digest leads to in the place itself; None when it is not there."""
        return await stat_manifest(self._behind, reference)

    async def put(self, manifest: Manifest, *, tag: str | None = None) -> None:
        """Store ``manifest`` in the place itself; with ``tag``, point the tag at it."""
        await self._behind.put(manifest, tag=tag)

    async def tags(self) -> list[str]:
        """All tags, sorted."""
        return await self._behind.tags()

    async def referrers(self, digest: Digest) -> list[Descriptor]:
        """Descriptors of the manifests whose ``subject`` is ``digest``."""
        return await self._behind.referrers(digest)

    def _kept(self, digest: Digest) -> Manifest | None:
        kept = self._shelf.get(hex_of(digest))
        if kept is None:
            return None
        media_type, _, content = kept.partition(b"\n")
        try:
            manifest = read_manifest(content, media_type=media_type.decode(errors="replace"))
        except ContentError:
            return None
        return manifest if manifest.digest == digest else None
