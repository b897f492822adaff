# SPDX-License-Identifier: Apache-2.0
"""Objects of a cluster that the controller makes: once, found again by name, never others'.

The name follows from what the object is for, so it is the same after a kill; a label says that
it is ours. What is asked of an object that is gone is no error: whoever deleted it meant it.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster import Cluster, ObjectKind
from okd_payload.errors import AlreadyThere, Conflict, NoSuchObject

MANAGED_LABEL = "app.kubernetes.io/managed-by"
MANAGER = "okd-payload"
RELEASE_LABEL = "okd-payload.io/release"


class _Metadata(msgspec.Struct, frozen=True):
    labels: dict[str, str] | None = None


class _Object(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


class OwnObject:
    """One object, whether it is there or not."""

    def __init__(
        self, cluster: Cluster, kind: ObjectKind, handle: str, *, label: str, mark: str
    ) -> None:
        """``handle`` is ``NAMESPACE/NAME``; its label ``label`` says ``mark``."""
        self._cluster = cluster
        self._kind = kind
        self._label = label
        self._mark = mark
        self.namespace, _, self.name = handle.rpartition("/")

    @property
    def handle(self) -> str:
        """By which it is found again."""
        return f"{self.namespace}/{self.name}"

    async def ensure(self, content: bytes) -> bytes:
        """The object, made of ``content`` unless it is there. Raises ClusterError.

        Conflict when somebody else's object has its name.
        """
        try:
            return await self._cluster.create(self._kind, content, namespace=self.namespace)
        except AlreadyThere:
            found = await self._cluster.get(self._kind, self.name, namespace=self.namespace)
            labels = msgspec.json.decode(found, type=_Object).metadata.labels or {}
            if labels.get(self._label) != self._mark:
                raise Conflict(
                    f"{self._kind.kind} {self.handle} is there and is somebody else's",
                    hint="delete it, or see who makes objects of that name",
                ) from None
            return found

    async def read(self) -> bytes | None:
        """The object, None when it is gone. Raises ClusterError."""
        try:
            return await self._cluster.get(self._kind, self.name, namespace=self.namespace)
        except NoSuchObject:
            return None

    async def patch(self, content: object) -> None:
        """Change it. Raises ClusterError."""
        try:
            await self._cluster.patch(
                self._kind, self.name, msgspec.json.encode(content), namespace=self.namespace
            )
        except NoSuchObject:
            return

    async def delete(self) -> None:
        """Delete it and what it owns. Raises ClusterError."""
        await self._cluster.delete(self._kind, self.name, namespace=self.namespace)
