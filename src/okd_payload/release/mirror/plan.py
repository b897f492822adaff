# SPDX-License-Identifier: Apache-2.0
"""Which images of a release go where: decided before anything is asked of any target.

A release that names an image by a tag is refused here: what would be copied might be another image
than the one that was tested. The same release and targets give the same plan.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from okd_payload.errors import InvalidReference, ReleaseError
from okd_payload.imagestream.openshift import TagReference
from okd_payload.oci.digest import Digest
from okd_payload.oci.location import Location
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.load import Release
from okd_payload.release.mirror.targets import MULTI, MirrorTarget, Naming

RELEASE = ""
"""The name of the release image itself among its components."""


class MirrorItem(msgspec.Struct, frozen=True, kw_only=True):
    """One image to bring to one place."""

    component: str
    digest: Digest
    reference: Reference | None
    """The pull spec in the payload; None for the release image, which is where it was found."""
    target: Location


class MirrorPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that mirroring a release brings somewhere."""

    version: str
    digest: Digest
    items: tuple[MirrorItem, ...]
    update_images: tuple[Location, ...]
    """Where the release image is, or would be, at each target."""
    repositories: frozenset[str]
    """The repositories that the payload names images in."""


def naming_of(release: Release) -> Naming:
    """What tags of ``release`` are made of."""
    image = release.content.image
    if image is None:
        architecture = ""
    elif image.referenced.is_index:
        architecture = MULTI
    else:
        architecture = image.config.architecture
    return Naming(version=release.name, architecture=architecture)


def plan_mirror(
    release: Release,
    targets: Sequence[MirrorTarget],
    *,
    release_target: Location | None = None,
    skip_release: bool = False,
) -> MirrorPlan:
    """What to bring to ``targets``; the release image to ``release_target``, where that is given.

    Raises ReleaseError when the release has no image, or names one by anything but its digest.
    """
    if release.digest is None:
        raise ReleaseError(
            f"{release.content.origin} is a folder with the files of a release, not its image",
            hint="give the pull spec of the release, or oci:DIR:TAG",
        )
    components = find_components(release.tags)
    naming = naming_of(release)
    update_images = [target.place(RELEASE, naming) for target in targets]
    if release_target is not None:
        update_images = [release_target]
    items = [
        MirrorItem(component=RELEASE, digest=release.digest, reference=None, target=place)
        for place in update_images
        if not skip_release
    ]
    items += [
        MirrorItem(
            component=name,
            digest=digest,
            reference=reference,
            target=target.place(name, naming),
        )
        for target in targets
        for name, (reference, digest) in components.items()
    ]
    return MirrorPlan(
        version=release.name,
        digest=release.digest,
        items=tuple(items),
        update_images=tuple(update_images),
        repositories=frozenset(reference.repository for reference, _ in components.values()),
    )


def find_components(tags: Sequence[TagReference]) -> dict[str, tuple[Reference, Digest]]:
    """The image of each of ``tags`` that has one. Raises ReleaseError, for all faults at once."""
    found = {}
    faults = []
    for tag in tags:
        pull_spec = pull_spec_of(tag)
        if not pull_spec:
            continue
        try:
            reference = parse_reference(pull_spec)
        except InvalidReference as error:
            faults.append(f'release tag "{tag.name}" is not valid: {error.message}')
            continue
        if reference.digest is None or reference.tag:
            faults.append(
                f"image-references should only contain pointers to images by digest: {pull_spec}"
            )
        else:
            found[tag.name] = (reference, reference.digest)
    if faults:
        raise ReleaseError(
            "\n".join(faults),
            hint="a tag may mean another image tomorrow: make the release again, by digests",
        )
    return found
