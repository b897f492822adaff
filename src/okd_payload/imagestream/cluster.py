# SPDX-License-Identifier: Apache-2.0
"""Image streams as an OpenShift cluster has them: read as values, and tagged.

What a tag means is what the cluster resolved it to, never what somebody wishes it meant.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster import ClusterReader, ClusterWriter, kinds
from okd_payload.errors import AlreadyThere, ClusterError
from okd_payload.imagestream.model import ImageStream, ImageStreamTag
from okd_payload.imagestream.openshift import (
    API_VERSION,
    DOCKER_IMAGE,
    LookupPolicy,
    ObjectReference,
    RawImageStream,
    parse_image_stream,
)
from okd_payload.oci.digest import Digest, is_digest

IMAGE_STREAM = kinds.IMAGE_STREAM


async def read_cluster_stream(
    cluster: ClusterReader, name: str, *, namespace: str = ""
) -> RawImageStream:
    """The stream ``name``. Raises NoSuchObject, other errors of clusters, and InvalidDocument."""
    content = await cluster.get(IMAGE_STREAM, name, namespace=namespace)
    return parse_image_stream(content, path=f"{namespace or cluster.namespace}/{name}")


async def read_cluster_tags(
    cluster: ClusterReader, name: str, *, namespace: str = ""
) -> ImageStream:
    """The tags of the stream ``name`` that have an image. Raises as ``read_cluster_stream``."""
    stream = await read_cluster_stream(cluster, name, namespace=namespace)
    return ImageStream(name=name, tags=tags_of(stream))


def tags_of(stream: RawImageStream) -> tuple[ImageStreamTag, ...]:
    """The tags of ``stream`` that its cluster has an image for, by the newest one."""
    wanted = {tag.name: tag for tag in stream.spec.tags}
    tags = []
    for seen in stream.status.tags:
        newest = next(iter(seen.items or ()), None)
        if newest is None or not is_digest(newest.image):
            continue
        annotations = wanted[seen.tag].annotations if seen.tag in wanted else None
        tags.append(
            ImageStreamTag(
                name=seen.tag,
                digest=Digest(newest.image),
                reference=newest.docker_image_reference,
                annotations=annotations or {},
            )
        )
    return tuple(sorted(tags, key=lambda tag: tag.name))


def references_of(stream: RawImageStream) -> dict[str, str]:
    """The pull specs of tags that only refer to an image of another registry, by tag.

    A cluster never resolves them, and its registry does not have their images.
    """
    return {
        tag.name: tag.origin.name
        for tag in stream.spec.tags
        if tag.reference and tag.origin is not None and tag.origin.kind == DOCKER_IMAGE
    }


async def tag_cluster_image(
    cluster: ClusterWriter, stream: str, tag: str, digest: Digest, *, namespace: str = ""
) -> None:
    """Point ``tag`` of ``stream`` at an image that the stream has, as ``oc tag`` does.

    Raises Refused when it has no such image, and other errors of clusters.
    """
    origin = ObjectReference(kind="ImageStreamImage", name=f"{stream}@{digest}")
    name, kind = f"{stream}:{tag}", kinds.IMAGE_STREAM_TAG
    wanted = _Tag(name=tag, origin=origin)
    new = msgspec.json.encode(_NewTag(metadata=_NewMetadata(name=name), tag=wanted))
    try:
        await cluster.create(kind, new, namespace=namespace)
    except AlreadyThere:
        change = msgspec.json.encode({"tag": wanted})
        await cluster.patch(kind, name, change, namespace=namespace)


def read_tagged_digest(content: bytes) -> Digest:
    """The image of an ImageStreamTag object. Raises ClusterError when it has none."""
    try:
        name = msgspec.json.decode(content, type=_TaggedImage).image.metadata.name
    except (msgspec.DecodeError, UnicodeDecodeError):
        name = ""
    if not is_digest(name):
        raise ClusterError("an ImageStreamTag of the cluster has no image", hint="try again later")
    return Digest(name)


class _ImageMetadata(msgspec.Struct, frozen=True):
    name: str = ""


class _Image(msgspec.Struct, frozen=True):
    metadata: _ImageMetadata = _ImageMetadata()


class _TaggedImage(msgspec.Struct, frozen=True):
    image: _Image = _Image()


class _Tag(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    origin: ObjectReference = msgspec.field(name="from")


class _NewMetadata(msgspec.Struct, frozen=True, kw_only=True):
    name: str


class _NewTag(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An ImageStreamTag as whoever tags writes it; the API wants the rest to be there, empty."""

    api_version: str = API_VERSION
    kind: str = "ImageStreamTag"
    metadata: _NewMetadata
    tag: _Tag
    generation: int = 0
    lookup_policy: LookupPolicy = LookupPolicy()
    image: dict[str, str] = {}
