# SPDX-License-Identifier: Apache-2.0
"""The seam between images and the places that hold them.

A repository is a set of blobs and manifests addressed by digest, plus tags. Four kinds exist:
``registry`` (distribution API), ``layout`` and ``disk_registry`` (directories) and
``testing.MemoryRepository``.
All of them verify content on every read and write, write blobs before manifests before tags,
and may be used by many tasks at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from okd_payload.errors import NotFound
from okd_payload.oci.digest import Digest
from okd_payload.oci.manifest import Descriptor, Manifest


class BlobSource(Protocol):
    """Content that can be opened again, from any offset: what a retried upload needs."""

    def open(self, offset: int = 0) -> AsyncIterator[bytes]:
        """The content from ``offset`` on."""
        ...


class Blobs(Protocol):
    """The blobs of one repository."""

    async def stat(self, digest: Digest) -> int | None:
        """The size in bytes of a blob, None when it is not there."""
        ...

    def read(self, descriptor: Descriptor) -> AsyncIterator[bytes]:
        """The verified content, in chunks of any size.

        Raises NotFound at the first step; DigestMismatch at the latest after the last chunk,
        so whoever keeps content keeps it only after the iterator ended.
        """
        ...

    async def write(self, descriptor: Descriptor, source: BlobSource) -> None:
        """Store the content of ``source``; nothing is stored unless it fits ``descriptor``."""
        ...

    async def mount(self, descriptor: Descriptor, origin: Repository) -> bool:
        """Take a blob from ``origin`` without moving bytes; False where that cannot be done."""
        ...


class Manifests(Protocol):
    """The manifests, indexes and tags of one repository."""

    async def get(self, reference: str) -> Manifest:
        """The manifest with this tag or digest, bytes as stored. Raises NotFound."""
        ...

    async def put(self, manifest: Manifest, *, tag: str | None = None) -> None:
        """Store ``manifest``; with ``tag``, point the tag at it afterwards."""
        ...

    async def tags(self) -> list[str]:
        """All tags, sorted. An absent repository has none."""
        ...

    async def referrers(self, digest: Digest) -> list[Descriptor]:
        """Descriptors of the manifests whose ``subject`` is ``digest``."""
        ...


class Repository(Protocol):
    """One repository: a name for people, and its two halves."""

    @property
    def name(self) -> str:
        """A pull spec without tag, as in ``quay.io/okd/scos-content``, or ``oci:<path>``."""
        ...

    @property
    def blobs(self) -> Blobs:
        """The blobs of this repository."""
        ...

    @property
    def manifests(self) -> Manifests:
        """The manifests and tags of this repository."""
        ...


@runtime_checkable
class StreamsBlobs(Protocol):
    """Blobs that can be had without hashing them, for copies: the target verifies what it gets."""

    def stream(self, descriptor: Descriptor) -> AsyncIterator[bytes]:
        """The content in full size, unverified. Raises NotFound at the first step."""
        ...


@runtime_checkable
class StatsManifests(Protocol):
    """Manifests that can be asked about without fetching them: many kinds have a quicker way."""

    async def stat(self, reference: str) -> Descriptor | None:
        """What a tag or digest leads to; None when it is not there."""
        ...


@runtime_checkable
class RemovesTags(Protocol):
    """Manifests whose tags can be taken away one by one."""

    async def untag(self, tag: str) -> None:
        """Remove ``tag``; what it led to stays. Raises NotFound.

        Many registries cannot, and say so: RegistryRefused, Unauthorized.
        """
        ...


@runtime_checkable
class RemovesManifests(Protocol):
    """Manifests that can be removed, with every tag that leads to them."""

    async def delete(self, digest: Digest) -> None:
        """Remove the manifest and all its tags. Raises NotFound.

        Many registries do not allow it, and say so: RegistryRefused, Unauthorized.
        """
        ...


async def stat_manifest(manifests: Manifests, reference: str) -> Descriptor | None:
    """What a tag or digest leads to; None when it is not there."""
    if isinstance(manifests, StatsManifests):
        return await manifests.stat(reference)
    try:
        return (await manifests.get(reference)).descriptor
    except NotFound:
        return None
