# SPDX-License-Identifier: Apache-2.0
"""Stable releases that no tested update leads to from the release before them.

Clusters are offered that update, and nobody has seen it work: an alert for metrics and pages.
"""

from __future__ import annotations

import msgspec

from okd_payload.controller.graph.nodes import Node, Snapshot
from okd_payload.controller.graph.updates import find_neighbours


class UntestedUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """A stable release, and the one before it from which no update to it has passed."""

    stream: str
    release: str
    before: str
    has_failed: bool
    """Whether it was tried, and failed."""


def find_gaps(snapshot: Snapshot, stream: str = "") -> list[UntestedUpdate]:
    """The gaps of ``stream``, of all stable streams without, the oldest releases first."""
    streams: dict[str, list[Node]] = {}
    for node in snapshot.nodes:
        if not node.is_stable or stream not in ("", node.stream):
            continue
        if node.is_offered and node.version is not None:
            streams.setdefault(node.stream, []).append(node)
    return [gap for nodes in streams.values() for gap in _of_stream(nodes, snapshot)]


def _of_stream(nodes: list[Node], snapshot: Snapshot) -> list[UntestedUpdate]:
    found = []
    for source, target in find_neighbours(nodes):
        before, release = nodes[source].release, nodes[target].release
        tested = snapshot.tested.get((before, release))
        if tested is None or not tested.has_passed:
            found.append(
                UntestedUpdate(
                    stream=nodes[target].stream,
                    release=release,
                    before=before,
                    has_failed=tested is not None and tested.has_failed,
                )
            )
    return found
