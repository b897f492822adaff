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
from okd_payload.oci.digest import Digest
from okd_payload.oci.reference import Reference, parse_reference

Resolver = Callable[[Reference], Awaitable[Digest]]
"""Asks a registry for the digest behind a reference. Raises RegistryError."""


async def pin_images(
    plan: Plan, resolve: Resolver, *, locked: Mapping[str, Digest] | None = None
) -> tuple[Plan, dict[str, Digest]]:
    """``plan`` with every image of elsewhere by digest, and the digests by pull spec."""
    wanted = sorted(
        {
            node.reference
            for node in plan.nodes.values()
            if isinstance(node, ImportNode | ExternalNode) and node.reference
        }
    )
    digests: dict[str, Digest] = {}
    issues: list[Issue] = []

    async def pin(pull_spec: str) -> None:
        reference = parse_reference(pull_spec)
        known = reference.digest or (locked or {}).get(pull_spec)
        try:
            digests[pull_spec] = known or await resolve(reference)
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
    nodes = {name: _pinned(node, digests) for name, node in plan.nodes.items()}
    found = (*plan.issues, *sorted(issues, key=lambda issue: issue.message))
    pinned = msgspec.structs.replace(plan, nodes=nodes, issues=found)
    return pinned, dict(sorted(digests.items()))


def _pinned(node: Node, digests: Mapping[str, Digest]) -> Node:
    if isinstance(node, ImportNode | ExternalNode) and node.reference in digests:
        reference = parse_reference(node.reference).with_digest(digests[node.reference])
        return msgspec.structs.replace(node, reference=str(reference))
    return node


def _user_of(plan: Plan, pull_spec: str) -> str:
    """The name of a component or import that uses ``pull_spec``."""
    for name, node in plan.nodes.items():
        if isinstance(node, ImportNode) and node.reference == pull_spec:
            return name
    return next((child for child in plan.graph.children().get(pull_spec, ())), "")
