# SPDX-License-Identifier: Apache-2.0
"""Images of one stream copied into another whenever they change: X.Y into scos-X.Y.

Images that OKD and OCP share are built once, and each OKD stream takes them over; those that
are built for OKD alone are excluded, and are pushed into the stream by whoever builds them.
Requirements R29 to R31. Only what differs is copied, and a tag that vanished from the source
stays: a release would miss it without anybody having said so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from okd_payload.controller.configuration.model import Input, StreamConfiguration
from okd_payload.controller.inputs.reading import read_input
from okd_payload.controller.model import FrozenInput
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError
from okd_payload.imagestream.cluster import read_cluster_stream
from okd_payload.oci.location import Location, parse_location
from okd_payload.oci.transfer import ImageCopier, ImageCopy, TransferReport

Mirroring = Callable[
    [Surroundings, StreamConfiguration, tuple[FrozenInput, ...]], Awaitable[TransferReport]
]
"""Copies planned images: ``mirror``, or what stands in for it where nothing may be written."""


async def plan_mirror(
    surroundings: Surroundings, configuration: StreamConfiguration
) -> tuple[FrozenInput, ...]:
    """The images of the other stream that this one lacks or has otherwise.

    Raises InputError where this stream can take none, and what reading either raises.
    """
    watched = configuration.input
    if not watched.mirror_from:
        return ()
    if not (watched.repository or watched.image_stream):
        raise InputError(
            f"{configuration.name} mirrors {watched.mirror_from} and watches no repository",
            hint="name what the images are copied into as input.repository or input.imageStream",
        )
    theirs = await read_input(surroundings, _watching(configuration, watched.mirrored))
    own = Input(repository=watched.repository, image_stream=watched.image_stream)
    ours = await read_input(surroundings, _watching(configuration, own))
    present = {image.tag: image.digest for image in ours.images}
    return tuple(image for image in theirs.images if present.get(image.tag) != image.digest)


async def mirror(
    surroundings: Surroundings,
    configuration: StreamConfiguration,
    images: tuple[FrozenInput, ...],
) -> TransferReport:
    """Copy ``images`` into the repository of the stream, and tag them there.

    Every image that could be copied is there afterwards; the report says which could not.
    """
    target = await surroundings.open_target(await find_target(surroundings, configuration))
    copies = []
    for image in images:
        location = parse_location(image.reference)
        source = await surroundings.open_location(location)
        copies.append(
            ImageCopy(source=source, reference=image.digest, destination=target, tag=image.tag)
        )
    return await ImageCopier(progress=surroundings.progress).copy(copies)


async def find_target(surroundings: Surroundings, configuration: StreamConfiguration) -> Location:
    """Where images are copied to: the repository of the stream, or of its image stream.

    Raises ClusterError, and InputError for an image stream without a registry.
    """
    watched = configuration.input
    if watched.repository or surroundings.cluster is None:
        return parse_location(watched.repository)
    namespace, _, name = watched.image_stream.rpartition("/")
    stream = await read_cluster_stream(surroundings.cluster, name, namespace=namespace)
    inside = stream.status.docker_image_repository
    place = stream.status.public_docker_image_repository or inside
    if not place:
        raise InputError(
            f"the image stream {watched.image_stream} has no repository that can be pushed to",
            hint="let the cluster have its own registry, or watch a repository",
        )
    return parse_location(place)


def _watching(configuration: StreamConfiguration, watched: Input) -> StreamConfiguration:
    return msgspec.structs.replace(configuration, input=watched)
