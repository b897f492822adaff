# SPDX-License-Identifier: Apache-2.0
"""The images of a release, kept for as long as the release is.

Each is brought into the content repository of its stream, where a tag of its own
(``kept-<digest>``) holds it: neither a moved tag nor a registry's garbage collection can take
an image from a release any more (requirement R38). Releases share what they share.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.model import FrozenInput
from okd_payload.controller.surroundings import Repositories
from okd_payload.oci.digest import Digest, hex_of
from okd_payload.oci.location import parse_location
from okd_payload.oci.repository import Repository
from okd_payload.oci.transfer import ImageCopier, ImageCopy

KEPT_PREFIX = "kept-"


def kept_tag(digest: Digest) -> str:
    """The tag that holds the image ``digest``."""
    return KEPT_PREFIX + hex_of(digest)


async def keep_images(
    repositories: Repositories, configuration: StreamConfiguration, images: Sequence[FrozenInput]
) -> tuple[FrozenInput, ...]:
    """``images`` as they are in the content repository, each held by its tag.

    What is there already costs one question. Raises RegistryError, PartlyDone when some could
    not be brought: the same call goes on with the rest.
    """
    async with repositories.places.of(configuration.content).shared():
        await _bring(repositories, configuration, images)
    return tuple(
        msgspec.structs.replace(each, reference=f"{configuration.content_name}@{each.digest}")
        for each in images
    )


async def _bring(
    repositories: Repositories, configuration: StreamConfiguration, images: Sequence[FrozenInput]
) -> None:
    target = await repositories.open_target(parse_location(configuration.content))
    held = set(await target.manifests.tags())
    missing = {each.digest: each for each in images if kept_tag(each.digest) not in held}
    copies = [
        ImageCopy(
            source=await _source_of(repositories, configuration, each),
            reference=each.digest,
            destination=target,
            tag=kept_tag(each.digest),
        )
        for each in missing.values()
    ]
    if copies:
        (await ImageCopier(progress=repositories.progress).copy(copies)).require_all()


async def _source_of(
    repositories: Repositories, configuration: StreamConfiguration, image: FrozenInput
) -> Repository:
    """Where ``image`` is: what a layout's pull specs name is the layout itself."""
    location = parse_location(image.reference)
    if location.repository == configuration.content_name:
        location = parse_location(configuration.content)
    return await repositories.open_location(location)
