# SPDX-License-Identifier: Apache-2.0
"""Following one build of the cluster to its end, with everything it prints.

Its log is read container by container, the ones that clone and prepare first, so that what
failed there is in the log too.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster import Cluster, kinds
from okd_payload.engines.openshift.objects import Build, Phase
from okd_payload.engines.pod.log_copy import LogCopy
from okd_payload.engines.pod.object_watch import ObjectWatch
from okd_payload.errors import ClusterError

POD_ANNOTATION = "openshift.io/build.pod-name"


class _Container(msgspec.Struct, frozen=True):
    name: str


class _PodSpecification(msgspec.Struct, frozen=True, rename="camel"):
    init_containers: tuple[_Container, ...] = ()
    containers: tuple[_Container, ...] = ()


class _Pod(msgspec.Struct, frozen=True):
    spec: _PodSpecification


async def follow(
    cluster: Cluster, watch: ObjectWatch[Build], name: str, log: LogCopy, *, log_seconds: float
) -> Build | None:
    """The build called ``name`` when it is over; None when it was deleted.

    Its log is whole then, if that comes within ``log_seconds``.
    Raises ClusterError when the watch ended for good, and StorageError.
    """
    seen: Build | None = None
    reads = False
    while True:
        seen = await watch.next_change(name, seen)
        if seen is None:
            await log.wait_for_end(log_seconds)
            return None
        if not reads and seen.status.phase not in ("", Phase.NEW.value, Phase.PENDING.value):
            reads = True
            await _begin_log(cluster, seen, log)
        if seen.is_over:
            await log.wait_for_end(log_seconds)
            return seen


async def _begin_log(cluster: Cluster, build: Build, log: LogCopy) -> None:
    """Copy what all containers of the build's pod print, in their order."""
    pod = build.metadata.annotations.get(POD_ANNOTATION, f"{build.name}-build")
    try:
        content = await cluster.get(kinds.POD, pod, namespace=build.metadata.namespace)
        spec = msgspec.json.decode(content, type=_Pod).spec
    except (ClusterError, msgspec.MsgspecError) as error:
        log.note(f"the log of pod {pod} cannot be had: {error}")
        return
    containers = (*spec.init_containers, *spec.containers)
    log.begin_in_turn(pod, [container.name for container in containers])
