# SPDX-License-Identifier: Apache-2.0
"""One image of a plan, where somebody else makes the others: a pod for each component.

Nobody hands images on from pod to pod. Each is found by its build key in the repository that all
write to, which is exact: a parent that was built from anything else is not found. So a pod may
run again, late or out of turn, and either does what is missing or nothing.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from okd_payload.build.graph import waves
from okd_payload.build.images import MadeImage, StreamImages
from okd_payload.build.maker import Made, Maker
from okd_payload.build.plan import (
    AliasNode,
    ComponentNode,
    ExternalNode,
    ImportNode,
    Node,
    Plan,
    component_name,
)
from okd_payload.build.preview import Decision, preview
from okd_payload.errors import BuildError, UnknownName
from okd_payload.release.concurrency import map_concurrently


class FoundImages(msgspec.Struct, frozen=True, kw_only=True):
    """Which images of a plan are in the repository now."""

    images: dict[str, MadeImage]
    missing: tuple[Decision, ...]
    """Why the others are not, parents before children."""


def find_node(plan: Plan, name: str) -> Node:
    """The node that people call ``name``: by its tag, or by the component's own name.

    Raises UnknownName.
    """
    by_name = {component_name(node): node for node in plan.nodes.values()}
    node = plan.nodes.get(name) or by_name.get(name)
    if node is None:
        raise UnknownName("component", name, known={*plan.nodes, *by_name})
    return node


async def find_images(plan: Plan, maker: Maker) -> FoundImages:
    """Every image of ``plan`` that is in the repository, by its key."""
    decisions = await preview(plan, maker)
    return FoundImages(
        images={name: each.image for name, each in decisions.items() if each.image is not None},
        missing=tuple(each for each in decisions.values() if each.image is None),
    )


async def make_one(plan: Plan, node: Node, *, maker: Maker, log: Path) -> Made:
    """The image of ``node``, whose parents were built before, and ``plan`` has them all.

    Images of elsewhere are brought in when nobody has done that. Raises BuildError for a
    component that is not there, and what the maker raises.
    """
    images: dict[str, MadeImage] = {}
    graph = plan.graph
    for wave in waves(graph):
        for name in wave:
            each = plan.nodes[name]
            parents = {parent: images[parent] for parent in graph.parents_of(name)}
            if name == node.name:
                return await maker.make(each, parents, log=log)
            images[name] = await _find_parent(each, parents, node, maker=maker, log=log)
    raise UnknownName("component", node.name, known=plan.nodes)


async def bring_imports(plan: Plan, *, maker: Maker, folder: Path, at_once: int) -> list[Made]:
    """Every image of ``plan`` that comes from elsewhere, in the repository now.

    What a command makes is left: that is work of its own. Raises OkdPayloadError.
    """

    async def bring(node: ImportNode | ExternalNode) -> Made:
        name = node.name.replace("/", "_").replace(":", "_")
        return await maker.make(node, {}, log=folder / f"{name}.log")

    return await map_concurrently(bring, foreign_images(plan), at_once=at_once)


async def tag_aliases(plan: Plan, found: FoundImages, images: StreamImages) -> None:
    """Let the aliases of ``plan`` be tags of the stream: no piece of work makes them."""
    for name, node in plan.nodes.items():
        if isinstance(node, AliasNode) and name in found.images:
            await images.publish(found.images[name].digest, name)


def foreign_images(plan: Plan) -> list[ImportNode | ExternalNode]:
    """The nodes whose images are copied from a registry."""
    return [
        node
        for node in plan.nodes.values()
        if isinstance(node, ExternalNode) or (isinstance(node, ImportNode) and not node.command)
    ]


async def _find_parent(
    node: Node, parents: dict[str, MadeImage], child: Node, *, maker: Maker, log: Path
) -> MadeImage:
    if isinstance(node, AliasNode):
        return parents[node.target]
    found = await maker.look_up(node, parents)
    if found.image is not None:
        return found.image
    if isinstance(node, ComponentNode):
        raise BuildError(
            f"{component_name(child)} stands on {component_name(node)}, which is not built "
            f"from these sources: {found.reason}",
            hint=f"build {component_name(node)} first, or select it too",
        )
    return (await maker.make(node, parents, log=log)).image
