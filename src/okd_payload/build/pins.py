# SPDX-License-Identifier: Apache-2.0
"""Freezing the images of elsewhere that a plan uses: every pull spec gets a digest.

A lock answers first; only what it does not know is asked of a registry, all at the same time.
An image that cannot be found is an issue, so all of them are reported together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from okd_payload.build.codes import IMAGE_UNAVAILABLE
from okd_payload.build.plan import ExternalNode, ImportNode, Node, Plan
from okd_payload.errors import ContentError, RegistryError
from okd_payload.issues import Issue
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.source.lock import LockedImage

Resolver = Callable[[Reference], Awaitable[Descriptor]]
"""Asks a registry for the manifest behind a reference. Raises RegistryError."""


async def pin_images(
    plan: Plan, resolve: Resolver, *, locked: Mapping[str, LockedImage]
) -> tuple[Plan, dict[str, LockedImage]]:
    """``plan`` with every image of elsewhere by digest, and what to lock by pull spec."""
    wanted = sorted(
        {
            node.reference
            for node in plan.nodes.values()
            if isinstance(node, ImportNode | ExternalNode) and node.reference
        }
    )
    images: dict[str, LockedImage] = {}
    issues: list[Issue] = []

    async def pin(pull_spec: str) -> None:
        try:
            images[pull_spec] = locked.get(pull_spec) or _locked(
                await resolve(parse_reference(pull_spec))
            )
        except (RegistryError, ContentError) as error:
            issues.append(
                IMAGE_UNAVAILABLE.issue(
                    f"{pull_spec}: {error.message}",
                    component=_user_of(plan, pull_spec),
                    hint=error.hint,
                )
            )

    async with asyncio.TaskGroup() as group:
        for pull_spec in wanted:
            group.create_task(pin(pull_spec))
    nodes = {name: _pinned(node, images) for name, node in plan.nodes.items()}
    found = (*plan.issues, *sorted(issues, key=lambda issue: issue.message))
    pinned = msgspec.structs.replace(plan, nodes=nodes, issues=found)
    return pinned, dict(sorted(images.items()))


def _locked(manifest: Descriptor) -> LockedImage:
    return LockedImage(manifest.digest, manifest.media_type, manifest.size)


def _pinned(node: Node, images: Mapping[str, LockedImage]) -> Node:
    if isinstance(node, ImportNode | ExternalNode) and node.reference in images:
        reference = parse_reference(node.reference).with_digest(images[node.reference].digest)
        return msgspec.structs.replace(node, reference=str(reference))
    return node


def _user_of(plan: Plan, pull_spec: str) -> str:
    """The name of a component or import that uses ``pull_spec``."""
    for name, node in plan.nodes.items():
        if isinstance(node, ImportNode) and node.reference == pull_spec:
            return name
    return next((child for child in plan.graph.children().get(pull_spec, ())), "")
