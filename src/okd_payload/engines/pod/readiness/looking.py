# SPDX-License-Identifier: Apache-2.0
"""Objects of a cluster, as far as we may see them.

Those who build are rarely administrators: what may not be looked at is no fault of the cluster and
ends no examination. It is noted with what is not known because of it, and no guess takes its place.
"""

from __future__ import annotations

from okd_payload.cluster import Cluster, ObjectKind
from okd_payload.cluster.objects import Shape, decode_object
from okd_payload.engines.pod.readiness import codes
from okd_payload.errors import NoSuchKind, NoSuchObject, NotPermitted
from okd_payload.issues import Issue


class Lookout:
    """Looks at a cluster, and notes what it may not look at."""

    def __init__(self, cluster: Cluster, *, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.hidden: list[Issue] = []
        """What could not be looked at."""

    async def objects(
        self, kind: ObjectKind, shape: type[Shape], *, matters: str
    ) -> list[Shape] | None:
        """All objects of a kind; None when we may not see them, which ``matters`` for something.

        Raises ClusterUnavailable.
        """
        try:
            listed = await self.cluster.list(kind, namespace=self.namespace)
        except NotPermitted:
            self.hide(f"{kind.plural} may not be listed", matters)
            return None
        except NoSuchKind:
            return []
        return [decode_object(content, shape, kind) for content in listed.items]

    async def find(
        self, kind: ObjectKind, name: str, shape: type[Shape], *, namespace: str = ""
    ) -> Shape | None:
        """The object; None when there is none, or none that we may see."""
        try:
            content = await self.cluster.get(kind, name, namespace=namespace or self.namespace)
        except (NotPermitted, NoSuchObject, NoSuchKind):
            return None
        return decode_object(content, shape, kind)

    def hide(self, what: str, matters: str) -> None:
        """Note that something may not be looked at, and what is not known because of that."""
        issue = codes.NOT_LOOKED_AT.issue(
            f"{what}: {matters} is not known",
            hint="that is usual for those who are no administrators; --probe tries it out",
        )
        self.hidden.append(issue)
