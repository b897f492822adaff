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
from okd_payload.build.plan import AliasNode, ComponentNode, Plan


class Intent(enum.Enum):
    """What would happen to a node."""

    BUILD = "build"
    IMPORT = "import"
    REUSE = "reuse"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen to one node, why, and the image it has already."""

    node: str
    intent: Intent
    reason: str
    image: MadeImage | None = None


async def preview(plan: Plan, maker: Maker) -> dict[str, Decision]:
    """A decision for every node of ``plan``, parents before children."""
    graph = plan.graph
    decisions: dict[str, Decision] = {}
    for wave in waves(graph):
        for name in wave:
            parents = {parent: decisions[parent].image for parent in graph.parents_of(name)}
            decisions[name] = await _decide(plan, maker, name, parents)
    return decisions


async def _decide(
    plan: Plan, maker: Maker, name: str, parents: dict[str, MadeImage | None]
) -> Decision:
    node = plan.nodes[name]
    known = {parent: image for parent, image in parents.items() if image is not None}
    if len(known) == len(parents):
        found = await maker.look_up(node, known)
        intent = Intent.BUILD if isinstance(node, ComponentNode) else Intent.IMPORT
        if found.image is not None:
            intent = Intent.REUSE
        return Decision(node=name, intent=intent, reason=found.reason, image=found.image)
    if isinstance(node, AliasNode):
        return Decision(node=name, intent=Intent.REUSE, reason=node.stub or f"is {node.target}")
    changed = min(parents.keys() - known.keys())
    return Decision(node=name, intent=Intent.BUILD, reason=f"parent {changed} is made again")
