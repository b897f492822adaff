# SPDX-License-Identifier: Apache-2.0
"""Whether a cluster can build at all, asked before anything is made there.

What it lacks is one error that says so, instead of the same failure of every component.
"""

from __future__ import annotations

import asyncio

from okd_payload.cluster import Cluster, ObjectKind, kinds
from okd_payload.engines.pod.rights import TEKTON
from okd_payload.errors import NoSuchKind, NotPermitted

_OLD_TASK_RUN = ObjectKind("tekton.dev/v1beta1", "TaskRun", "taskruns")
_INSTALL = "https://tekton.dev/docs/installation/pipelines/"


async def check_cluster(cluster: Cluster, *, namespace: str) -> None:
    """Raise NoSuchKind without a Tekton that is new enough, NotPermitted when rights are missing.

    Also raises ClusterUnavailable.
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
    wanted = [(right, verb) for right in TEKTON for verb in right.verbs]
    granted = await asyncio.gather(
        *(
            cluster.may(verb, right.kind, namespace=namespace, subresource=right.subresource)
            for right, verb in wanted
        )
    )
    missing: dict[str, list[str]] = {}
    for (right, verb), has in zip(wanted, granted, strict=True):
        if not has:
            missing.setdefault(right.resource, []).append(verb)
    if missing:
        listed = "; ".join(f"{', '.join(verbs)} {name}" for name, verbs in missing.items())
        raise NotPermitted(
            f"rights are missing in namespace {namespace}: {listed}",
            hint="ask an administrator for the role that `okd-payload deploy tekton` makes",
        )
