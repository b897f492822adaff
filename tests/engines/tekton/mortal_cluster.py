# SPDX-License-Identifier: Apache-2.0
"""A way to a cluster that breaks when its user is killed: nothing comes through any more.

So a task that is cancelled afterwards ends as a process ends that got SIGKILL: whatever it would
do to clean up does not reach the cluster.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from okd_payload.cluster import Cluster, ObjectKind, ObjectList, WatchEvent
from okd_payload.errors import ClusterUnavailable


class MortalCluster:
    """Implements ``Cluster`` by another one, until ``kill``."""

    def __init__(self, inner: Cluster) -> None:
        self._inner = inner
        self._dead = False

    def kill(self) -> None:
        """Let nothing through from now on."""
        self._dead = True

    @property
    def namespace(self) -> str:
        return self._inner.namespace

    async def get(self, kind: ObjectKind, name: str, *, namespace: str = "") -> bytes:
        self._check()
        return await self._inner.get(kind, name, namespace=namespace)

    async def list(self, kind: ObjectKind, *, namespace: str = "", labels: str = "") -> ObjectList:
        self._check()
        return await self._inner.list(kind, namespace=namespace, labels=labels)

    async def watch(
        self, kind: ObjectKind, *, namespace: str = "", labels: str = "", since: str = ""
    ) -> AsyncIterator[WatchEvent]:
        async for event in self._inner.watch(kind, namespace=namespace, labels=labels, since=since):
            self._check()
            yield event

    async def create(
        self, kind: ObjectKind, content: bytes, *, namespace: str = "", dry_run: bool = False
    ) -> bytes:
        self._check()
        return await self._inner.create(kind, content, namespace=namespace, dry_run=dry_run)

    async def apply(
        self, kind: ObjectKind, content: bytes, *, namespace: str = "", dry_run: bool = False
    ) -> bytes:
        self._check()
        return await self._inner.apply(kind, content, namespace=namespace, dry_run=dry_run)

    async def patch(
        self, kind: ObjectKind, name: str, content: bytes, *, namespace: str = ""
    ) -> bytes:
        self._check()
        return await self._inner.patch(kind, name, content, namespace=namespace)

    async def delete(
        self, kind: ObjectKind, name: str, *, namespace: str = "", wait: bool = False
    ) -> bool:
        self._check()
        return await self._inner.delete(kind, name, namespace=namespace, wait=wait)

    async def follow_log(
        self, pod: str, container: str, *, namespace: str = "", follow: bool = True
    ) -> AsyncIterator[bytes]:
        async for piece in self._inner.follow_log(
            pod, container, namespace=namespace, follow=follow
        ):
            self._check()
            yield piece

    async def may(
        self, verb: str, kind: ObjectKind, *, namespace: str = "", subresource: str = ""
    ) -> bool:
        self._check()
        return await self._inner.may(verb, kind, namespace=namespace, subresource=subresource)

    async def server_version(self) -> str:
        self._check()
        return await self._inner.server_version()

    async def serves(self, kind: ObjectKind) -> bool:
        self._check()
        return await self._inner.serves(kind)

    def _check(self) -> None:
        if self._dead:
            raise ClusterUnavailable("the process that asks was killed")
