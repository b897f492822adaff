# SPDX-License-Identifier: Apache-2.0
"""The part of a plan that is work of its own, for those who run each piece of it by itself.

Components are built and some imports are made by a command: each is a piece of work. An alias is
the image that it stands for. Images of elsewhere are copied, all of them at once and before
anything else: a piece of work for each would cost more than the copying.
"""

from __future__ import annotations

import hashlib

import msgspec

from okd_payload.build.graph import Graph
from okd_payload.build.plan import AliasNode, ComponentNode, ExternalNode, ImportNode, Plan

COPIED = "<images of elsewhere>"
"""Stands for all images that are copied; no image can be called so."""


class WorkGraph(msgspec.Struct, frozen=True):
    """Pieces of work by the image they make, and what each waits for: others, or ``COPIED``."""

    waits: dict[str, tuple[str, ...]]
    copies: bool
    """Whether there are images of elsewhere to be copied."""

    @property
    def graph(self) -> Graph:
        """The pieces of work alone."""
        return Graph(self.waits)

    @property
    def digest(self) -> str:
        """A short name for this graph: equal graphs, equal names."""
        facts = [sorted(self.waits.items()), self.copies]
        return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()[:16]


def work_graph(plan: Plan) -> WorkGraph:
    """The work graph of ``plan``."""
    copied = {
        name
        for name, node in plan.nodes.items()
        if isinstance(node, ExternalNode) or (isinstance(node, ImportNode) and not node.command)
    }
    graph = plan.graph
    waits = {
        name: tuple(sorted({_meant(plan, parent, copied) for parent in graph.parents_of(name)}))
        for name, node in sorted(plan.nodes.items())
        if isinstance(node, ComponentNode) or (isinstance(node, ImportNode) and node.command)
    }
    return WorkGraph(waits, copies=bool(copied))


def _meant(plan: Plan, name: str, copied: set[str]) -> str:
    """What ``name`` waits for: the work behind it."""
    while isinstance(node := plan.nodes[name], AliasNode):
        name = node.target
    return COPIED if name in copied else name
