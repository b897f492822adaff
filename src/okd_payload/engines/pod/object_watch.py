# SPDX-License-Identifier: Apache-2.0
"""All builds of one stream as a cluster has them now, kept up to date by a single watch.

However many builds wait, the API server is asked once: what it tells goes to those who follow
that object. Followers are woken, not queued: they see the newest state, and however slow they
are, nothing piles up. When the watch ends for good, everybody who follows gets its error.
What kind of object it is, is for those who use it: they say how one is read.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Generic, Protocol, TypeVar

from okd_payload.cluster import Change, ClusterReader, ObjectKind
from okd_payload.errors import OkdPayloadError


class Tracked(Protocol):
    """An object that builds something."""

    @property
    def name(self) -> str:
        """Its name in its namespace."""
        ...

    @property
    def uid(self) -> str:
        """What tells it from others that have had its name."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will run any more."""
        ...

    @property
    def key(self) -> str:
        """The build key of the image that it makes; empty when it makes none of ours."""
        ...


Seen = TypeVar("Seen", bound=Tracked)


class ObjectWatch(Generic[Seen]):
    """What is known of the objects of one kind that a label selector finds."""

    def __init__(
        self,
        cluster: ClusterReader,
        kind: ObjectKind,
        decode: Callable[[bytes], Seen],
        *,
        selector: str,
        namespace: str = "",
    ) -> None:
        self._cluster = cluster
        self._kind = kind
        self._decode = decode
        self._selector = selector
        self._namespace = namespace
        self._known: dict[str, Seen] = {}
        self._by_key: defaultdict[str, dict[str, Seen]] = defaultdict(dict)
        self._running: set[str] = set()
        self._gone: set[str] = set()
        self._changed: dict[str, asyncio.Event] = {}
        self._any_changed = asyncio.Event()
        self._error: OkdPayloadError | None = None

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """While it lasts, what is known follows the cluster; it is complete from the start on."""
        listed = await self._cluster.list(
            self._kind, namespace=self._namespace, labels=self._selector
        )
        for content in listed.items:
            self.learn(content)
        watching = asyncio.create_task(self._watch(listed.resource_version))
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    def learn(self, content: bytes) -> Seen:
        """Take notice of an object that was made or read; what the watch told before stays."""
        seen = self._decode(content)
        known = self._known.get(seen.name)
        if known is None or known.uid != seen.uid:
            self._tell(seen)
        return seen

    def find(self, name: str) -> Seen | None:
        """The object ``name`` as it is now; None when there is none."""
        return self._known.get(name)

    def select(self, fits: Callable[[Seen], bool]) -> list[Seen]:
        """The objects that ``fits`` says yes to."""
        return [seen for seen in self._known.values() if fits(seen)]

    def of_key(self, key: str) -> list[Seen]:
        """The objects that make the image with the build key ``key``."""
        return list(self._by_key[key].values())

    @property
    def running(self) -> int:
        """How many are not over."""
        return len(self._running)

    async def next_change(self, name: str, seen: Seen | None) -> Seen | None:
        """The object ``name`` once it is another than ``seen``; None when it is gone.

        Raises the error that ended the watch.
        """
        event = self._changed.setdefault(name, asyncio.Event())
        while True:
            if self._error is not None:
                raise self._error
            known = self._known.get(name)
            if known is not seen or (known is None and name in self._gone):
                return known
            event.clear()
            await event.wait()

    async def any_change(self) -> None:
        """Return when any object changed, or at ``wake``. Raises what ended the watch."""
        if self._error is None:
            self._any_changed.clear()
            await self._any_changed.wait()
        if self._error is not None:
            raise self._error

    def wake(self) -> None:
        """Let all who wait for any change look again."""
        self._any_changed.set()

    async def _watch(self, since: str) -> None:
        try:
            events = self._cluster.watch(
                self._kind, namespace=self._namespace, labels=self._selector, since=since
            )
            async for event in events:
                seen = self._decode(event.content)
                if event.change is Change.DELETED:
                    self._forget(seen)
                else:
                    self._tell(seen)
        except OkdPayloadError as error:
            self._error = error
            for waiting in self._changed.values():
                waiting.set()
            self.wake()

    def _tell(self, seen: Seen) -> None:
        self._gone.discard(seen.name)
        self._drop(seen.name)
        self._known[seen.name] = seen
        self._by_key[seen.key][seen.name] = seen
        if not seen.is_over:
            self._running.add(seen.name)
        self._wake_followers(seen.name)

    def _forget(self, seen: Seen) -> None:
        known = self._known.get(seen.name)
        if known is not None and known.uid == seen.uid:
            self._drop(seen.name)
            self._gone.add(seen.name)
        self._wake_followers(seen.name)

    def _drop(self, name: str) -> None:
        known = self._known.pop(name, None)
        if known is not None:
            self._by_key[known.key].pop(name, None)
            self._running.discard(name)

    def _wake_followers(self, name: str) -> None:
        if name in self._changed:
            self._changed[name].set()
        self.wake()
