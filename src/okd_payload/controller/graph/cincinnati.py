# SPDX-License-Identifier: Apache-2.0
"""The graph of a channel as the Cincinnati protocol has it.

Only releases that clusters may run are nodes: accepted ones, and tombstones. The order is that of
versions, so that the same records always give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from okd_payload.controller.graph.addresses import is_address
from okd_payload.controller.graph.channels import all_channels, is_in
from okd_payload.controller.graph.document import (
    ARCHITECTURE_KEY,
    CHANNELS_KEY,
    REFERENCE_KEY,
    URL_KEY,
    WITHDRAWN_KEY,
    ConditionalEdge,
    ConditionalEdges,
    GraphDocument,
    GraphNode,
    GraphRisk,
    always,
    where,
)
from okd_payload.controller.graph.nodes import MULTI, Node, Snapshot
from okd_payload.controller.graph.updates import Risk, Update, find_updates
from okd_payload.release import labels

Link = Callable[[Node], str]
"""Gives the address at which people read about a release."""


def select_nodes(snapshot: Snapshot, *, channel: str, architecture: str) -> list[Node]:
    """The releases of a channel for an architecture, in the order of versions, each once.

    Where two streams have the same version, the one that is offered counts. To a cluster versions
    are the same that differ in build metadata alone.
    """
    found: dict[tuple[object, ...], Node] = {}
    for node in snapshot.nodes:
        if node.version is None or node.architecture != architecture:
            continue
        if not (node.is_offered or node.is_tombstone):
            continue
        if not is_in(channel, node.channels, node.version):
            continue
        version = node.version
        same = (version.major, version.minor, version.patch, version.prerelease)
        before = found.get(same)
        if before is None or (node.is_offered and not before.is_offered):
            found[same] = node
    return list(found.values())


def make_document(
    snapshot: Snapshot, *, channel: str, architecture: str, link: Link
) -> GraphDocument:
    """The graph of ``channel`` for clusters of ``architecture``; empty where nobody is in it."""
    nodes = select_nodes(snapshot, channel=channel, architecture=architecture)
    updates = find_updates(nodes, snapshot)
    minors = frozenset(
        (node.version.major, node.version.minor) for node in nodes if node.version is not None
    )
    return GraphDocument(
        nodes=tuple(_node(node, minors, link) for node in nodes),
        edges=tuple((each.source, each.target) for each in updates if not each.risks),
        conditional_edges=group_conditional(
            updates, [_name(node) for node in nodes], [link(node) for node in nodes]
        ),
    )


def group_conditional(
    updates: Iterable[Update], names: Sequence[str], links: Sequence[str]
) -> tuple[ConditionalEdges, ...]:
    """The updates that carry risks, those with the same risks together.

    ``names`` and ``links`` are those of the nodes; where a risk has no address, that of the
    release it is of stands for it.
    """
    groups: dict[tuple[GraphRisk, ...], list[ConditionalEdge]] = {}
    for update in updates:
        if update.risks:
            source, target = update.source, update.target
            risks = tuple(_risk(risk, links[target]) for risk in _by_name(update.risks))
            groups.setdefault(risks, []).append(
                ConditionalEdge(source=names[source], target=names[target])
            )
    return tuple(
        ConditionalEdges(edges=tuple(group), risks=risks) for risks, group in groups.items()
    )


def _by_name(risks: Iterable[Risk]) -> list[Risk]:
    """``risks``, of each name the first: a cluster refuses two of the same."""
    return list({risk.name: risk for risk in reversed(list(risks))}.values())[::-1]


def _node(node: Node, minors: frozenset[tuple[int, int]], link: Link) -> GraphNode:
    channels = all_channels(node.channels, node.version, minors) if node.version else node.channels
    metadata = {
        CHANNELS_KEY: ",".join(channels),
        REFERENCE_KEY: node.digest,
        ARCHITECTURE_KEY: node.architecture,
        URL_KEY: node.url if is_address(node.url) else link(node),
    }
    if node.architecture == MULTI:
        metadata[labels.ARCHITECTURE] = MULTI
    if not node.is_offered:
        metadata[WITHDRAWN_KEY] = "true"
    return GraphNode(version=_name(node), payload=node.payload, metadata=metadata)


def _risk(risk: Risk, otherwise: str) -> GraphRisk:
    return GraphRisk(
        url=risk.url if is_address(risk.url) else otherwise,
        name=risk.name,
        message=risk.message,
        matching_rules=(where(risk.promql) if risk.promql else always(),),
    )


def _name(node: Node) -> str:
    return str(node.version) if node.version is not None else node.release
