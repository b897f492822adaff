# SPDX-License-Identifier: Apache-2.0
"""What of the update graph of stable releases somebody should look at: for metrics and pages.

An update from the release before that nobody has seen work, and a release that no cluster is
recommended to leave, because every update out of it is blocked or failed its tests.
"""

from __future__ import annotations

import msgspec

from okd_payload.controller.graph.nodes import Node, Snapshot
from okd_payload.controller.graph.updates import (
    Update,
    find_neighbours,
    find_updates,
    owners_risks,
)


class UntestedUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """A stable release, and the one before it from which no update to it has passed."""

    stream: str
    release: str
    before: str
    has_failed: bool
    """Whether it was tried, and failed."""
    is_blocked: bool
    """Whether its owner keeps it from all clusters."""


class DeadEnd(msgspec.Struct, frozen=True, kw_only=True):
    """A stable release with newer ones, to none of which an update is recommended."""

    stream: str
    release: str
    following: str
    """The release after it,"""
    message: str
    """and why no cluster is recommended that."""


def find_gaps(snapshot: Snapshot, stream: str = "") -> list[UntestedUpdate]:
    """The gaps of ``stream``, of all stable streams without, the oldest releases first."""
    return [gap for nodes in _stable(snapshot, stream) for gap in _gaps(nodes, snapshot)]


def find_dead_ends(snapshot: Snapshot, stream: str = "") -> list[DeadEnd]:
    """The dead ends of ``stream``, of all stable streams without, the oldest releases first."""
    return [end for nodes in _stable(snapshot, stream) for end in _dead_ends(nodes, snapshot)]


def _stable(snapshot: Snapshot, stream: str) -> list[list[Node]]:
    """The nodes of each stable stream that are offered."""
    streams: dict[str, list[Node]] = {}
    for node in snapshot.nodes:
        if not node.is_stable or stream not in ("", node.stream):
            continue
        if node.is_offered and node.version is not None:
            streams.setdefault(node.stream, []).append(node)
    return list(streams.values())


def _gaps(nodes: list[Node], snapshot: Snapshot) -> list[UntestedUpdate]:
    found = []
    for source, target in find_neighbours(nodes):
        before, release = nodes[source].release, nodes[target].release
        tested = snapshot.tested.get((before, release))
        if tested is None or not tested.has_passed:
            rules = owners_risks(nodes[source], nodes[target], snapshot.rules)
            found.append(
                UntestedUpdate(
                    stream=nodes[target].stream,
                    release=release,
                    before=before,
                    has_failed=tested is not None and tested.has_failed,
                    is_blocked=any(not risk.promql for risk in rules),
                )
            )
    return found


def _dead_ends(nodes: list[Node], snapshot: Snapshot) -> list[DeadEnd]:
    out_of: dict[int, list[Update]] = {}
    for update in find_updates(nodes, snapshot):
        out_of.setdefault(update.source, []).append(update)
    return [
        DeadEnd(
            stream=nodes[source].stream,
            release=nodes[source].release,
            following=nodes[updates[0].target].release,
            message=_reason(updates[0]),
        )
        for source, updates in sorted(out_of.items())
        if all(map(_reason, updates))
    ]


def _reason(update: Update) -> str:
    """Why the update is recommended to no cluster; empty where it is to some."""
    return next((risk.message for risk in update.risks if not risk.promql), "")
