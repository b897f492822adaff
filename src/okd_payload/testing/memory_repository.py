# SPDX-License-Identifier: Apache-2.0
"""A repository that is a few dictionaries: the twin of registries and layouts.

It keeps every promise of the ``Repository`` protocol, verification included, and lives as long
as the object. Tests may look into ``contents`` and ``images``, damage what is there, and read
from ``operations`` what was asked of it, in order.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

from okd_payload.errors import NotFound
from okd_payload.oci.digest import Digest, Verifier, is_digest, verify
from okd_payload.oci.manifest import Descriptor, Manifest
from okd_payload.oci.reference import parse_tag
from okd_payload.oci.referrers import referrer_of
from okd_payload.oci.repository import BlobSource, Repository

_CHUNK = 64 * 1024
_numbers = itertools.count(1)


class MemoryRepository:
    """One repository in memory."""

    def __init__(self, name: str = "") -> None:
        """Without a name it gets one that no other repository in this process has."""
        self._name = name = name or f"memory.test/images-{next(_numbers)}"
        self.operations: list[tuple[str, str]] = []
        """Verb and digest or tag of every call, in order."""
        self._blobs = MemoryBlobs(name, self.operations)
        self._manifests = MemoryManifests(name, self._blobs, self.operations)

    @property
    def name(self) -> str:
        """The pull spec without tag that it was made with."""
        return self._name

    @property
    def blobs(self) -> MemoryBlobs:
        """The blobs."""
        return self._blobs

    @property
    def manifests(self) -> MemoryManifests:
        """The manifests and tags."""
        return self._manifests


class MemoryBlobs:
    """Blobs by digest."""

    def __init__(self, name: str, operations: list[tuple[str, str]]) -> None:
        self._name = name
        self._operations = operations
        self.contents: dict[Digest, bytes] = {}

    async def stat(self, digest: Digest) -> int | None:
        """The size of a blob, None when it is not there."""
        self._operations.append(("stat", digest))
        content = self.contents.get(digest)
        return None if content is None else len(content)

    async def read(self, descriptor: Descriptor) -> AsyncIterator[bytes]:
        """The verified content in chunks."""
        self._operations.append(("read", descriptor.digest))
        content = self.contents.get(descriptor.digest)
        if content is None:
            raise NotFound(f"{self._name} has no blob {descriptor.digest}")
        verifier = Verifier(descriptor.digest, descriptor.size)
        for start in range(0, len(content), _CHUNK):
            chunk = content[start : start + _CHUNK]
            verifier.update(chunk)
            yield chunk
        verifier.finish()

    async def write(self, descriptor: Descriptor, source: BlobSource) -> None:
        """Store the content of ``source`` if it fits ``descriptor``."""
        self._operations.append(("write", descriptor.digest))
        verifier = Verifier(descriptor.digest, descriptor.size)
        chunks = []
        async for chunk in source.open():
            verifier.update(chunk)
            chunks.append(chunk)
        verifier.finish()
        self.contents[descriptor.digest] = b"".join(chunks)

    async def mount(self, descriptor: Descriptor, origin: Repository) -> bool:
        """Share a blob of another repository in memory; False for other origins."""
        self._operations.append(("mount", descriptor.digest))
        if not isinstance(origin, MemoryRepository):
            return False
        content = origin.blobs.contents.get(descriptor.digest)
        if content is None or len(content) != descriptor.size:
            return False
        self.contents[descriptor.digest] = content
        return True


class MemoryManifests:
    """Manifests by digest, and tags."""

    def __init__(self, name: str, blobs: MemoryBlobs, operations: list[tuple[str, str]]) -> None:
        self._name = name
        self._blobs = blobs
        self._operations = operations
        self.images: dict[Digest, Manifest] = {}
        self.tagged: dict[str, Digest] = {}

    async def get(self, reference: str) -> Manifest:
        """The manifest with this tag or digest."""
        self._operations.append(("get", reference))
        digest = Digest(reference) if is_digest(reference) else self.tagged.get(reference)
        manifest = self.images.get(digest) if digest is not None else None
        if manifest is None or digest is None:
            raise NotFound(f"{self._name} has no image {reference}")
        verify(manifest.content, digest)
        return manifest

    async def put(self, manifest: Manifest, *, tag: str | None = None) -> None:
        """Store ``manifest``, and point ``tag`` at it."""
        self._operations.append(("put", tag or manifest.digest))
        verify(manifest.content, manifest.digest)
        if tag is not None:
            parse_tag(tag)
        for needed in manifest.needs():
            if needed.digest not in (self.images if manifest.is_index else self._blobs.contents):
                raise NotFound(f"{self._name} has no {needed.digest}, which the image needs")
        self.images[manifest.digest] = manifest
        if tag is not None:
            self.tagged[tag] = manifest.digest

    async def tags(self) -> list[str]:
        """All tags, sorted."""
        self._operations.append(("tags", ""))
        return sorted(self.tagged)

    async def untag(self, tag: str) -> None:
        """Remove ``tag``."""
        self._operations.append(("untag", tag))
        if self.tagged.pop(tag, None) is None:
            raise NotFound(f"{self._name} has no tag {tag}")

    async def delete(self, digest: Digest) -> None:
        """Remove a manifest, and every tag that leads to it."""
        self._operations.append(("delete", digest))
        if self.images.pop(digest, None) is None:
            raise NotFound(f"{self._name} has no image {digest}")
        self.tagged = {tag: found for tag, found in self.tagged.items() if found != digest}

    async def referrers(self, digest: Digest) -> list[Descriptor]:
        """Descriptors of the manifests whose subject is ``digest``."""
        self._operations.append(("referrers", digest))
        found = (referrer_of(manifest) for manifest in self.images.values())
        return [referrer.entry for referrer in found if referrer and referrer.subject == digest]
