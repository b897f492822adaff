# SPDX-License-Identifier: Apache-2.0
"""The graph as the old controller gives it at ``/graph``, for clusters that ask there already.

Every release of every phase is a node; an update is there when a run of it succeeded, whatever
became of the release. Four rules are ours: what is called by no version is left out, because
clusters read none of a graph that has it; a payload that nobody could pull is left empty; no
update leads to such a release, nor to one that was withdrawn; and what a stream's owner blocks is
conditional instead of recommended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from okd_payload.controller.graph.cincinnati import Link, group_conditional
from okd_payload.controller.graph.document import ConditionalEdges, Fields
from okd_payload.controller.graph.nodes import Node, Snapshot
from okd_payload.controller.graph.updates import Update, owners_risks

_PASSED = ("stable-scos", "next-scos", "stable", "next")
"""Kinds of channels in which one success makes an update, the longer names first."""
_ALL = ("prerelease", "nightly")
"""Kinds of channels in which every update is shown that was ever tested."""
_NIGHTLY = "0-0.nightly-"


class OldNode(Fields, frozen=True, kw_only=True, omit_defaults=False):
    """A release."""

    version: str
    payload: str


class OldDocument(Fields, frozen=True, kw_only=True):
    """A whole graph; without updates that are conditional it looks as it always did.

    What is empty is an empty list: clients of the protocol take no null.
    """

    nodes: tuple[OldNode, ...]
    edges: tuple[tuple[int, int], ...]
    conditional_edges: tuple[ConditionalEdges, ...] = ()


class OldChannel(Fields, frozen=True, kw_only=True):
    """What a channel shows."""

    all_tested: bool
    prefix: str
    """Of the versions that its updates lead to."""


def parse_channel(text: str) -> OldChannel | None:
    """What the channel ``text`` shows; None when there is no such channel."""
    if text in ("", *_PASSED):
        return OldChannel(all_tested=False, prefix="")
    if text in _ALL:
        return OldChannel(all_tested=True, prefix="")
    for kind in (*_PASSED, *_ALL):
        if text.startswith(f"{kind}-"):
            version = text.removeprefix(f"{kind}-")
            prefix = f"{version}.{_NIGHTLY}" if kind == "nightly" else f"{version}."
            return OldChannel(all_tested=kind in _ALL, prefix=prefix)
    return None


def make_old_document(
    snapshot: Snapshot, *, channel: OldChannel, architecture: str, link: Link
) -> OldDocument:
    """The graph of ``channel``; of one architecture where the client names it."""
    nodes = [
        node
        for node in snapshot.nodes
        if node.is_called_by_version and architecture in ("", node.architecture)
    ]
    names = [node.release for node in nodes]
    updates = list(_updates(nodes, snapshot, channel))
    edges = tuple((each.source, each.target) for each in updates if not each.risks)
    return OldDocument(
        nodes=tuple(OldNode(version=node.release, payload=node.payload) for node in nodes),
        edges=edges,
        conditional_edges=group_conditional(updates, names, [link(node) for node in nodes]),
    )


def _updates(nodes: Sequence[Node], snapshot: Snapshot, channel: OldChannel) -> Iterator[Update]:
    places = {node.release: place for place, node in enumerate(nodes)}
    for tested in sorted(snapshot.tested.values(), key=lambda each: (each.target, each.source)):
        source, target = places.get(tested.source), places.get(tested.target)
        if source is None or target is None or not tested.target.startswith(channel.prefix):
            continue
        if nodes[target].withdrawn or not nodes[target].can_be_pulled:
            continue
        if not (channel.all_tested or tested.has_passed):
            continue
        risks = owners_risks(nodes[source], nodes[target], snapshot.rules)
        yield Update(source=source, target=target, risks=tuple(risks))
