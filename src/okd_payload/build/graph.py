# SPDX-License-Identifier: Apache-2.0
"""The dependency graph of a stream, as pure data.

A node is a tag, its parents are the tags that must exist before it can be built. Nothing here
knows what a build is: the functions answer which nodes can run, in which order, and how long
the longest way through is. All results are sorted, so equal graphs give equal plans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec


class Graph(msgspec.Struct, frozen=True):
    """Parents by node. Parents that are not nodes themselves are available from the start."""

    parents: dict[str, tuple[str, ...]]

    def parents_of(self, node: str) -> tuple[str, ...]:
        """The parents of ``node`` that are nodes of this graph."""
        return tuple(parent for parent in self.parents[node] if parent in self.parents)

    def children(self) -> dict[str, tuple[str, ...]]:
        """Children by node, sorted."""
        found: dict[str, list[str]] = {node: [] for node in self.parents}
        for node in sorted(self.parents):
            for parent in set(self.parents_of(node)):
                found[parent].append(node)
        return {node: tuple(children) for node, children in found.items()}

    def without(self, nodes: Iterable[str]) -> Graph:
        """This graph less ``nodes``."""
        dropped = set(nodes)
        return Graph({node: self.parents[node] for node in self.parents if node not in dropped})


def find_cycle(graph: Graph) -> tuple[str, ...]:
    """One cycle, first node repeated at the end, or nothing when the graph has none.

    The walk follows parents among the nodes that no topological order reaches, so it must
    meet a node again; the cycle starts at its smallest name.
    """
    left = set(graph.parents) - {node for wave in waves(graph) for node in wave}
    if not left:
        return ()
    walked: list[str] = []
    node = min(left)
    while node not in walked:
        walked.append(node)
        node = min(parent for parent in graph.parents_of(node) if parent in left)
    cycle = walked[walked.index(node) :]
    first = cycle.index(min(cycle))
    turned = cycle[first:] + cycle[:first]
    return (*turned, turned[0])


def waves(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """Nodes by level: each wave needs only earlier ones. Nodes in cycles are left out."""
    children = graph.children()
    missing = {node: len(set(graph.parents_of(node))) for node in graph.parents}
    wave = sorted(node for node, count in missing.items() if count == 0)
    found = []
    while wave:
        found.append(tuple(wave))
        following = []
        for node in wave:
            for child in children[node]:
                missing[child] -= 1
                if missing[child] == 0:
                    following.append(child)
        wave = sorted(following)
    return tuple(found)


def path_lengths(graph: Graph, weights: Mapping[str, float]) -> dict[str, float]:
    """For every node, the weight of the heaviest way from it (itself included) to an end.

    This is the priority of a node: whoever starts the longest way first ends first.
    """
    children = graph.children()
    lengths: dict[str, float] = {}
    for wave in reversed(waves(graph)):
        for node in wave:
            beyond = max((lengths[child] for child in children[node]), default=0.0)
            lengths[node] = weights.get(node, 1.0) + beyond
    return lengths


def critical_path(graph: Graph, weights: Mapping[str, float]) -> tuple[str, ...]:
    """The heaviest way through the graph, from a node without parents to an end."""
    lengths = path_lengths(graph, weights)
    children = graph.children()
    path: list[str] = []
    candidates: Iterable[str] = (node for node in lengths if not graph.parents_of(node))
    while chosen := min(candidates, key=lambda node: (-lengths[node], node), default=""):
        path.append(chosen)
        candidates = children[chosen]
    return tuple(path)


def descendants(graph: Graph, nodes: Iterable[str]) -> frozenset[str]:
    """Everything that is built on ``nodes``, directly or not, without ``nodes``."""
    start = frozenset(nodes)
    return _reach(start, graph.children()) - start


def ancestors(graph: Graph, nodes: Iterable[str]) -> frozenset[str]:
    """Everything that ``nodes`` are built on, directly or not, without ``nodes``."""
    start = frozenset(nodes)
    return _reach(start, {node: graph.parents_of(node) for node in graph.parents}) - start


def _reach(start: frozenset[str], following: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    seen = set(start)
    ahead = list(start)
    while ahead:
        for node in following.get(ahead.pop(), ()):
            if node not in seen:
                seen.add(node)
                ahead.append(node)
    return frozenset(seen)
