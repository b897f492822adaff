# SPDX-License-Identifier: Apache-2.0
"""Freezing the images of elsewhere that a plan uses: every pull spec gets a digest.

A lock answers first; only what it does not know is asked of a registry, all at the same time.
An image that cannot be found is an issue, so all of them are reported together.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping

import msgspec

from okd_payload.build.codes import IMAGE_UNAVAILABLE
from okd_payload.build.plan import ExternalNode, ImportNode, Node, Plan, component_name
from okd_payload.errors import ContentError, RegistryError
from okd_payload.issues import Issue
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.release.concurrency import map_concurrently
from okd_payload.source.lock import LockedImage

_AT_ONCE = 64
Resolver = Callable[[Reference], Awaitable[Descriptor]]
"""Asks a registry for the manifest behind a reference. Raises RegistryError."""


async def pin_images(
    plan: Plan,
    resolve: Resolver,
    *,
    locked: Mapping[str, LockedImage],
    leaving: Collection[str] = (),
) -> tuple[Plan, dict[str, LockedImage]]:
    """``plan`` with every image of elsewhere by digest, and what to lock by pull spec.

    The nodes ``leaving`` are left as they are.
    """

    async def pin(pull_spec: str) -> LockedImage | Issue:
        if pull_spec in locked:
            return locked[pull_spec]
        try:
            manifest = await resolve(parse_reference(pull_spec))
        except (RegistryError, ContentError) as error:
            return IMAGE_UNAVAILABLE.issue(
                f"{pull_spec}: {error.message}",
                component=_user_of(plan, pull_spec),
                hint=error.hint,
            )
        return LockedImage(manifest.digest, manifest.media_type, manifest.size)

    nodes = (node for name, node in plan.nodes.items() if name not in leaving)
    wanted = sorted({reference for node in nodes if (reference := _elsewhere(node))})
    found = await map_concurrently(pin, wanted, at_once=_AT_ONCE)
    pairs = list(zip(wanted, found, strict=True))
    images = {spec: image for spec, image in pairs if isinstance(image, LockedImage)}
    issues = tuple(issue for issue in found if isinstance(issue, Issue))
    pinned = {name: _pinned(node, images) for name, node in plan.nodes.items()}
    return msgspec.structs.replace(plan, nodes=pinned, issues=(*plan.issues, *issues)), images


def _elsewhere(node: Node) -> str:
    """The pull spec of ``node``, empty when its image is made here."""
    return node.reference if isinstance(node, ImportNode | ExternalNode) else ""


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
    children = plan.graph.children().get(pull_spec, ())
    return component_name(plan.nodes[children[0]]) if children else ""
