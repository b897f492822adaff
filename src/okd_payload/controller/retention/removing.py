# SPDX-License-Identifier: Apache-2.0
"""Taking a tag of ours out of a repository that others use as well.

A tag goes alone where the repository can do that. Where only whole manifests can go, one goes
only when no other tag leads to it, also not by way of an index: a registry takes every tag along
with its manifest. A tag that leads elsewhere than it did when it was ours is ours no more.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator

from okd_payload.errors import NotFound, RegistryRefused, Unauthorized
from okd_payload.oci.digest import Digest
from okd_payload.oci.repository import (
    Manifests,
    RemovesManifests,
    RemovesTags,
    Repository,
    stat_manifest,
)


class Removed(enum.Enum):
    """What came of taking a tag away."""

    GONE = "gone"
    """It is not there any more, or was not."""
    NEEDED = "needed"
    """Others hold what it leads to, or it leads to something that is not ours: it stays."""
    REFUSED = "refused"
    """The repository does not let go of anything."""


async def remove_tag(repository: Repository, tag: str, digest: Digest) -> Removed:
    """Take ``tag``, which led to ``digest`` when we made it, out of ``repository``.

    Raises RegistryError when the repository cannot be asked now.
    """
    manifests = repository.manifests
    found = await stat_manifest(manifests, tag)
    if found is None:
        return Removed.GONE
    if found.digest != digest:
        return Removed.NEEDED
    for way in (_untag, _delete):
        outcome = await way(manifests, tag, digest)
        if outcome is not Removed.REFUSED:
            return outcome
    return Removed.REFUSED


async def _untag(manifests: Manifests, tag: str, _digest: Digest) -> Removed:
    if not isinstance(manifests, RemovesTags):
        return Removed.REFUSED
    try:
        await manifests.untag(tag)
    except NotFound:
        return Removed.GONE
    except (RegistryRefused, Unauthorized):
        return Removed.REFUSED  # it knows no tags without their manifests
    return Removed.GONE


async def _delete(manifests: Manifests, tag: str, digest: Digest) -> Removed:
    if not isinstance(manifests, RemovesManifests):
        return Removed.REFUSED
    async for other in _led_to(manifests, leaving_out=tag):
        if other == digest:
            return Removed.NEEDED
    try:
        await manifests.delete(digest)
    except NotFound:
        return Removed.GONE
    except (RegistryRefused, Unauthorized):
        return Removed.REFUSED
    return Removed.GONE


async def _led_to(manifests: Manifests, *, leaving_out: str) -> AsyncIterator[Digest]:
    """Every manifest that a tag leads to, members of indexes and what they are attached to too."""
    for tag in await manifests.tags():
        if tag == leaving_out:
            continue
        try:
            manifest = await manifests.get(tag)
        except NotFound:
            continue  # it went meanwhile
        yield manifest.digest
        if manifest.is_index:
            for member in manifest.index().manifests:
                yield member.digest
