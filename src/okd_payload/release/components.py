# SPDX-License-Identifier: Apache-2.0
"""The images of a release, looked up where their pull specs say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from okd_payload.errors import ContentError, NotFound
from okd_payload.imagestream.openshift import TagReference
from okd_payload.oci.image import Image, read_image
from okd_payload.oci.reference import parse_reference
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.inputs import pull_spec_of

if TYPE_CHECKING:  # costs what info does not have: images come with all that makes releases
    from okd_payload.release.new.images import RepositoryOf

_AT_ONCE = 32


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One tag of a release, with its image or the reason why there is none."""

    tag: TagReference
    image: Image | None = None
    problem: str = ""


async def look_up(tags: Iterable[TagReference], repository_of: RepositoryOf) -> list[Component]:
    """Manifest and configuration of the image of every tag, in their order."""

    async def read(tag: TagReference) -> Component:
        pull_spec = pull_spec_of(tag)
        reference = parse_reference(pull_spec)
        try:
            image = await read_image(await repository_of(reference), reference.selector)
        except NotFound as error:
            return Component(tag=tag, problem=f'image "{pull_spec}" not found: {error.message}')
        except ContentError as error:
            return Component(tag=tag, problem=f'image "{pull_spec}": {error.message}')
        return Component(tag=tag, image=image)

    return await map_concurrently(
        read, [tag for tag in tags if pull_spec_of(tag)], at_once=_AT_ONCE
    )


def require_all(components: list[Component]) -> dict[str, Image]:
    """The images by tag. Raises NotFound, which tells of every one that cannot be had."""
    problems = [component.problem for component in components if component.problem]
    if problems:
        raise NotFound(
            "\n".join(problems),
            hint="clusters cannot install this release: push the images, or make it again",
        )
    return {component.tag.name: component.image for component in components if component.image}
