# SPDX-License-Identifier: Apache-2.0
"""What carrying out a plan would do, and why, without doing it.

An image whose parents are all there has a key, so it is known whether it would be reused.
Below the first build keys are unknown: such nodes are announced as builds because of their
parent, although the run may find that the parent came out the same and reuse them after all.
"""

from __future__ import annotations

import enum

import msgspec

from okd_payload.build.graph import waves
from okd_payload.build.images import MadeImage
from okd_payload.build.maker import Maker
from okd_payload.build.plan import AliasNode, ComponentNode, Node, Plan
from okd_payload.errors import OkdPayloadError


class Intent(enum.Enum):
    """What would happen to a node."""

    BUILD = "build"
    IMPORT = "import"
    REUSE = "reuse"
    FAIL = "fail"
    """Known before anything runs: issues that a stream permits are no less true for that."""
    SKIP = "skip"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen to one node, why, and the image it has already."""

    node: str
    intent: Intent
    reason: str
    hint: str = ""
    """What to do about a failure."""
    image: MadeImage | None = None


async def preview(plan: Plan, maker: Maker) -> dict[str, Decision]:
    """A decision for every node of ``plan``, parents before children."""
    graph = plan.graph
    decisions: dict[str, Decision] = {}
    for wave in waves(graph):
        for name in wave:
            parents = {parent: decisions[parent] for parent in graph.parents_of(name)}
            decisions[name] = await _decide(plan.nodes[name], maker, parents)
    return decisions


async def _decide(node: Node, maker: Maker, parents: dict[str, Decision]) -> Decision:
    for parent, decision in parents.items():
        if decision.intent in (Intent.FAIL, Intent.SKIP):
            return Decision(node=node.name, intent=Intent.SKIP, reason=f"{parent} fails")
    images = {name: each.image for name, each in parents.items() if each.image is not None}
    if len(images) == len(parents):
        return await _look_up(node, maker, images)
    if isinstance(node, AliasNode):
        reason = node.stub or f"is {node.target}"
        return Decision(node=node.name, intent=Intent.REUSE, reason=reason)
    changed = min(parents.keys() - images.keys())
    reason = f"parent {changed} is made again"
    return Decision(node=node.name, intent=Intent.BUILD, reason=reason)


async def _look_up(node: Node, maker: Maker, parents: dict[str, MadeImage]) -> Decision:
    try:
        found = await maker.look_up(node, parents)
    except OkdPayloadError as error:
        return Decision(node=node.name, intent=Intent.FAIL, reason=error.message, hint=error.hint)
    intent = Intent.BUILD if isinstance(node, ComponentNode) else Intent.IMPORT
    if found.image is not None:
        intent = Intent.REUSE
    return Decision(node=node.name, intent=intent, reason=found.reason, image=found.image)
