# SPDX-License-Identifier: Apache-2.0
"""Which nodes of a cluster build an image, and whether there are any.

A pod for processors that no node has waits for ever. Nodes may be kept from us; then it shows
only when no pod finds one.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster import ClusterReader, kinds
from okd_payload.cluster.objects import decode_object
from okd_payload.errors import ClusterError, NoSuchKind, NotPermitted

ARCHITECTURE_LABEL = "kubernetes.io/arch"
"""The label by which a pod asks for a node whose processor runs what it builds."""


async def check_nodes(cluster: ClusterReader, architecture: str) -> None:
    """Raise ClusterError when it can be seen that no node has the ``architecture``."""
    try:
        listed = await cluster.list(kinds.NODE)
    except (NotPermitted, NoSuchKind):
        return
    nodes = [decode_object(content, _Node, kinds.NODE) for content in listed.items]
    present = {node.metadata.labels.get(ARCHITECTURE_LABEL, "") for node in nodes}
    if nodes and architecture not in present:
        raise ClusterError(
            f"no node of the cluster is for {architecture}: they are for "
            f"{', '.join(sorted(present - {''})) or 'nobody knows what'}",
            hint="add a node, or build for another --platform",
        )


class _Metadata(msgspec.Struct, frozen=True):
    labels: dict[str, str] = {}


class _Node(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()
