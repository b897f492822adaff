# SPDX-License-Identifier: Apache-2.0
"""What a simulated cluster consists of, for the modules that work on it.

The parts know nothing of each other: this is where they meet. What may be done with them stands
in ``creation``, ``changes``, ``deletion``, ``reading`` and ``watching``.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Callable, Iterator

from okd_payload.clock import Clock
from okd_payload.cluster import Change
from okd_payload.testing.kubernetes.admission import Mutating, Validating
from okd_payload.testing.kubernetes.documents import JsonObject, list_at
from okd_payload.testing.kubernetes.logs import PodLogs
from okd_payload.testing.kubernetes.requests import Target
from okd_payload.testing.kubernetes.resources import built_in_resources
from okd_payload.testing.kubernetes.schema import Schema
from okd_payload.testing.kubernetes.store import Key, Record, Store, Stored

Conversion = Callable[[JsonObject, str], JsonObject]
"""The object in another version, which is named without its group."""

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
"""What the API server makes names of: no vowels, so no words."""


class State:
    """Kinds, objects, time and chance of one cluster."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self.clock = clock
        self.resources = built_in_resources()
        self.schemas: dict[tuple[str, str], Schema] = {}
        """By resource and version; a kind without one takes everything."""
        self.conversions: dict[str, Conversion] = {}
        """By resource; elsewhere versions differ in nothing but their names."""
        self.store = Store()
        self.logs = PodLogs(clock)
        self.mutating: list[Mutating] = []
        self.validating: list[Validating] = []
        self._owned: dict[str, set[Key]] = {}
        self._random = random.Random(seed)  # noqa: S311 - names and uids of a simulation
        self.store.listen(self._follow)

    def stamp(self) -> str:
        """Now, as Kubernetes writes it."""
        moment = dt.datetime.fromtimestamp(self.clock.now(), dt.UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def new_uid(self) -> str:
        """A uid that no other object has."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def new_suffix(self) -> str:
        """What ``generateName`` gets appended."""
        return "".join(self._random.choices(_SUFFIX, k=5))

    def schema(self, target: Target) -> Schema | None:
        """What is known of the objects of a request."""
        return self.schemas.get((target.resource.name, target.version))

    def convert(self, document: JsonObject, target: Target, version: str = "") -> JsonObject:
        """A stored object in the version of the request, or in ``version``."""
        resource, version = target.resource, version or target.version
        wanted = resource.api_version(version)
        if document.get("apiVersion") == wanted:
            return document
        conversion = self.conversions.get(resource.name)
        if conversion is not None:
            document = conversion(document, version)
        return {**document, "apiVersion": wanted}

    def find(self, resource: str, namespace: str, name: str) -> JsonObject | None:
        """The object of that resource, if there is one."""
        stored = self.store.find(Key(resource, namespace, name))
        return stored.document if stored else None

    def all_of(self, resource: str, namespace: str = "") -> list[JsonObject]:
        """All objects of that resource, in one namespace or in all of them."""
        return [stored.document for stored in self.store.select(resource, namespace)]

    def owned(self, uid: str) -> Iterator[Stored]:
        """All objects that name ``uid`` as an owner."""
        for key in sorted(self._owned.get(uid, ())):
            stored = self.store.find(key)
            if stored is not None:
                yield stored

    def _follow(self, record: Record) -> None:
        """Keep in mind who owns what, and which containers print no more."""
        key = record.stored.key
        if key.resource == "pods":
            self.logs.settle(record.stored.document)
        before = _owners(record.before.document) if record.before else set()
        after = set() if record.change is Change.DELETED else _owners(record.stored.document)
        for uid in before - after:
            keys = self._owned.get(uid, set())
            keys.discard(key)
            if not keys:
                self._owned.pop(uid, None)
        for uid in after - before:
            self._owned.setdefault(uid, set()).add(key)


def _owners(document: JsonObject) -> set[str]:
    return {str(each.get("uid")) for each in list_at(document, "metadata", "ownerReferences")}
