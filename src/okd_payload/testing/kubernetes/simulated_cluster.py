# SPDX-License-Identifier: Apache-2.0
"""A cluster in this process: its objects, its rules, and the controllers that live in it.

Two fronts stand before it: ``MemoryCluster``, which is a ``Cluster`` without HTTP, and
``KubernetesServer``, which is an API server. Tests and controllers use the methods here, which
act as an administrator and at once. ``async with`` runs the controllers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from okd_payload.clock import Clock, SystemClock
from okd_payload.cluster import Change, ObjectKind
from okd_payload.cluster.kinds import (
    CUSTOM_RESOURCE_DEFINITION,
    NAMESPACE,
    POD,
    SELF_SUBJECT_ACCESS_REVIEW,
)
from okd_payload.testing.kubernetes import changes, creation, deletion, reading
from okd_payload.testing.kubernetes.access import Access
from okd_payload.testing.kubernetes.admission import Mutating, Validating
from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    clone,
    name_of,
    namespace_of,
    object_at,
)
from okd_payload.testing.kubernetes.escalation import EscalationCheck
from okd_payload.testing.kubernetes.housekeeping import keep_house
from okd_payload.testing.kubernetes.requests import (
    DeleteOptions,
    PatchType,
    Propagation,
    Target,
    WriteOptions,
)
from okd_payload.testing.kubernetes.resources import Resource, resource_of
from okd_payload.testing.kubernetes.schema.builtin import built_in_schema
from okd_payload.testing.kubernetes.schema.definitions import (
    Definition,
    read_custom,
    read_definitions,
)
from okd_payload.testing.kubernetes.state import Conversion, State
from okd_payload.testing.kubernetes.statuses import Refusal, not_found
from okd_payload.testing.kubernetes.store import Key, Record
from okd_payload.testing.kubernetes.waking import Waker


class ActionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A creation that stores nothing of its own: a review, an instantiation, an eviction."""

    target: Target
    document: JsonObject
    user: str


Action = Callable[[ActionRequest], JsonObject]
"""Does what is asked for and returns the answer, or raises Refusal."""

_SYSTEM = ("default", "kube-system", "kube-public")


class SimulatedCluster:
    """Everything that a cluster is, without a way to it."""

    def __init__(
        self, *, clock: Clock | None = None, seed: int = 0, version: str = "v1.36.2"
    ) -> None:
        self.state = State(clock or SystemClock(), seed)
        self.access = Access(self.state)
        self.validating.append(EscalationCheck(self.access))
        self.version = version
        self.controllers: list[Controller] = []
        self.actions: dict[tuple[str, str], Action] = {
            ("selfsubjectaccessreviews.authorization.k8s.io", ""): self._review,
            ("pods", "eviction"): self._evict,
        }
        """What creations do that store nothing, by resource and subresource."""
        self._running: list[asyncio.Task[None]] = []
        self._users = 0
        review = resource_of(SELF_SUBJECT_ACCESS_REVIEW, status=False)
        self.state.resources.add(msgspec.structs.replace(review, verbs=("create",)))
        for resource in self.state.resources:
            schema = built_in_schema(resource.kind)
            if schema is not None:
                self.state.schemas[resource.name, resource.storage] = schema
        self.state.store.listen(self._follow)
        keep_house(self.state)
        for namespace in _SYSTEM:
            self.add_namespace(namespace)

    @property
    def mutating(self) -> list[Mutating]:
        """Admission that changes objects; append yours."""
        return self.state.mutating

    @property
    def validating(self) -> list[Validating]:
        """Admission that only says no; append yours."""
        return self.state.validating

    @property
    def conversions(self) -> dict[str, Conversion]:
        """How objects get from one version to another, by resource."""
        return self.state.conversions

    def serve(self, kind: ObjectKind, *, status: bool = True) -> Resource:
        """Have objects of ``kind``, without a schema, unless they are there already."""
        known = self.state.resources.served(kind.group, kind.version, kind.plural)
        if known is not None:
            return known
        resource = resource_of(kind, status=status)
        self.state.resources.add(resource)
        return resource

    def install(self, *paths: Path) -> None:
        """Have the kinds that files or folders define.

        They hold CustomResourceDefinitions in YAML, or OpenAPI definitions in JSON.
        """
        for path in paths:
            for definition in read_definitions(path):
                self._define(definition)

    def add_namespace(self, name: str, labels: dict[str, str] | None = None) -> JsonObject:
        """Make a namespace and its service account ``default``."""
        metadata = {"name": name, "labels": labels or {}}
        return self.create(NAMESPACE, {"metadata": metadata})

    def find(self, kind: ObjectKind, name: str, *, namespace: str = "") -> JsonObject | None:
        """The object, if there is one."""
        target = self._target(kind, namespace, name)
        stored = self.state.store.find(Key(target.resource.name, target.namespace, name))
        return self.state.convert(stored.document, target) if stored else None

    def objects(self, kind: ObjectKind, *, namespace: str = "") -> list[JsonObject]:
        """All objects of a kind, in one namespace or in all of them."""
        target = self._target(kind, namespace)
        return [
            self.state.convert(each, target)
            for each in self.state.all_of(target.resource.name, namespace)
        ]

    def create(self, kind: ObjectKind, document: JsonObject, *, namespace: str = "") -> JsonObject:
        """Make an object. Raises Refusal."""
        target = self._target(kind, namespace or namespace_of(document))
        return creation.create(self.state, target, document, WriteOptions(manager=_US)).document

    def replace(self, kind: ObjectKind, document: JsonObject) -> JsonObject:
        """Put ``document`` in the place of the object of its name. Raises Refusal."""
        target = self._target(kind, namespace_of(document), name_of(document))
        return changes.replace(self.state, target, document, WriteOptions(manager=_US)).document

    def patch(
        self,
        kind: ObjectKind,
        name: str,
        change: JsonObject,
        *,
        namespace: str = "",
        subresource: str = "",
    ) -> JsonObject:
        """Change an object by a merge patch. Raises Refusal."""
        target = self._target(kind, namespace, name, subresource)
        options = WriteOptions(manager=_US)
        return changes.patch(self.state, target, PatchType.MERGE, change, options=options).document

    def set_status(
        self, kind: ObjectKind, name: str, status: JsonObject, *, namespace: str = ""
    ) -> JsonObject:
        """Give an object the status ``status`` as it is now, in place of the one it had.

        Raises Refusal.
        """
        current = self.find(kind, name, namespace=namespace)
        target = self._target(kind, namespace, name, "status")
        if current is None:
            current = reading.get(self.state, target)
        document = {**current, "status": clone(status)}
        return changes.replace(self.state, target, document, WriteOptions(manager=_US)).document

    def delete(
        self,
        kind: ObjectKind,
        name: str,
        *,
        namespace: str = "",
        grace_seconds: int | None = None,
        propagation: Propagation = Propagation.BACKGROUND,
    ) -> JsonObject:
        """Delete an object; how it looks now, or a Status when it is gone. Raises Refusal."""
        options = DeleteOptions(grace_seconds=grace_seconds, propagation=propagation)
        return deletion.delete(self.state, self._target(kind, namespace, name), options)

    def put(self, kind: ObjectKind, document: JsonObject, *, namespace: str = "") -> JsonObject:
        """Store ``document`` as it is, by no rules at all: for what a recording holds."""
        resource = self.serve(kind)
        place = (namespace_of(document) or namespace) if resource.namespaced else ""
        key = Key(resource.name, place, name_of(document))
        return self.state.store.put(key, document).document

    def remove(self, kind: ObjectKind, name: str, *, namespace: str = "") -> None:
        """Take an object out of the store, by no rules at all."""
        target = self._target(kind, namespace, name)
        self.state.store.remove(Key(target.resource.name, target.namespace, name))

    def print_log(
        self, pod: str, container: str, text: bytes | str, *, namespace: str = "default"
    ) -> None:
        """Let a container of a pod print ``text``."""
        found = self.find(POD, pod, namespace=namespace)
        if found is None:
            raise not_found(self._target(POD, namespace).resource, pod)
        self.state.logs.append(found, container, text)

    async def changes(self, *kinds: ObjectKind) -> AsyncIterator[tuple[Change, JsonObject]]:
        """Every change of objects of ``kinds`` from now on, for controllers; all without any.

        What is there when it is called comes first, as ADDED.
        """
        names = {self.serve(kind).name for kind in kinds}
        store, changed = self.state.store, Waker()
        stop = store.listen(changed.set)
        try:
            at = store.revision
            for stored in list(store.everything()):
                if not names or stored.key.resource in names:
                    yield Change.ADDED, stored.document
            while True:
                changed.clear()
                for record in store.since(at):
                    at = record.stored.revision
                    if not names or record.stored.key.resource in names:
                        yield record.change, record.stored.document
                if not changed.is_set:
                    await changed.wait()
        finally:
            stop()

    async def __aenter__(self) -> Self:
        self._users += 1
        if self._users == 1:
            self._running = [
                asyncio.create_task(_run(controller, self)) for controller in self.controllers
            ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._users -= 1
        if self._users:
            return
        for task in self._running:
            task.cancel()
        ends = await asyncio.gather(*self._running, return_exceptions=True)
        self._running = []
        failures = [end for end in ends if isinstance(end, Exception)]
        if failures and error is None:
            raise failures[0]

    def target(
        self, kind: ObjectKind, *, namespace: str = "", name: str = "", subresource: str = ""
    ) -> Target | None:
        """What a request about ``kind`` is about, if the cluster has such objects."""
        plural, _, rest = kind.plural.partition("/")
        resource = self.state.resources.served(kind.group, kind.version, plural)
        if resource is None:
            return None
        if rest:
            name, _, subresource = rest.partition("/")
        return Target(
            resource=resource,
            version=kind.version,
            namespace=namespace if resource.namespaced else "",
            name=name,
            subresource=subresource,
        )

    def _target(
        self, kind: ObjectKind, namespace: str, name: str = "", subresource: str = ""
    ) -> Target:
        found = self.target(kind, namespace=namespace, name=name, subresource=subresource)
        if found is None:
            raise Refusal(404, "NotFound", "the server could not find the requested resource")
        return found

    def _define(self, definition: Definition) -> None:
        self.state.resources.add(definition.resource)
        for version, schema in definition.schemas.items():
            self.state.schemas[definition.resource.name, version] = schema

    def _follow(self, record: Record) -> None:
        """Serve what a CustomResourceDefinition in the cluster defines, and no longer after it."""
        if record.stored.key.resource != CUSTOM_RESOURCE_DEFINITION.resource:
            return
        definition = read_custom(record.stored.document)
        if record.change is Change.DELETED:
            self.state.resources.remove(definition.resource)
        else:
            self._define(definition)

    def _review(self, request: ActionRequest) -> JsonObject:
        return self.access.review(request.user, request.document)

    def _evict(self, request: ActionRequest) -> JsonObject:
        """Delete a pod by the eviction API; nothing stands in its way here."""
        seconds = object_at(request.document, "deleteOptions").get("gracePeriodSeconds")
        deletion.delete(self.state, request.target, DeleteOptions(grace_seconds=seconds))
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "code": 201,
        }


Controller = Callable[[SimulatedCluster], Awaitable[None]]
"""Lives in a cluster and reacts to changes: a kubelet, Tekton's controller, a saboteur."""

_US = "okd-payload-simulator"


async def _run(controller: Controller, cluster: SimulatedCluster) -> None:
    await controller(cluster)
