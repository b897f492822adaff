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
    TagReference,
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
    cluster: ClusterReader, name: str, *, namespace: str = "", elsewhere: bool = False
) -> ImageStream:
    """The tags of the stream ``name`` that have an image. Raises as ``read_cluster_stream``.

    With ``elsewhere``, tags that only refer to an image of another registry, by its digest, have
    that one: the cluster never resolves them, and its registry does not have it.
    """
    raw = await read_cluster_stream(cluster, name, namespace=namespace)
    wanted = {tag.name: tag for tag in raw.spec.tags}
    asked = raw.spec.tags if elsewhere else ()
    tags = [found for tag in asked if (found := _referred(tag)) is not None]
    referred = {tag.name for tag in tags}
    for seen in raw.status.tags:
        newest = next(iter(seen.items or ()), None)
        if newest is None or not is_digest(newest.image) or seen.tag in referred:
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
    return ImageStream(name=name, tags=tuple(sorted(tags, key=lambda tag: tag.name)))


def _referred(tag: TagReference) -> ImageStreamTag | None:
    """The image elsewhere that ``tag`` refers to; None where it is not of that kind."""
    origin = tag.origin
    if not tag.reference or origin is None or origin.kind != DOCKER_IMAGE:
        return None
    digest = origin.name.rpartition("@")[2]
    if not is_digest(digest):
        return None
    return ImageStreamTag(
        name=tag.name,
        digest=Digest(digest),
        reference=origin.name,
        annotations=tag.annotations or {},
    )


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
    name = msgspec.json.decode(content, type=_TaggedImage).image.metadata.name
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
