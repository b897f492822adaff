# SPDX-License-Identifier: Apache-2.0
"""For which machines a release is, and whether its images agree about that.

A release is for the architectures of its base: one, or with lists kept those of all members. The
manifests of one member stand for all, as ``oc adm release new`` has it (linux/amd64, where there
is one); that the others bring the same, and that every image exists for every architecture of
the release, is checked here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from okd_payload.imagestream.openshift import TagReference
from okd_payload.issues import Issue
from okd_payload.oci.image import Image
from okd_payload.oci.platform import image_members
from okd_payload.oci.reference import parse_reference
from okd_payload.release import codes, labels
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.new.images import (
    InputImage,
    Operator,
    RepositoryOf,
    read_member,
    read_operator,
)

MULTI = "multi"
"""What the metadata of a release for several architectures says, the only value clusters know."""

_IMAGES_AT_ONCE = 4


def architectures_of(image: Image) -> tuple[str, ...]:
    """The architectures that ``image`` exists for; none when it does not say."""
    if not image.referenced.is_index:
        return (image.config.architecture,) if image.config.architecture else ()
    platforms = [member.platform for member in image_members(image.referenced.index())]
    named = [platform.architecture for platform in platforms if platform and platform.architecture]
    return tuple(dict.fromkeys(named)) if len(named) == len(platforms) else ()


def architectures_of_release(base: Image, *, keep_lists: bool) -> tuple[str, ...]:
    """The architectures that a release on ``base`` is for."""
    if keep_lists or not base.referenced.is_index:
        return architectures_of(base)
    return (base.config.architecture,) if base.config.architecture else ()


def state_architecture(
    metadata: Mapping[str, Any], architectures: Collection[str]
) -> dict[str, Any]:
    """``metadata``, saying that the release is for several architectures if it is."""
    if len(architectures) < 2:
        return dict(metadata)
    return {labels.ARCHITECTURE: MULTI, **metadata}


def check_coverage(
    tags: Iterable[TagReference], images: Mapping[str, InputImage], architectures: Collection[str]
) -> list[Issue]:
    """An issue for each image that does not exist for all of ``architectures``."""
    issues = []
    for tag in tags:
        image = images[tag.name].image if tag.name in images else None
        offered = architectures_of(image) if image else ()
        missing = [name for name in architectures if name not in offered]
        if offered and missing:
            issues.append(
                codes.MISSING_ARCHITECTURE.issue(
                    f"there is no image for {_join(missing)}, which the release is for, but only"
                    f" for {_join(offered)}",
                    component=tag.name,
                    hint="build it for all architectures of the base, or choose another base",
                )
            )
    return issues


async def compare_members(
    images: Collection[InputImage], repository_of: RepositoryOf, *, only: Collection[str] = ()
) -> list[InputImage]:
    """``images``, with an issue for each manifest that other members of a list have differently.

    ``only`` are the architectures to compare; all of them when it is empty. Raises RegistryError
    and ContentError.
    """
    return await map_concurrently(
        lambda found: _compare(found, repository_of, only), images, at_once=_IMAGES_AT_ONCE
    )


async def _compare(
    found: InputImage, repository_of: RepositoryOf, only: Collection[str]
) -> InputImage:
    image, operator = found.image, found.operator
    if image is None or operator is None or not image.referenced.is_index:
        return found
    reference = parse_reference(pull_spec_of(found.tag))
    repository = await repository_of(reference)
    others: dict[str, Operator] = {}
    for member in image_members(image.referenced.index()):
        architecture = member.platform.architecture if member.platform else ""
        if member.digest == image.digest or (only and architecture not in only):
            continue
        other = await read_member(repository, member.digest, platform=None)
        brings = other.layers and other.config.labels.get(labels.OPERATOR)
        others[str(member.platform or member.digest)] = (
            await read_operator(found.tag, other, repository) if brings else Operator(operator.tag)
        )
    issues = _differences(operator, others, read=image.config.architecture)
    return msgspec.structs.replace(found, issues=(*found.issues, *issues))


def _differences(operator: Operator, others: Mapping[str, Operator], *, read: str) -> list[Issue]:
    own = {file.name: file.content for file in operator.top_files}
    theirs = {
        platform: {file.name: file.content for file in other.top_files}
        for platform, other in others.items()
    }
    issues = []
    for name in sorted(set(own).union(*theirs.values())):
        different = [at for at, files in theirs.items() if files.get(name) != own.get(name)]
        if different:
            issues.append(
                codes.ARCHITECTURES_DIFFER.issue(
                    f"{name} of {read or 'the image that was read'} is not that of"
                    f" {_join(different)}, which gets it all the same",
                    component=operator.tag,
                    file=name,
                    hint="build the image of all architectures from the same manifests",
                )
            )
    return issues


def _join(names: Iterable[str]) -> str:
    return ", ".join(names)
