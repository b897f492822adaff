# SPDX-License-Identifier: Apache-2.0
"""Whether a cluster can build with Shipwright at all, asked before anything is made there.

What it lacks is one error that says so, instead of the same failure of every component.
"""

from __future__ import annotations

from okd_payload.cluster import Cluster, ObjectKind, kinds
from okd_payload.engines.pod.missing_rights import require_rights
from okd_payload.engines.pod.nodes import check_nodes
from okd_payload.engines.pod.rights import SHIPWRIGHT
from okd_payload.errors import NoSuchKind

_OLD_BUILD = ObjectKind("shipwright.io/v1alpha1", "Build", "builds")
_INSTALL = "https://shipwright.io/docs/getting-started/installation/"


async def check_cluster(cluster: Cluster, *, architecture: str) -> None:
    """Raise NoSuchKind without a Shipwright that is new enough, NotPermitted without rights.

    Raises ClusterError when no node has the ``architecture``, and ClusterUnavailable.
    """
    if not await cluster.serves(kinds.SHIPWRIGHT_BUILD_RUN):
        if await cluster.serves(_OLD_BUILD):
            raise NoSuchKind(
                "Shipwright is too old on this cluster: it does not know shipwright.io/v1beta1",
                hint="it is there from Shipwright Build 0.12 on; update Shipwright",
            )
        raise NoSuchKind(
            "there is no Shipwright on this cluster",
            hint=f"install Shipwright Build: {_INSTALL}; or build with --engine tekton",
        )
    await require_rights(
        cluster,
        SHIPWRIGHT,
        namespace=cluster.namespace,
        hint="ask an administrator for a role with them; `okd-payload doctor --cluster "
        "--engine shipwright` lists all that is needed",
    )
    await check_nodes(cluster, architecture)
