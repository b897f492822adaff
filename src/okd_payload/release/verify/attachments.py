# SPDX-License-Identifier: Apache-2.0
"""What is attached to the images of a release: signatures and attestations of sigstore and others.

They are listed and not verified: which identities and keys to trust is a policy that clusters
have in objects of their own (ClusterImagePolicy), and judging by another would promise too much.
The list answers the question that mirrors raise: did the attachments come along?
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from okd_payload.errors import ContentError, RegistryError
from okd_payload.oci.digest import Digest
from okd_payload.oci.referrers import COSIGN_SUFFIXES, list_tag
from okd_payload.oci.repository import Repository
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.verify.images import FoundImage

_AT_ONCE = 64


class Attachment(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that points at an image."""

    component: str
    """Empty for the release image."""
    subject: str
    """The digest that it is about."""
    digest: str
    tag: str = ""
    """The tag by which cosign finds it; empty for a referrer."""
    artifact_type: str = ""


async def list_attachments(found: Iterable[FoundImage]) -> list[Attachment]:
    """What is attached to every manifest of ``found``, in their order.

    Registries that cannot be asked have nothing to list; ``images`` tells of them.
    """
    wanted = {
        (item.subject.repository.name, digest): (item.subject.name, item.subject.repository, digest)
        for item in reversed(list(found))
        for digest in item.manifests
    }

    async def look(asked: tuple[str, Repository, Digest]) -> list[Attachment]:
        component, repository, digest = asked
        return [
            *await _find_tagged(component, repository, digest),
            *await _find_referrers(component, repository, digest),
        ]

    listed = await map_concurrently(look, reversed(list(wanted.values())), at_once=_AT_ONCE)
    return [item for items in listed for item in items]


async def _find_tagged(component: str, repository: Repository, digest: Digest) -> list[Attachment]:
    attachments = []
    for suffix in COSIGN_SUFFIXES:
        tag = f"{list_tag(digest)}{suffix}"
        try:
            manifest = await repository.manifests.get(tag)
        except (RegistryError, ContentError):
            continue
        attachments.append(
            Attachment(component=component, subject=digest, digest=manifest.digest, tag=tag)
        )
    return attachments


async def _find_referrers(
    component: str, repository: Repository, digest: Digest
) -> list[Attachment]:
    try:
        referrers = await repository.manifests.referrers(digest)
    except (RegistryError, ContentError):
        return []
    return [
        Attachment(
            component=component,
            subject=digest,
            digest=item.digest,
            artifact_type=item.artifact_type,
        )
        for item in referrers
    ]
