# SPDX-License-Identifier: Apache-2.0
"""Which components are built although their images are there."""

from __future__ import annotations

from okd_payload.build.plan import ComponentNode
from okd_payload.cli.session import Session


def forced_components(session: Session) -> frozenset[str]:
    """The names of the components that --force means."""
    return frozenset(
        node.component.name
        for name, node in session.plan.nodes.items()
        if name in session.forced and isinstance(node, ComponentNode)
    )
