# SPDX-License-Identifier: Apache-2.0
"""An image stream of a project as a repository: tags from the API, content from its registry.

The tags are what the cluster says they are, also those that were imported and that no registry
lists. Content goes to and comes from the repository of the stream; a tag is set by the API, as
``oc tag`` does, once the image is there.
"""

from __future__ import annotations

from okd_payload.cluster import Cluster, kinds
from okd_payload.errors import NoSuchObject, NotFound
from okd_payload.imagestream.cluster import (
    read_cluster_tags,
    read_tagged_digest,
    tag_cluster_image,
)
from okd_payload.oci.digest import Digest, is_digest
from okd_payload.oci.manifest import Descriptor, Manifest
from okd_payload.oci.repository import Blobs, Repository, stat_manifest


class ClusterStreamRepository:
    """Implements ``Repository``."""

    def __init__(
        self, cluster: Cluster, stream: str, content: Repository, *, namespace: str = ""
    ) -> None:
        """``content`` is the repository of the image stream ``stream``, as we reach it."""
        self._content = content
        self._manifests = _Manifests(cluster, stream, content, namespace)

    @property
    def name(self) -> str:
        """The pull spec of the content, without tag."""
        return self._content.name

    @property
    def blobs(self) -> Blobs:
        """The blobs of the content."""
        return self._content.blobs

    @property
    def manifests(self) -> _Manifests:
        """Manifests of the content, tags of the stream."""
        return self._manifests


class _Manifests:
    """Implements ``Manifests``."""

    def __init__(self, cluster: Cluster, stream: str, content: Repository, namespace: str) -> None:
        self._cluster = cluster
        self._stream = stream
        self._content = content
        self._namespace = namespace

    async def get(self, reference: str) -> Manifest:
        """The manifest with this tag or digest. Raises NotFound."""
        if is_digest(reference):
            return await self._content.manifests.get(reference)
        return await self._content.manifests.get(await self._digest_of(reference))

    async def put(self, manifest: Manifest, *, tag: str | None = None) -> None:
        """Store ``manifest`` unless it is there; with ``tag``, point the tag at it afterwards."""
        manifests = self._content.manifests
        if await stat_manifest(manifests, manifest.digest) is None:
            await manifests.put(manifest)
        if tag is not None:
            await tag_cluster_image(
                self._cluster, self._stream, tag, manifest.digest, namespace=self._namespace
            )

    async def tags(self) -> list[str]:
        """All tags that have an image, sorted. An absent stream has none."""
        try:
            stream = await read_cluster_tags(self._cluster, self._stream, namespace=self._namespace)
        except NoSuchObject:
            return []
        return [tag.name for tag in stream.tags]

    async def referrers(self, digest: Digest) -> list[Descriptor]:
        """Descriptors of the manifests whose ``subject`` is ``digest``."""
        return await self._content.manifests.referrers(digest)

    async def _digest_of(self, tag: str) -> Digest:
        """The image that ``tag`` means. Raises NotFound."""
        try:
            content = await self._cluster.get(
                kinds.IMAGE_STREAM_TAG, f"{self._stream}:{tag}", namespace=self._namespace
            )
        except NoSuchObject as error:
            raise NotFound(
                f"the image stream {self._stream} has no tag {tag}",
                hint=f"`oc get imagestream {self._stream}` lists the tags that there are",
            ) from error
        return read_tagged_digest(content)
