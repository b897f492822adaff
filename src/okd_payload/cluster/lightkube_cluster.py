# SPDX-License-Identifier: Apache-2.0
"""A real cluster: found and entered by lightkube's configuration, asked by requests of our own.

Every method is one line of what it means; how each is made safe to repeat, and what a refusal
means, stands in a module of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import msgspec

from okd_payload.clock import Clock, SystemClock
from okd_payload.cluster.access import may
from okd_payload.cluster.api import Api
from okd_payload.cluster.configuration import find_cluster
from okd_payload.cluster.creating import create, names_of, writing_options
from okd_payload.cluster.deleting import delete
from okd_payload.cluster.discovery import server_version, serves
from okd_payload.cluster.listing import list_objects
from okd_payload.cluster.log_following import Log
from okd_payload.cluster.objects import strange_answer
from okd_payload.cluster.opening import connect
from okd_payload.cluster.protocol import ObjectKind, ObjectList, WatchEvent
from okd_payload.cluster.request import (
    APPLY_PATCH,
    MERGE_PATCH,
    Subject,
    request_about,
)
from okd_payload.cluster.watching import Watch
from okd_payload.errors import InputError

PATIENCE = 300.0
"""Seconds for which a cluster that has answered may fail: a control plane needs some minutes to
be updated."""


class LightkubeCluster:
    """Implements ``Cluster``."""

    def __init__(self, api: Api, *, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    @property
    def namespace(self) -> str:
        """The namespace of the context, or of the pod we run in."""
        return self._namespace

    async def get(self, kind: ObjectKind, name: str, *, namespace: str = "") -> bytes:
        """The object as JSON. Raises NoSuchObject, and other errors of clusters."""
        request = request_about(self._subject(kind, namespace, name), "get")
        body = (await self._api.ask(request)).body
        try:
            msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        except msgspec.MsgspecError as error:
            raise strange_answer(
                f"{request.about}: the answer is no object of an API: {error}"
            ) from error
        return body

    async def list(self, kind: ObjectKind, *, namespace: str = "", labels: str = "") -> ObjectList:
        """All objects that fit the label selector, as they were at one moment."""
        return await list_objects(self._api, self._subject(kind, namespace), labels=labels)

    def watch(
        self, kind: ObjectKind, *, namespace: str = "", labels: str = "", since: str = ""
    ) -> AsyncGenerator[WatchEvent, None]:
        """The changes of objects, for ever."""
        subject = self._subject(kind, namespace)
        return Watch(self._api, subject, labels=labels, since=since).events()

    async def create(
        self, kind: ObjectKind, content: bytes, *, namespace: str = "", dry_run: bool = False
    ) -> bytes:
        """Make the object, once, and return it as the server has it."""
        place = namespace or names_of(content, kind).namespace or self._namespace
        return await create(self._api, kind, content, namespace=place, dry_run=dry_run)

    async def apply(
        self, kind: ObjectKind, content: bytes, *, namespace: str = "", dry_run: bool = False
    ) -> bytes:
        """Make or change the object so that it has ``content``, by server-side apply.

        Raises InputError for an object without a name, and ClusterError.
        """
        names = names_of(content, kind)
        if not names.name:
            raise InputError(f"a {kind.kind} without a name cannot be applied", hint="name it")
        subject = self._subject(kind, namespace or names.namespace, names.name)
        request = request_about(
            subject,
            "patch",
            query=writing_options(dry_run=dry_run),
            body=content,
            content_type=APPLY_PATCH,
        )
        return (await self._api.ask(request)).body

    async def patch(
        self, kind: ObjectKind, name: str, content: bytes, *, namespace: str = ""
    ) -> bytes:
        """Change the object by the merge patch ``content``."""
        request = request_about(
            self._subject(kind, namespace, name),
            "patch",
            query=writing_options(dry_run=False),
            body=content,
            content_type=MERGE_PATCH,
        )
        return (await self._api.ask(request)).body

    async def delete(
        self, kind: ObjectKind, name: str, *, namespace: str = "", wait: bool = False
    ) -> bool:
        """Delete the object and what it owns; whether there was one."""
        return await delete(self._api, self._subject(kind, namespace, name), wait=wait)

    def follow_log(
        self, pod: str, container: str, *, namespace: str = "", follow: bool = True
    ) -> AsyncGenerator[bytes, None]:
        """What the container prints, in pieces, until it ends."""
        place = namespace or self._namespace
        return Log(self._api, namespace=place, pod=pod, container=container, follow=follow).text()

    async def may(
        self, verb: str, kind: ObjectKind, *, namespace: str = "", subresource: str = ""
    ) -> bool:
        """Whether we have the right, as the server says."""
        subject = msgspec.structs.replace(self._subject(kind, namespace), subresource=subresource)
        return await may(self._api, verb, subject)

    async def server_version(self) -> str:
        """The version of Kubernetes: ``v1.31.2``."""
        return await server_version(self._api)

    async def serves(self, kind: ObjectKind) -> bool:
        """Whether the cluster has this kind of objects in this version."""
        return await serves(self._api, kind)

    def _subject(self, kind: ObjectKind, namespace: str, name: str = "") -> Subject:
        place = (namespace or self._namespace) if kind.namespaced else ""
        return Subject(kind=kind, namespace=place, name=name)


@contextlib.asynccontextmanager
async def open_cluster(
    kubeconfig: Path | None = None,
    context: str = "",
    *,
    namespace: str = "",
    clock: Clock | None = None,
    patience: float = PATIENCE,
) -> AsyncIterator[LightkubeCluster]:
    """The cluster that ``find_cluster`` finds. Raises InputError.

    ``namespace`` is meant where none is named, else that of the context. ``patience`` is the
    number of seconds for which the cluster may fail before it counts as unavailable.
    """
    clock = clock or SystemClock()
    configuration = find_cluster(kubeconfig, context)
    connection = connect(configuration, clock)
    try:
        api = Api(connection, clock=clock, patience=patience)
        yield LightkubeCluster(api, namespace=namespace or configuration.namespace)
    finally:
        await connection.close()
