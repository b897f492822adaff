# SPDX-License-Identifier: Apache-2.0
"""The integrated registry: what is pushed to a repository is in its image stream at once.

A push without a tag moves the tag ``latest``, as OpenShift's registry does it.
"""

from __future__ import annotations

from okd_payload.oci.digest import Digest
from okd_payload.oci.manifest import Descriptor, Manifest
from okd_payload.oci.repository import Blobs, Manifests, Repository
from okd_payload.testing.openshift.image_streams import ImageStreams


class StreamRegistry:
    """A repository that is the one of an image stream."""

    def __init__(
        self, content: Repository, streams: ImageStreams, *, namespace: str, stream: str
    ) -> None:
        self._content = content
        self._manifests = _Manifests(content.manifests, streams, namespace, stream)

    @property
    def name(self) -> str:
        """That of the content."""
        return self._content.name

    @property
    def blobs(self) -> Blobs:
        """Those of the content."""
        return self._content.blobs

    @property
    def manifests(self) -> Manifests:
        """Those of the content; pushes are told to the stream."""
        return self._manifests


class _Manifests:
    def __init__(
        self, content: Manifests, streams: ImageStreams, namespace: str, stream: str
    ) -> None:
        self._content = content
        self._streams = streams
        self._namespace = namespace
        self._stream = stream

    async def get(self, reference: str) -> Manifest:
        """That of the content."""
        return await self._content.get(reference)

    async def put(self, manifest: Manifest, *, tag: str | None = None) -> None:
        """Store ``manifest``, and let the stream know."""
        await self._content.put(manifest, tag=tag)
        self._streams.push(self._namespace, self._stream, tag or "latest", manifest.digest)

    async def tags(self) -> list[str]:
        """Those of the content."""
        return await self._content.tags()

    async def referrers(self, digest: Digest) -> list[Descriptor]:
        """Those of the content."""
        return await self._content.referrers(digest)
