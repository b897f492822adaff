# SPDX-License-Identifier: Apache-2.0
"""Graphs that were asked for, kept until the records change: clusters ask often, and alike."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.graph.nodes import Node, Snapshot
from okd_payload.controller.graph.reading import read_snapshot, refresh
from okd_payload.web.site import Site

_MOST = 64
"""Graphs are kept, those asked for last: whoever invents channels fills no memory."""


class Answer(msgspec.Struct, frozen=True):
    """A graph as it is sent."""

    content: bytes
    tag: str
    """What tells whether a client has it already."""


class KeptGraphs:
    """The snapshot of the records, and the graphs that were made of it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._snapshot: Snapshot | None = None
        self._streams: tuple[StreamConfiguration, ...] = ()
        self._answers: OrderedDict[tuple[str, ...], Answer] = OrderedDict()
        self._lock = asyncio.Lock()
        self._making = asyncio.Lock()

    async def snapshot(self) -> Snapshot:
        """Everything that graphs are made of, as it is now. Raises RecordsError."""
        async with self._lock:  # all who wait get what the first one made
            configurations = dict(self._site.surroundings.configurations())
            streams = tuple(configurations.values())
            before = self._snapshot
            if before is None or streams != self._streams:
                found = await self._site.ask(read_snapshot, configurations)
            else:
                found = await self._site.ask(refresh, before, configurations)
            if before is None or streams != self._streams or found.nodes is not before.nodes:
                self._answers.clear()
            self._snapshot, self._streams = found, streams
            return found

    async def answer(
        self, key: tuple[str, ...], make: Callable[[Snapshot], msgspec.Struct]
    ) -> Answer:
        """The graph that ``make`` makes, or the one kept under ``key``. Raises RecordsError."""
        snapshot = await self.snapshot()
        kept = self._find(key)
        if kept is not None:
            return kept
        async with self._making:  # all who ask for the same get what the first one made
            kept = self._find(key)
            if kept is not None:
                return kept
            made = await asyncio.to_thread(_encode, make, snapshot)
            if self._snapshot is not None and self._snapshot.nodes is snapshot.nodes:
                self._answers[key] = made
                while len(self._answers) > _MOST:
                    self._answers.popitem(last=False)
            return made

    def _find(self, key: tuple[str, ...]) -> Answer | None:
        """What is kept under ``key``, which is now the one asked for last."""
        kept = self._answers.get(key)
        if kept is not None:
            self._answers.move_to_end(key)
        return kept

    def link(self, node: Node) -> str:
        """Where people read about a release; a name of ours where the server knows no address."""
        if not self._site.base_url:
            return f"urn:okd-payload:release:{node.release}"
        return self._site.link(f"/releasestream/{node.stream}/release/{node.release}")


def _encode(make: Callable[[Snapshot], msgspec.Struct], snapshot: Snapshot) -> Answer:
    content = msgspec.json.encode(make(snapshot))
    return Answer(content, hashlib.sha256(content).hexdigest()[:32])
