# SPDX-License-Identifier: Apache-2.0
"""The tags of a repository, seen as an image stream.

A repository *is* the stream: whoever pushes a tag changes it. What is read here is a snapshot;
a tag that vanishes while it is taken is not in it. Tags that other tools keep for attachments
(``sha256-<digest>``, with or without a suffix such as ``.sig``) are no images of the stream, and
no more are those that only keep something from garbage collection (``build-<key>`` for whoever
builds, ``kept-<digest>`` for whoever made a release of it, ``snapshot-<digest>`` for what was
built from).
"""

from __future__ import annotations

import asyncio
import re

from okd_payload.errors import NotFound
from okd_payload.imagestream.model import ImageStream, ImageStreamTag
from okd_payload.oci.repository import Repository

_OTHER_PURPOSES = re.compile(r"sha256-[0-9a-f]{64}(\..*)?|(build|kept|snapshot)-[0-9a-f]{64}")
_CONCURRENCY = 32
"""Bound on requests under way; the registry client adapts below it to what the host bears."""


def is_of_stream(tag: str) -> bool:
    """Whether ``tag`` names an image of the stream, and is there for no other purpose."""
    return _OTHER_PURPOSES.fullmatch(tag) is None


async def read_repository(
    repository: Repository, *, name: str, published_as: str = ""
) -> ImageStream:
    """The tags of ``repository`` as the image stream ``name``.

    References name ``published_as`` where it is given, because a payload names the repository
    from which clusters will pull, not the one where its images were built.
    """
    wanted = [tag for tag in await repository.manifests.tags() if is_of_stream(tag)]
    pull_name = published_as or repository.name
    places = asyncio.Semaphore(_CONCURRENCY)

    async def read(tag: str) -> ImageStreamTag | None:
        async with places:
            try:
                digest = (await repository.manifests.get(tag)).digest
            except NotFound:
                return None
        return ImageStreamTag(name=tag, digest=digest, reference=f"{pull_name}@{digest}")

    reads = [asyncio.ensure_future(read(tag)) for tag in wanted]
    try:
        tags = await asyncio.gather(*reads)
    finally:
        for pending in reads:
            pending.cancel()
    return ImageStream(name=name, tags=tuple(tag for tag in tags if tag is not None))
