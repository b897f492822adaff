# SPDX-License-Identifier: Apache-2.0
"""A release that is tagged only after it was read back and found to be sound.

Whoever makes releases by itself goes this way: assemble, store without a tag, read it as a
cluster would, and let the tag lead to it only then. The same call finishes what was interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from okd_payload.issues import Issue, Permit, Severity, apply_permits
from okd_payload.oci.digest import Digest
from okd_payload.oci.repository import Repository
from okd_payload.progress import Progress, ignore_progress
from okd_payload.release.inputs import ReleaseInput
from okd_payload.release.lint.base import lint_base
from okd_payload.release.lint.check import BUILD_CHECKS, lint_images, lint_release
from okd_payload.release.load import read_release
from okd_payload.release.new.assemble import (
    AssembledRelease,
    assemble_payload,
    find_base,
    permit,
    put_on_base,
)
from okd_payload.release.new.images import RepositoryOf
from okd_payload.release.new.payload import ReleaseOptions
from okd_payload.release.new.publish import publish_release


class CheckedRelease(msgspec.Struct, frozen=True, kw_only=True):
    """A release, unless an issue blocked it, and everything that was found."""

    issues: tuple[Issue, ...]
    release: AssembledRelease | None = None


async def make_checked(
    given: ReleaseInput,
    *,
    options: ReleaseOptions,
    target: Repository,
    repository_of: RepositoryOf,
    permits: Sequence[Permit] = (),
    keep_lists: bool = False,
    progress: Progress = ignore_progress,
) -> CheckedRelease:
    """The release of ``given``, stored in ``target``, tagged with its name unless issues block.

    Raises ReleaseError when there is nothing to make it of, and RegistryError.
    """
    payload = await assemble_payload(
        given,
        options=options,
        repository_of=repository_of,
        keep_lists=keep_lists,
        progress=progress,
    )
    payload = permit(payload, permits)
    if not payload.is_sound:
        return CheckedRelease(issues=payload.issues)
    assembled = await put_on_base(
        payload, find_base(given, options), repository_of=repository_of, keep_lists=keep_lists
    )
    await publish_release(assembled, target, tag=None, repository_of=repository_of)
    found = await _read_back(target, assembled.digest, repository_of, permits)
    issues = (*payload.issues, *found)
    if any(issue.blocks for issue in issues):
        return CheckedRelease(issues=issues)
    await target.manifests.put(assembled.image.manifest, tag=assembled.name)
    return CheckedRelease(issues=issues, release=assembled)


async def _read_back(
    target: Repository, digest: Digest, repository_of: RepositoryOf, permits: Sequence[Permit]
) -> list[Issue]:
    """Every issue of the stored release, as a cluster would come upon it."""
    content = await read_release(target, digest)
    found = lint_release(content, checks=BUILD_CHECKS)
    found += await lint_base(content, target)
    found += await lint_images(content, repository_of)
    return apply_permits([each for each in found if each.severity is not Severity.NOTICE], permits)
