# SPDX-License-Identifier: Apache-2.0
"""Whether a cluster can build at all, asked before anything is made there.

What it lacks is one error that says so, instead of the same failure of every component.
"""

from __future__ import annotations

from okd_payload.cluster import Cluster, ObjectKind, kinds
from okd_payload.engines.pod.missing_rights import require_rights
from okd_payload.engines.pod.nodes import check_nodes
from okd_payload.engines.pod.rights import TEKTON
from okd_payload.errors import NoSuchKind

_OLD_TASK_RUN = ObjectKind("tekton.dev/v1beta1", "TaskRun", "taskruns")
_INSTALL = "https://tekton.dev/docs/installation/pipelines/"


async def check_cluster(cluster: Cluster, *, namespace: str, architecture: str) -> None:
    """Raise NoSuchKind without a Tekton that is new enough, NotPermitted when rights are missing.

    Raises ClusterError when no node has the ``architecture``, and ClusterUnavailable.
    """
    if not await cluster.serves(kinds.TASK_RUN):
        if await cluster.serves(_OLD_TASK_RUN):
            raise NoSuchKind(
                "Tekton is too old on this cluster: it does not know tekton.dev/v1",
                hint="it is there from Tekton Pipelines 0.44 on; update Tekton",
            )
        raise NoSuchKind(
            "there is no Tekton on this cluster",
            hint=f"install Tekton Pipelines: {_INSTALL}; `okd-payload doctor --cluster` says what "
            "else is missing",
        )
    await require_rights(
        cluster,
        TEKTON,
        namespace=namespace,
        hint="ask an administrator for the role that `okd-payload deploy tekton` makes",
    )
    await check_nodes(cluster, architecture)
