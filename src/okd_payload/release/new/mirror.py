# SPDX-License-Identifier: Apache-2.0
"""Taking the images of a new release along into one repository, and naming them there.

Digests stay and only names change, so what is released is what was tested.
Each copy gets a tag, because registries remove what no tag leads to, and is read back.
"""

from __future__ import annotations

import msgspec

from okd_payload.imagestream.openshift import DOCKER_IMAGE, ObjectReference
from okd_payload.oci.cache import place_behind
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.repository import Repository
from okd_payload.oci.transfer import ImageCopier, ImageCopy
from okd_payload.oci.transfer.journal import NoJournal
from okd_payload.progress import Progress
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.new.images import InputImage, RepositoryOf
from okd_payload.release.new.payload import Payload, ReleaseParts


class MirroredImage(msgspec.Struct, frozen=True):
    """One image of the release, and the tag that keeps it where it was copied to."""

    digest: str
    tag: str


def rename(parts: ReleaseParts, repository: str) -> ReleaseParts:
    """``parts`` with every image named in ``repository``, by the digest that it has already."""
    images = {name: _rename_image(image, repository) for name, image in parts.images.items()}
    tags = tuple(images[tag.name].tag if tag.name in images else tag for tag in parts.given.tags)
    given = msgspec.structs.replace(parts.given, tags=tags)
    return msgspec.structs.replace(parts, given=given, images=images)


async def mirror_images(
    payload: Payload,
    parts: ReleaseParts,
    target: Repository,
    *,
    repository_of: RepositoryOf,
    progress: Progress,
) -> list[MirroredImage]:
    """Copy every image that is in ``payload`` to ``target``, byte for byte, and read it back.

    ``parts`` are those before ``rename``. Raises PartlyDone when some could not be copied.
    """
    origins = {tag.name: pull_spec_of(tag) for tag in parts.tags}
    copies, mirrored = [], []
    for tag in payload.tags:
        reference = parse_reference(origins[tag.name])
        name = f"{payload.name}-{tag.name}"
        copies.append(
            ImageCopy(
                source=place_behind(await repository_of(reference)),
                reference=reference.selector,
                destination=target,
                tag=name,
            )
        )
        mirrored.append(MirroredImage(pull_spec_of(tag).partition("@")[2], name))
    # Any journal lets it read back what it brought; nothing needs to be remembered here.
    report = await ImageCopier(progress=progress, journal=NoJournal()).copy(copies)
    report.require_all()
    return mirrored


def _rename_image(image: InputImage, repository: str) -> InputImage:
    if image.image is None:
        return image
    pull_spec = f"{repository}@{image.image.referenced.digest}"
    origin = ObjectReference(kind=DOCKER_IMAGE, name=pull_spec)
    return msgspec.structs.replace(image, tag=msgspec.structs.replace(image.tag, origin=origin))
