# SPDX-License-Identifier: Apache-2.0
"""Whether every image of a release is wholly there, at exactly the pull spec it goes by.

"manifest unknown" at a user's site has three causes: the image was never pushed there, a member
of its list was not, or a clean-up took a blob away. So each manifest is read and hashed, lists
down to their last member, and each blob is asked for in the repository of its image (``blobs``).
Nothing is answered from a cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from okd_payload.errors import ContentError, InvalidReference, NotFound, RegistryError
from okd_payload.imagestream.openshift import TagReference
from okd_payload.issues import Issue
from okd_payload.oci.digest import Digest, is_digest
from okd_payload.oci.image import MAX_INDEX_DEPTH
from okd_payload.oci.manifest import Descriptor, Manifest
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.repository import Repository
from okd_payload.release import codes as release_codes
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.new.images import RepositoryOf
from okd_payload.release.verify import codes
from okd_payload.release.verify.blobs import check_blobs, gather_uses

_AT_ONCE = 64
_PUSH_HINT = "push the image again, whole (`okd-payload copy`), or make the release again"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """An image to be verified: what the release calls it, and where it must be."""

    name: str
    """The component; empty for the release image itself."""
    repository: Repository
    selector: str

    @property
    def pull_spec(self) -> str:
        """Where it must be, for people."""
        separator = "@" if is_digest(self.selector) else ":"
        return f"{self.repository.name}{separator}{self.selector}"


class FoundImage(msgspec.Struct, frozen=True, kw_only=True):
    """What is there of one subject, and what was wrong with it."""

    subject: Subject
    manifests: tuple[Digest, ...]
    """The image's manifest, and of a list all members' after the list's own."""
    blobs: tuple[Descriptor, ...]
    issues: tuple[Issue, ...]


class VerifiedImages(msgspec.Struct, frozen=True, kw_only=True):
    """How much was looked at, and what was wrong with it."""

    found: tuple[FoundImage, ...]
    manifests: int
    blobs: int
    bytes: int
    issues: tuple[Issue, ...]


async def find_subjects(
    tags: Iterable[TagReference], repository_of: RepositoryOf
) -> tuple[list[Subject], list[Issue]]:
    """The components to verify, and an issue for each that names no image, or none for good.

    Nothing is asked of any registry.
    """
    subjects: list[Subject] = []
    issues: list[Issue] = []
    for tag in tags:
        try:
            reference = parse_reference(pull_spec_of(tag))
        except InvalidReference as error:
            invalid = release_codes.INVALID_PULL_SPEC
            issues.append(invalid.issue(error.message, component=tag.name, hint=error.hint))
            continue
        if reference.digest is None:
            issues.append(
                release_codes.FLOATING_IMAGE.issue(
                    f"{reference} names no digest: what is verified now may change",
                    component=tag.name,
                    hint="give the image by digest",
                )
            )
        repository = await repository_of(reference)
        subjects.append(Subject(name=tag.name, repository=repository, selector=reference.selector))
    return subjects, issues


async def verify_images(subjects: Iterable[Subject], *, read_blobs: bool = False) -> VerifiedImages:
    """Look for all manifests and blobs of ``subjects``; with ``read_blobs`` hash these, too."""
    found = await map_concurrently(_find_image, list(subjects), at_once=_AT_ONCE)
    uses = gather_uses(
        (item.subject.repository, item.subject.name, blob) for item in found for blob in item.blobs
    )
    faults = await check_blobs(uses, read=read_blobs)
    manifests = {
        (item.subject.repository.name, digest) for item in found for digest in item.manifests
    }
    return VerifiedImages(
        found=tuple(found),
        manifests=len(manifests),
        blobs=len(uses),
        bytes=sum(use.blob.size for use in uses),
        issues=(*(issue for item in found for issue in item.issues), *faults),
    )


async def _find_image(subject: Subject) -> FoundImage:
    """The manifest of ``subject`` and, of a list, those of all members."""
    manifests: dict[Digest, None] = {}
    blobs: list[Descriptor] = []
    issues: list[Issue] = []
    wanted = [(subject.selector, subject.pull_spec)]
    for _ in range(MAX_INDEX_DEPTH):
        members: list[tuple[str, str]] = []
        for selector, described in wanted:
            try:
                manifest = await subject.repository.manifests.get(selector)
                if manifest.is_index:
                    members += _members(subject, manifest)
                else:
                    blobs += manifest.image().blobs
                manifests[manifest.digest] = None
            except (RegistryError, ContentError) as error:
                issues.append(_make_issue(subject, described, error))
        wanted = [member for member in members if member[0] not in manifests]
    return FoundImage(
        subject=subject, manifests=tuple(manifests), blobs=tuple(blobs), issues=tuple(issues)
    )


def _members(subject: Subject, index: Manifest) -> Iterator[tuple[str, str]]:
    """The digest of each member, and what to call it."""
    for member in index.index().manifests:
        platform = f" for {member.platform}" if member.platform else ""
        yield member.digest, f"{subject.repository.name}@{member.digest}{platform}"


def _make_issue(subject: Subject, described: str, error: RegistryError | ContentError) -> Issue:
    listed = "" if described == subject.pull_spec else f", listed by {subject.pull_spec},"
    match error:
        case NotFound():
            return codes.ABSENT_IMAGE.issue(
                f"{described}{listed} is not there: clients say `manifest unknown`",
                component=subject.name,
                hint=_PUSH_HINT,
            )
        case ContentError():
            return codes.DAMAGED_IMAGE.issue(
                f"{described}{listed} cannot be used: {error.message}",
                component=subject.name,
                hint=error.hint,
            )
        case _:
            return codes.UNREACHABLE_IMAGE.issue(
                f"{described}{listed} cannot be looked at: {error.message}",
                component=subject.name,
                hint=error.hint,
            )
