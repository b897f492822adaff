# SPDX-License-Identifier: Apache-2.0
"""Which images a stream needs that no payload has: bases, builders, whatever others copy from.

That an image is not in a release says nothing about it as long as something in the release is
built on it. What is built on what, Dockerfiles know; one that could not be read might name
anything, so nothing is taken for unneeded before all are read.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from okd_payload.build.codes import INVALID_DOCKERFILE, MISSING_DOCKERFILE, SOURCE_UNAVAILABLE
from okd_payload.build.freeze import read_plan
from okd_payload.build.graph import ancestors
from okd_payload.catalog.catalog import Catalog
from okd_payload.oci.manifest import Platform
from okd_payload.source.lock import Lock
from okd_payload.source.model import SourceTree

_UNREAD = frozenset({SOURCE_UNAVAILABLE.code, MISSING_DOCKERFILE.code, INVALID_DOCKERFILE.code})


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What some images are built on."""

    tags: frozenset[str] = frozenset()
    unread: tuple[str, ...] = ()
    """Components whose Dockerfiles could not be read, so that they may need more."""


async def find_needs(
    catalog: Catalog, tags: Collection[str], *, sources: SourceTree, platform: Platform, lock: Lock
) -> Needs:
    """What the images ``tags`` are built on, some of them on each other, read from Dockerfiles.

    Raises MissingTool or StorageError when no source can be read at all.
    """
    start = frozenset(tags) & catalog.tags.keys()
    plan = await read_plan(catalog, start, sources=sources, platform=platform, lock=lock)
    reached = start | ancestors(plan.graph, start)
    needed = {parent for node in reached for parent in plan.graph.parents_of(node)}
    involved = {node.component.name for node in plan.components if node.name in reached}
    unread = {issue.component for issue in plan.issues if issue.code in _UNREAD}
    return Needs(tags=frozenset(needed), unread=tuple(sorted(unread & involved)))
