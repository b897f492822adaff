# SPDX-License-Identifier: Apache-2.0
"""Publishing a release: its image and every image in it, copied to where clusters pull from.

Payloads name the repository they will be published to from the beginning, so nothing changes on
the way: the same bytes, the same digests. The release is copied last, so whoever finds it finds
all of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from okd_payload.errors import ReleaseError
from okd_payload.oci.digest import Digest
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.oci.repository import Repository
from okd_payload.oci.transfer import ImageCopier, ImageCopy, TransferReport
from okd_payload.progress import Progress
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.load import Release
from okd_payload.release.new.images import RepositoryOf

_NOWHERE = "localhost"
"""The host of repositories that nobody chose."""


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What publishing a release did."""

    release: str
    digest: Digest
    reference: str
    images: TransferReport


async def publish_release(
    release: Release,
    *,
    repository_of: RepositoryOf,
    releases: Repository,
    content_target: Repository,
    releases_target: Repository,
    content_repository: str,
    progress: Progress,
) -> Published:
    """Copy ``release``, which is in ``releases``, and its images.

    Images that its payload names in ``content_repository`` are read where ``repository_of`` says:
    here, or where an earlier release brought them. They get the tags ``<release>-<image>``, which
    also keep them from garbage collection. Images of other repositories are published where they
    are, and stay there. Raises PartlyDone, RegistryError, ContentError or StorageError.
    """
    if release.digest is None:
        raise ReleaseError(
            "a release in a folder cannot be published: it has no image",
            hint="name the release that it was extracted from",
        )
    references = {tag.name: parse_reference(pull_spec_of(tag)) for tag in release.tags}
    _check_reachable(references)
    copies = [
        ImageCopy(
            source=await repository_of(reference),
            reference=reference.selector,
            destination=content_target,
            tag=f"{release.name}-{name}",
        )
        for name, reference in references.items()
        if reference.repository == content_repository
    ]
    copier = ImageCopier(progress=progress)
    report = await copier.copy(copies)
    report.require_all()
    last = await copier.copy(
        [
            ImageCopy(
                source=releases,
                reference=release.digest,
                destination=releases_target,
                tag=release.name,
            )
        ]
    )
    last.require_all()
    return Published(
        release=release.name,
        digest=release.digest,
        reference=f"{releases_target.name}@{release.digest}",
        images=report,
    )


def _check_reachable(references: Mapping[str, Reference]) -> None:
    """Refuse a payload whose images no cluster could ever pull."""
    for name, reference in references.items():
        if reference.host == _NOWHERE:
            raise ReleaseError(
                f"the payload names {name} in {reference.repository}, which is on no server",
                hint="build it again with `publish.content` in the stream file, or without a "
                "stream file with --content",
            )
