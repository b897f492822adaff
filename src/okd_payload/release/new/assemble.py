# SPDX-License-Identifier: Apache-2.0
"""Making a release: from tags to a release image that is ready to be published.

    inputs.ReleaseInput   tags, from a stream, a repository, a release or a folder
      -> images           labels and manifests of every image, read side by side
      -> payload          what is kept, how files are called, what stands in them
      -> image            the payload on its base: bytes and digests
      -> publish          the only step that writes anything

Every step gives a value. What is wrong with the images and manifests is in ``Payload.issues``,
all of it; the caller shows them, applies permits, and goes on to ``put_on_base`` when none blocks.
``assemble_release`` is both steps for those who permit nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import msgspec

from okd_payload.errors import ReleaseError
from okd_payload.imagestream.openshift import RawImageStream
from okd_payload.issues import Issue, Permit, apply_permits
from okd_payload.oci.digest import Digest
from okd_payload.oci.image import Image
from okd_payload.oci.manifest import Platform
from okd_payload.oci.platform import image_members
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.threads import finish_in_thread
from okd_payload.progress import Progress, ignore_progress
from okd_payload.release import labels
from okd_payload.release.inputs import ReleaseInput, pull_spec_of
from okd_payload.release.new.architectures import (
    MULTI,
    architectures_of_release,
    compare_members,
    state_architecture,
)
from okd_payload.release.new.image import BaseImage, ReleaseImage, build_image, write_layer
from okd_payload.release.new.images import ImageReader, InputImage, RepositoryOf, read_member
from okd_payload.release.new.payload import (
    Payload,
    PayloadFile,
    ReleaseOptions,
    ReleaseParts,
    make_payload,
)
from okd_payload.release.new.remembered_checks import CheckManifest

AMD64 = Platform(architecture="amd64")
"""The member of an index that speaks for all of them where lists are kept."""


class AssembledRelease(msgspec.Struct, frozen=True, kw_only=True):
    """A release, whole and not yet published."""

    payload: Payload
    image: ReleaseImage

    @property
    def digest(self) -> Digest:
        """The digest of the release image."""
        return self.image.digest

    @property
    def name(self) -> str:
        """The version of the release."""
        return self.payload.name

    @property
    def references(self) -> RawImageStream:
        """The images of the release."""
        return self.payload.references

    @property
    def manifests(self) -> tuple[PayloadFile, ...]:
        """The files of the payload, the two files about it included."""
        return self.payload.files

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Everything that was found."""
        return self.payload.issues


async def read_parts(
    given: ReleaseInput,
    *,
    options: ReleaseOptions,
    repository_of: RepositoryOf,
    base: str = "",
    keep_lists: bool = False,
    progress: Progress = ignore_progress,
    look_at: CheckManifest | None = None,
) -> ReleaseParts:
    """All images of ``given``, read where ``repository_of`` says; nothing is decided yet.

    ``base`` is the pull spec of the image that the release will be put on; empty means that of
    the base tag.
    ``look_at`` is called with every manifest, in threads, while the next layers arrive.

    Raises RegistryError when a registry does not answer.
    """
    reader = ImageReader(
        repository_of,
        member=AMD64 if keep_lists else None,
        version_keys=options.version_keys,
        progress=progress,
        look_at=look_at,
    )
    images = await reader.read_all(given.tags, base=options.base_tag)
    bottom = await _find_base_image(base, images, options, repository_of)
    architectures = (
        architectures_of_release(bottom, keep_lists=keep_lists) if bottom is not None else ()
    )
    if keep_lists:
        stated = state_architecture(options.metadata, architectures)
        several = stated.get(labels.ARCHITECTURE) == MULTI
        images = await compare_members(images, repository_of, only=() if several else architectures)
    return ReleaseParts(
        given=given,
        images={image.tag.name: image for image in images},
        operators=tuple(image.operator for image in images if image.operator is not None),
        architectures=architectures,
    )


async def _find_base_image(
    base: str,
    images: Iterable[InputImage],
    options: ReleaseOptions,
    repository_of: RepositoryOf,
) -> Image | None:
    """The image of the base, None when it could not be read: an issue says so already."""
    if not base:
        return next((each.image for each in images if each.tag.name == options.base_tag), None)
    reference = parse_reference(base)
    return await read_member(await repository_of(reference), reference.selector, platform=None)


async def assemble_payload(
    given: ReleaseInput,
    *,
    options: ReleaseOptions,
    repository_of: RepositoryOf,
    keep_lists: bool = False,
    progress: Progress = ignore_progress,
) -> Payload:
    """The payload of ``given``, whether sound or not.

    Raises RegistryError when a registry does not answer, ReleaseError when there is nothing to
    make a release of, and InputError for versions that are none.
    """
    parts = await read_parts(
        given,
        options=options,
        repository_of=repository_of,
        keep_lists=keep_lists,
        progress=progress,
    )
    return await finish_in_thread(make_payload, parts, options)


def find_base(given: ReleaseInput, options: ReleaseOptions) -> str:
    """The pull spec of the image that the payload is put on. Raises ReleaseError."""
    for tag in given.tags:
        if tag.name == options.base_tag and pull_spec_of(tag):
            return pull_spec_of(tag)
    raise ReleaseError(
        f'the base image tag "{options.base_tag}" could not be found in the input,'
        " cannot build a release image",
        hint="add the tag, or name an image with --to-image-base",
    )


async def put_on_base(
    payload: Payload, base: str, *, repository_of: RepositoryOf, keep_lists: bool = False
) -> AssembledRelease:
    """``payload`` on the image with the pull spec ``base``.

    An index counts as its first member, unless ``keep_lists`` asks for a release on every one.
    Raises RegistryError, ContentError, and ReleaseError when an issue of the payload blocks.
    """
    require_sound(payload)
    layer, found = await asyncio.gather(
        finish_in_thread(write_layer, payload),
        _read_base(base, repository_of, keep_lists=keep_lists),
    )
    return AssembledRelease(payload=payload, image=build_image(payload, layer, found))


async def assemble_release(
    given: ReleaseInput,
    *,
    options: ReleaseOptions,
    repository_of: RepositoryOf,
    permits: Sequence[Permit] = (),
    keep_lists: bool = False,
    progress: Progress = ignore_progress,
) -> AssembledRelease:
    """The release of ``given``. Raises ReleaseError when something is wrong and not permitted."""
    payload = await assemble_payload(
        given,
        options=options,
        repository_of=repository_of,
        keep_lists=keep_lists,
        progress=progress,
    )
    return await put_on_base(
        permit(payload, permits),
        find_base(given, options),
        repository_of=repository_of,
        keep_lists=keep_lists,
    )


def permit(payload: Payload, permits: Sequence[Permit]) -> Payload:
    """``payload`` with the issues that a stream accepts marked as permitted."""
    return msgspec.structs.replace(payload, issues=tuple(apply_permits(payload.issues, permits)))


def require_sound(payload: Payload) -> None:
    """Raise ReleaseError when an issue blocks the publication of ``payload``."""
    require_none_blocks(payload.issues)


def require_none_blocks(issues: Iterable[Issue]) -> None:
    """Raise ReleaseError, which tells of the first, when one of ``issues`` blocks."""
    blocking = [issue for issue in issues if issue.blocks]
    if blocking:
        more = f", and {len(blocking) - 1} more errors" if len(blocking) > 1 else ""
        who = f"{blocking[0].component}: " if blocking[0].component else ""
        raise ReleaseError(
            f"unable to create a release: {who}{blocking[0].message}{more}",
            hint=blocking[0].hint,
        )


async def _read_base(pull_spec: str, repository_of: RepositoryOf, *, keep_lists: bool) -> BaseImage:
    reference = parse_reference(pull_spec)
    repository = await repository_of(reference)
    first = await read_member(repository, reference.selector, platform=None)
    if not (keep_lists and first.referenced.is_index):
        return BaseImage(pull_spec=pull_spec, members=(first,))
    others = [
        await read_member(repository, member.digest, platform=None)
        for member in image_members(first.referenced.index())[1:]
    ]
    return BaseImage(pull_spec=pull_spec, members=(first, *others), index=first.referenced)
