# SPDX-License-Identifier: Apache-2.0
"""Hearing at once that an image stream of a cluster changed, by one watch for each namespace.

A watch is only quick: whoever relies on it looks by itself, too, now and then. So one that ends
for good (no right, a cluster that is away for long) stops nobody: it is told, and begun again
after a while. Watches across cuts, and moments that the server forgot, are the cluster room's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator

import msgspec

from okd_payload.clock import Clock
from okd_payload.cluster import ClusterReader, kinds
from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.errors import ClusterError

PAUSES = (5.0, 30.0, 120.0, 600.0)
"""Seconds before a watch that ended for good is begun again, by how often in a row it did."""

_log = logging.getLogger(__name__)

Listener = Callable[[str, str], None]
"""Is told the namespace and the name of an image stream that changed, or may have."""


class _Metadata(msgspec.Struct, frozen=True):
    name: str = ""


class _Named(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


class ImageStreamWatches:
    """The watches that anybody wants, and those who are told."""

    def __init__(self, cluster: ClusterReader, clock: Clock) -> None:
        self._cluster = cluster
        self._clock = clock
        self._listeners: list[Listener] = []
        self._wanted: dict[str, frozenset[str]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.troubles: dict[str, str] = {}
        """Why image streams of a namespace are not watched now, by namespace."""

    def listen(self, listener: Listener) -> None:
        """Tell ``listener`` from now on."""
        self._listeners.append(listener)

    def want(self, who: str, namespaces: Collection[str]) -> None:
        """Watch ``namespaces`` for ``who``, and no longer those that nobody wants."""
        self._wanted[who] = frozenset(namespaces)
        wanted = frozenset[str]().union(*self._wanted.values())
        for namespace in self._tasks.keys() - wanted:
            self._tasks.pop(namespace).cancel()
            self.troubles.pop(namespace, None)
        for namespace in wanted - self._tasks.keys():
            self._tasks[namespace] = asyncio.create_task(self._follow(namespace))

    def note_streams(self, who: str, streams: Collection[StreamConfiguration]) -> None:
        """Watch for ``who`` every namespace in which ``streams`` have image streams."""
        own = self._cluster.namespace
        self.want(who, {namespace for each in streams for namespace, _ in places_of(each, own)})

    def concerns(self, stream: StreamConfiguration, namespace: str, name: str) -> bool:
        """Whether a change of that image stream is one of the images of ``stream``."""
        return (namespace, name) in places_of(stream, self._cluster.namespace)

    async def close(self) -> None:
        """End all watches."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, namespace: str) -> None:
        """Watch for ever."""
        failures = 0
        while True:
            try:
                async for event in self._cluster.watch(kinds.IMAGE_STREAM, namespace=namespace):
                    failures = 0
                    if self.troubles.pop(namespace, ""):
                        _log.info("image streams of %s are watched again", namespace)
                    self._tell(namespace, event.content)
            except ClusterError as error:
                if self.troubles.get(namespace) != error.message:
                    words = "image streams of %s are not watched, only looked at: %s"
                    _log.warning(words, namespace, error.message)
                self.troubles[namespace] = error.message
            await self._clock.wait(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1

    def _tell(self, namespace: str, content: bytes) -> None:
        try:
            name = msgspec.json.decode(content, type=_Named).metadata.name
        except msgspec.MsgspecError as error:
            raise ClusterError(f"the cluster gives no image stream: {error}") from error
        for listener in self._listeners:
            listener(namespace, name)


def places_of(stream: StreamConfiguration, namespace: str) -> frozenset[tuple[str, str]]:
    """Namespace and name of all image streams that decide what ``stream`` does.

    ``namespace`` is meant where none is named.
    """
    if stream.end_of_life:
        return frozenset()
    return frozenset(
        (place or namespace, name)
        for place, _, name in (text.rpartition("/") for text in _image_streams(stream))
    )


def _image_streams(stream: StreamConfiguration) -> Iterator[str]:
    if stream.input.image_stream:
        yield stream.input.image_stream
    if stream.input.mirrored.image_stream:
        yield stream.input.mirrored.image_stream
