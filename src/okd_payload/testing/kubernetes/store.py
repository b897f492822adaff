# SPDX-License-Identifier: Apache-2.0
"""Objects in memory, and the history of their changes: what etcd is to a cluster.

Every change moves one counter on, which is the ``resourceVersion`` of what changed and the place
of the change in the history. The history can be forgotten up to a place (``compact``), and then
nobody can watch from before it, or see the objects as they were. The store knows no rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from okd_payload.cluster import Change
from okd_payload.testing.kubernetes.documents import JsonObject, with_metadata

_FIRST = 1000
"""Where the counter starts: a watch from 1 is too old for a new cluster, as for an old one."""
_HISTORY = 50_000
"""Most changes that are remembered."""


class Key(NamedTuple):
    """Which object: the resource (``taskruns.tekton.dev``), its namespace, its name."""

    resource: str
    namespace: str
    name: str


class Stored(msgspec.Struct, frozen=True):
    """An object after one of its changes. ``document`` must not be changed."""

    key: Key
    revision: int
    document: JsonObject


class Record(msgspec.Struct, frozen=True):
    """One change: the object after it, or last before it went, and as it was before."""

    change: Change
    stored: Stored
    before: Stored | None


class Compacted(Exception):
    """The history does not reach back so far."""


class Store:
    """All objects of a cluster."""

    def __init__(self) -> None:
        self.revision = _FIRST
        """The counter: the revision of the last change."""
        self.compacted = _FIRST
        """Changes up to this revision are forgotten."""
        self._objects: dict[str, dict[Key, Stored]] = {}
        self._history: list[Record] = []
        self._listeners: list[Callable[[Record], None]] = []

    def find(self, key: Key) -> Stored | None:
        """The object, if there is one."""
        return self._objects.get(key.resource, {}).get(key)

    def select(self, resource: str, namespace: str = "") -> list[Stored]:
        """All objects of a resource, in one namespace or in all, by namespace and name."""
        return _sorted(self._objects.get(resource, {}), namespace)

    def count(self, resource: str, namespace: str = "") -> int:
        """How many objects ``select`` would give."""
        if not namespace:
            return len(self._objects.get(resource, {}))
        return sum(1 for key in self._objects.get(resource, {}) if key.namespace == namespace)

    def everything(self) -> Iterator[Stored]:
        """All objects there are."""
        for objects in list(self._objects.values()):
            yield from list(objects.values())

    def put(self, key: Key, document: JsonObject) -> Stored:
        """Store ``document``, with the new revision in its metadata."""
        before = self.find(key)
        self.revision += 1
        document = with_metadata(document, resourceVersion=str(self.revision))
        stored = Stored(key, self.revision, document)
        self._objects.setdefault(key.resource, {})[key] = stored
        change = Change.MODIFIED if before else Change.ADDED
        self._tell(Record(change, stored, before))
        return stored

    def remove(self, key: Key, last: JsonObject | None = None) -> Stored:
        """Forget the object; ``last`` is how it looked when it went."""
        before = self._objects[key.resource].pop(key)
        self.revision += 1
        document = before.document if last is None else last
        document = with_metadata(document, resourceVersion=str(self.revision))
        stored = Stored(key, self.revision, document)
        self._tell(Record(Change.DELETED, stored, before))
        return stored

    def since(self, revision: int) -> list[Record]:
        """The changes after ``revision``, oldest first; none for one in the future.

        Raises Compacted.
        """
        if revision < self.compacted:
            raise Compacted
        return self._history[revision - self.compacted :]

    def as_of(self, revision: int, resource: str, namespace: str = "") -> list[Stored]:
        """What ``select`` gave at ``revision``. Raises Compacted."""
        objects = dict(self._objects.get(resource, {}))
        for record in reversed(self.since(revision)):
            key = record.stored.key
            if key.resource != resource:
                continue
            if record.before is None:
                objects.pop(key, None)
            else:
                objects[key] = record.before
        return _sorted(objects, namespace)

    def compact(self, revision: int | None = None) -> None:
        """Forget the changes up to ``revision``, or all of them."""
        upto = self.revision if revision is None else min(revision, self.revision)
        if upto > self.compacted:
            del self._history[: upto - self.compacted]
            self.compacted = upto

    def listen(self, listener: Callable[[Record], None]) -> Callable[[], None]:
        """Call ``listener`` after every change, until the function that is returned is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, record: Record) -> None:
        self._history.append(record)
        if len(self._history) > _HISTORY:
            self.compact(self.compacted + _HISTORY // 5)
        for listener in list(self._listeners):
            listener(record)


def _sorted(objects: dict[Key, Stored], namespace: str) -> list[Stored]:
    found = [key for key in objects if not namespace or key.namespace == namespace]
    return [objects[key] for key in sorted(found)]
