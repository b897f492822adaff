# SPDX-License-Identifier: Apache-2.0
"""Graphs that were asked for, kept until the records change: clusters ask often, and alike.

An answer stands as long as the snapshot has the same nodes, which it was made of; nothing is kept
by time. Making one takes the processor, so it is done in a thread, one at a time, and all who ask
for the same meanwhile get it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence

import msgspec

from okd_payload.controller.graph.nodes import Node, Snapshot
from okd_payload.web.site import Site

_MOST = 64
"""Graphs are kept, those asked for last: whoever invents channels fills no memory."""


class Answer(msgspec.Struct, frozen=True):
    """A graph as it is sent."""

    content: bytes
    tag: str
    """What tells whether a client has it already."""


class KeptGraphs:
    """The graphs that were made of the newest snapshot of the records."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._nodes: Sequence[Node] = ()
        """Of the snapshot that the answers were made of."""
        self._answers: OrderedDict[tuple[str, ...], Answer] = OrderedDict()
        self._making = asyncio.Lock()

    async def snapshot(self) -> Snapshot:
        """Everything that graphs are made of, as it is now. Raises RecordsError."""
        found = await self._site.snapshots.read(self._site.surroundings)
        if found.nodes is not self._nodes:
            self._answers.clear()
            self._nodes = found.nodes
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
            if self._nodes is snapshot.nodes:
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
