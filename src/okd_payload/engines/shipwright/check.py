# SPDX-License-Identifier: Apache-2.0
"""Whether a cluster can build with Shipwright at all, asked before anything is made there.

What it lacks is one error that says so, instead of the same failure of every component.
"""

from __future__ import annotations

import asyncio

from okd_payload.cluster import Cluster, ObjectKind, kinds
from okd_payload.engines.pod.nodes import check_nodes
from okd_payload.engines.pod.rights import SHIPWRIGHT
from okd_payload.errors import NoSuchKind, NotPermitted

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
    await _check_rights(cluster)
    await check_nodes(cluster, architecture)


async def _check_rights(cluster: Cluster) -> None:
    wanted = [(right, verb) for right in SHIPWRIGHT for verb in right.verbs]
    granted = await asyncio.gather(
        *(cluster.may(verb, right.kind, subresource=right.subresource) for right, verb in wanted)
    )
    missing: dict[str, list[str]] = {}
    for (right, verb), has in zip(wanted, granted, strict=True):
        if not has:
            missing.setdefault(right.resource, []).append(verb)
    if missing:
        listed = "; ".join(f"{', '.join(verbs)} {name}" for name, verbs in missing.items())
        raise NotPermitted(
            f"rights are missing in namespace {cluster.namespace}: {listed}",
            hint="ask an administrator for a role with them; `okd-payload doctor --cluster "
            "--engine shipwright` lists all that is needed",
        )
