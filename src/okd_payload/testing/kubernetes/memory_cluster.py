# SPDX-License-Identifier: Apache-2.0
"""A cluster without HTTP: the twin of the ``Cluster`` protocol over a simulated cluster.

Errors are those that the real client makes of a server's refusals. Nothing is lost on the way
and nothing is slow: who wants that takes ``KubernetesServer``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import msgspec

from okd_payload import errors
from okd_payload.cluster import Change, ObjectKind, ObjectList, WatchEvent
from okd_payload.cluster.judgement import judge
from okd_payload.cluster.kinds import NAMESPACE, POD
from okd_payload.cluster.refusal import parse_refusal
from okd_payload.cluster.request import Request, Subject
from okd_payload.testing.kubernetes import applying, changes, creation, deletion, reading, watching
from okd_payload.testing.kubernetes.access import Ask
from okd_payload.testing.kubernetes.documents import JsonObject, name_of, with_metadata
from okd_payload.testing.kubernetes.logs import LogOptions
from okd_payload.testing.kubernetes.requests import (
    ADMINISTRATOR,
    DeleteOptions,
    FieldValidation,
    ListOptions,
    PatchType,
    Propagation,
    Target,
    WatchOptions,
    WriteOptions,
)
from okd_payload.testing.kubernetes.simulated_cluster import ActionRequest, SimulatedCluster
from okd_payload.testing.kubernetes.statuses import Refusal
from okd_payload.testing.kubernetes.waking import Waker

MANAGER = "okd-payload"
_SERVER = "the simulated cluster"


class MemoryCluster:
    """Implements ``Cluster``. ``async with`` runs the controllers of its cluster, if it has any."""

    def __init__(
        self,
        namespace: str = "default",
        *,
        cluster: SimulatedCluster | None = None,
        user: str = ADMINISTRATOR,
    ) -> None:
        self._namespace = namespace
        self._user = user
        self.simulated = cluster or SimulatedCluster()
        """The cluster itself, for tests that look into it or change it."""
        if self.simulated.find(NAMESPACE, namespace) is None:
            self.simulated.add_namespace(namespace)

    @property
    def namespace(self) -> str:
        """The namespace that is meant where none is named."""
        return self._namespace

    def add(self, kind: ObjectKind, name: str, content: bytes, *, namespace: str = "") -> None:
        """Put an object into the cluster as it is, by no rules."""
        document = with_metadata(msgspec.json.decode(content), name=name)
        self.simulated.put(kind, document, namespace=namespace or self._namespace)

    async def get(self, kind: ObjectKind, name: str, *, namespace: str = "") -> bytes:
        """The object as JSON. Raises NoSuchObject, and other errors of clusters."""
        with self._own_errors("get", kind, name, namespace=namespace):
            target = self._target(kind, namespace, name)
            self._check("get", target)
            return _encode(reading.get(self.simulated.state, target))

    async def list(self, kind: ObjectKind, *, namespace: str = "", labels: str = "") -> ObjectList:
        """All objects that fit the label selector ``labels``. Raises NoSuchKind."""
        with self._own_errors("list", kind, "", namespace=namespace):
            target = self._target(kind, namespace)
            self._check("list", target)
            found = reading.list_objects(self.simulated.state, target, ListOptions(labels=labels))
        items = tuple(_encode(each) for each in found["items"])
        return ObjectList(items, found["metadata"]["resourceVersion"])

    async def watch(
        self, kind: ObjectKind, *, namespace: str = "", labels: str = "", since: str = ""
    ) -> AsyncIterator[WatchEvent]:
        """The changes of objects from the moment ``since`` on, for ever."""
        known: dict[str, bytes] = {}
        while True:
            with self._own_errors("watch", kind, "", namespace=namespace):
                target = self._target(kind, namespace)
                self._check("watch", target)
                options = WatchOptions(labels=labels, revision=since)
                events = watching.watch(self.simulated.state, target, options)
            async for type_, document in events:
                if type_ == "ERROR":
                    break
                content = _encode(document)
                since = document["metadata"]["resourceVersion"]
                _remember(known, type_, document, content)
                yield WatchEvent(Change(type_), content)
            now = await self.list(kind, namespace=namespace, labels=labels)
            since = now.resource_version
            for event in _missed(known, now):
                yield event

    async def create(
        self, kind: ObjectKind, content: bytes, *, namespace: str = "", dry_run: bool = False
    ) -> bytes:
        """Make the object and return it as the server has it; with ``generateName``, named."""
        document = msgspec.json.decode(content)
        with self._own_errors("create", kind, name_of(document), namespace=namespace):
            target = self._target(kind, namespace)
            self._check("create", target)
            action = self.simulated.actions.get((target.resource.name, target.subresource))
            if action is not None:
                request = ActionRequest(target=target, document=document, user=self._user)
                return _encode(action(request))
            options = self._options(dry_run=dry_run)
            return _encode(
                creation.create(self.simulated.state, target, document, options).document
            )

    async def apply(
        self, kind: ObjectKind, content: bytes, *, namespace: str = "", dry_run: bool = False
    ) -> bytes:
        """Make or change the object so that it has ``content``, by server-side apply."""
        document = msgspec.json.decode(content)
        name = name_of(document)
        with self._own_errors("patch", kind, name, namespace=namespace):
            target = self._target(kind, namespace, name)
            self._check("patch", target)
            if self._find(kind, name, namespace) is None:
                self._check("create", target)
            options = self._options(dry_run=dry_run)
            return _encode(applying.apply(self.simulated.state, target, document, options).document)

    async def patch(
        self, kind: ObjectKind, name: str, content: bytes, *, namespace: str = ""
    ) -> bytes:
        """Change the object by the merge patch ``content`` (RFC 7386)."""
        change = msgspec.json.decode(content)
        with self._own_errors("patch", kind, name, namespace=namespace):
            target = self._target(kind, namespace, name)
            self._check("patch", target)
            answer = changes.patch(
                self.simulated.state, target, PatchType.MERGE, change, options=self._options()
            )
            return _encode(answer.document)

    async def delete(
        self, kind: ObjectKind, name: str, *, namespace: str = "", wait: bool = False
    ) -> bool:
        """Delete the object and what it owns; whether there was one."""
        with self._own_errors("delete", kind, name, namespace=namespace):
            target = self._target(kind, namespace, name)
            self._check("delete", target)
            options = DeleteOptions(user=self._user, propagation=Propagation.BACKGROUND)
            try:
                deletion.delete(self.simulated.state, target, options)
            except Refusal as refusal:
                if refusal.reason == "NotFound":
                    return False
                raise
        if wait and self._find(kind, name, namespace) is not None:
            await self._gone(kind, name, namespace)
        return True

    async def follow_log(
        self, pod: str, container: str, *, namespace: str = "", follow: bool = True
    ) -> AsyncIterator[bytes]:
        """What the container prints, in pieces, until it ends."""
        options = LogOptions(container=container, follow=follow)
        pieces: AsyncIterator[bytes] | None = None
        while pieces is None:
            seen = self.simulated.state.store.revision
            with self._own_errors("get", POD, pod, namespace=namespace):
                target = self._target(POD, namespace, pod, subresource="log")
                self._check("get", target)
                document = reading.get(self.simulated.state, target)
                try:
                    pieces = self.simulated.state.logs.open(document, options)
                except Refusal as refusal:
                    if "is waiting to start" not in refusal.message or not follow:
                        raise
            if pieces is None:
                await self._next_change(seen)
        async for piece in pieces:
            yield piece

    async def may(
        self, verb: str, kind: ObjectKind, *, namespace: str = "", subresource: str = ""
    ) -> bool:
        """Whether we have the right, as the server says."""
        resource = f"{kind.plural}/{subresource}" if subresource else kind.plural
        asked = Ask(
            user=self._user,
            verb=verb,
            group=kind.group,
            resource=resource,
            namespace=(namespace or self._namespace) if kind.namespaced else "",
        )
        return bool(self.simulated.access.why(asked))

    async def server_version(self) -> str:
        """The version of Kubernetes: ``v1.36.2``."""
        return self.simulated.version

    async def serves(self, kind: ObjectKind) -> bool:
        """Whether the cluster has this kind of objects in this version."""
        return self.simulated.target(kind) is not None

    async def __aenter__(self) -> Self:
        await self.simulated.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.simulated.__aexit__(kind, error, traceback)

    def _options(self, *, dry_run: bool = False) -> WriteOptions:
        return WriteOptions(
            user=self._user,
            manager=MANAGER,
            dry_run=dry_run,
            field_validation=FieldValidation.STRICT,
        )

    def _check(self, verb: str, target: Target) -> None:
        self.simulated.access.check(self._user, verb, target)

    def _target(
        self, kind: ObjectKind, namespace: str, name: str = "", *, subresource: str = ""
    ) -> Target:
        place = (namespace or self._namespace) if kind.namespaced else ""
        found = self.simulated.target(kind, namespace=place, name=name, subresource=subresource)
        if found is None:
            raise errors.NoSuchKind(
                f"the cluster has no objects of kind {kind.kind} ({kind.api_version})",
                hint="install what defines them, or serve the kind in the simulated cluster",
            )
        return found

    def _find(self, kind: ObjectKind, name: str, namespace: str) -> JsonObject | None:
        place = (namespace or self._namespace) if kind.namespaced else ""
        return self.simulated.find(kind, name, namespace=place)

    async def _gone(self, kind: ObjectKind, name: str, namespace: str) -> None:
        while self._find(kind, name, namespace) is not None:
            await self._next_change(self.simulated.state.store.revision)

    async def _next_change(self, seen: int) -> None:
        """Return when something changed after the revision ``seen``."""
        store, changed = self.simulated.state.store, Waker()
        stop = store.listen(changed.set)
        try:
            if store.revision == seen:
                await changed.wait()
        finally:
            stop()

    @contextmanager
    def _own_errors(
        self, verb: str, kind: ObjectKind, name: str, *, namespace: str
    ) -> Iterator[None]:
        """Whatever the server refuses, as the error that a real client makes of it."""
        place = (namespace or self._namespace) if kind.namespaced else ""
        subject = Subject(kind=kind, namespace=place, name=name)
        try:
            yield
        except Refusal as refusal:
            request = Request(
                verb=verb, path=subject.path, about=str(subject), right=subject.resource
            )
            told = parse_refusal(_encode(refusal.document()))
            raise judge(request, told, _SERVER) from refusal


def _remember(known: dict[str, bytes], type_: str, document: JsonObject, content: bytes) -> None:
    uid = str(document["metadata"].get("uid") or name_of(document))
    if type_ == "DELETED":
        known.pop(uid, None)
    else:
        known[uid] = content


def _missed(known: dict[str, bytes], now: ObjectList) -> Iterator[WatchEvent]:
    """What must have happened between what was known and ``now``."""
    there: dict[str, bytes] = {}
    for content in now.items:
        document = msgspec.json.decode(content)
        there[str(document["metadata"].get("uid") or name_of(document))] = content
    for uid in [uid for uid in known if uid not in there]:
        yield WatchEvent(Change.DELETED, known.pop(uid))
    for uid, content in there.items():
        if known.get(uid) != content:
            yield WatchEvent(Change.MODIFIED if uid in known else Change.ADDED, content)
            known[uid] = content


def _encode(document: JsonObject) -> bytes:
    return msgspec.json.encode(document)
