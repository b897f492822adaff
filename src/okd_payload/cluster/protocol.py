# SPDX-License-Identifier: Apache-2.0
"""What is asked of a cluster: objects by kind and name, as JSON.

Three seams of a few methods each, so that whoever only reads asks for no more: ``ClusterReader``
for objects and their changes, ``ClusterWriter`` for making and removing them, and ``Cluster``,
which also has the logs and knows what the server and the user's rights allow. Objects are the
bytes of JSON: what they mean is for those who ask.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator
from typing import Protocol

import msgspec


class ObjectKind(msgspec.Struct, frozen=True):
    """A kind of objects, and what the API calls it."""

    api_version: str
    """``group/version``, or the version alone for the core group."""
    kind: str
    plural: str
    """What addresses have. Of an order it is the way to it (``buildconfigs/etcd/instantiate``):
    the server names what comes of it, so it is never repeated when its outcome is unknown."""
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """The version in its group."""
        return self.api_version.rpartition("/")[2]

    @property
    def resource(self) -> str:
        """The name by which rights are given: ``imagestreams.image.openshift.io``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


class Change(enum.Enum):
    """What happened to an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


class WatchEvent(msgspec.Struct, frozen=True):
    """One change of one object, which is as it was after the change, or last before it went."""

    change: Change
    content: bytes
    """The object, as JSON."""


class ObjectList(msgspec.Struct, frozen=True):
    """Objects as they were at one moment."""

    items: tuple[bytes, ...]
    resource_version: str
    """The moment, from which a watch goes on."""


class ClusterReader(Protocol):
    """A cluster that somebody may read from."""

    @property
    def namespace(self) -> str:
        """The namespace that is meant where none is named."""
        ...

    async def get(self, kind: ObjectKind, name: str, *, namespace: str = "") -> bytes:
        """The object as JSON. Raises NoSuchObject, and other errors of clusters."""
        ...

    async def list(self, kind: ObjectKind, *, namespace: str = "", labels: str = "") -> ObjectList:
        """All objects that fit the label selector ``labels``, page by page.

        Raises NoSuchKind where the cluster does not have this kind at all.
        """
        ...

    def watch(
        self, kind: ObjectKind, *, namespace: str = "", labels: str = "", since: str = ""
    ) -> AsyncIterator[WatchEvent]:
        """The changes of objects from the moment ``since`` on, for ever.

        Without ``since`` it begins with what is there, as ADDED. It outlives servers that end
        the stream, cuts, bookmarks and moments that the server has forgotten (410): then it lists
        anew and tells what changed meanwhile, objects that are gone included, so that nobody
        who listens misses an end. An object may be told again though nothing changed. Whoever
        stops listening closes it.
        Raises what cannot be mended by asking again: NotPermitted, NoSuchKind, and
        ClusterUnavailable after the time that the cluster was opened with.
        """
        ...


class ClusterWriter(Protocol):
    """A cluster that somebody may change. Every call may be repeated: retries are inside."""

    async def create(
        self, kind: ObjectKind, content: bytes, *, namespace: str = "", dry_run: bool = False
    ) -> bytes:
        """Make the object and return it as the server has it; with ``generateName``, named.

        However often the request has to be repeated, one object is made. Fields that the server
        does not know are refused, not dropped. Raises AlreadyThere, Refused when admission or
        validation says no, QuotaExceeded, NotPermitted.
        """
        ...

    async def apply(
        self, kind: ObjectKind, content: bytes, *, namespace: str = "", dry_run: bool = False
    ) -> bytes:
        """Make or change the object so that it has ``content``, by server-side apply.

        Fields that others own are not taken from them: Conflict says whose they are.
        """
        ...

    async def patch(
        self, kind: ObjectKind, name: str, content: bytes, *, namespace: str = ""
    ) -> bytes:
        """Change the object by the merge patch ``content`` (RFC 7386)."""
        ...

    async def delete(
        self, kind: ObjectKind, name: str, *, namespace: str = "", wait: bool = False
    ) -> bool:
        """Delete the object and what it owns; whether there was one.

        With ``wait``, return when it is gone, finalizers done.
        """
        ...


class Cluster(ClusterReader, ClusterWriter, Protocol):
    """All that we ask of a cluster."""

    def follow_log(
        self, pod: str, container: str, *, namespace: str = "", follow: bool = True
    ) -> AsyncIterator[bytes]:
        """What the container prints, in pieces, until it ends; nothing twice, nothing left out.

        Waits for a container that has not started. Raises NoSuchObject when the pod is gone.
        """
        ...

    async def may(
        self, verb: str, kind: ObjectKind, *, namespace: str = "", subresource: str = ""
    ) -> bool:
        """Whether we have the right, as the server says (SelfSubjectAccessReview)."""
        ...

    async def server_version(self) -> str:
        """The version of Kubernetes: ``v1.31.2``."""
        ...

    async def serves(self, kind: ObjectKind) -> bool:
        """Whether the cluster has this kind of objects in this version."""
        ...
