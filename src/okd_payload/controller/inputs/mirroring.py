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
from okd_payload.oci.location import parse_location
from okd_payload.oci.transfer import ImageCopier, ImageCopy, TransferReport

Mirroring = Callable[
    [Surroundings, StreamConfiguration, tuple[FrozenInput, ...]], Awaitable[TransferReport]
]
"""Copies planned images: ``mirror``, or what stands in for it where nothing may be written."""


async def plan_mirror(
    surroundings: Surroundings, configuration: StreamConfiguration
) -> tuple[FrozenInput, ...]:
    """The images of the other stream that this one lacks or has otherwise.

    Raises InputError where this stream is no repository, and what reading either raises.
    """
    watched = configuration.input
    if not watched.mirror_from:
        return ()
    if not watched.repository:
        raise InputError(
            f"{configuration.name} mirrors {watched.mirror_from} and watches no repository",
            hint="name the repository that the images are copied into as input.repository",
        )
    theirs = await read_input(surroundings, _watching(configuration, watched.mirrored))
    ours = await read_input(
        surroundings, _watching(configuration, Input(repository=watched.repository))
    )
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
    target = await surroundings.open_target(parse_location(configuration.input.repository))
    copies = []
    for image in images:
        location = parse_location(image.reference)
        source = await surroundings.open_location(location)
        copies.append(
            ImageCopy(source=source, reference=image.digest, destination=target, tag=image.tag)
        )
    return await ImageCopier(progress=surroundings.progress).copy(copies)


def _watching(configuration: StreamConfiguration, watched: Input) -> StreamConfiguration:
    return msgspec.structs.replace(configuration, input=watched)
