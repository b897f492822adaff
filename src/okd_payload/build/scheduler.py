# SPDX-License-Identifier: Apache-2.0
"""Running the nodes of a graph as early as possible.

There are no batches: a node starts when its parents have succeeded and one of ``jobs`` places
is free, the one with the longest way still ahead first. A failure skips what is built on it
and nothing else, unless the caller calls it fatal. The scheduler knows neither builds nor images.
"""

from __future__ import annotations

import asyncio
import enum
import heapq
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

import msgspec

from okd_payload.build.graph import Graph, descendants
from okd_payload.errors import OkdPayloadError

Result = TypeVar("Result")


class End(enum.Enum):
    """How a node ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


class Ending(msgspec.Struct, Generic[Result], frozen=True, kw_only=True):
    """The end of one node: its result, its error, or which parent's failure skipped it."""

    node: str
    end: End
    result: Result | None = None
    error: OkdPayloadError | None = None
    because_of: str = ""


async def run_graph(
    graph: Graph,
    work: Callable[[str], Awaitable[Result]],
    *,
    jobs: int,
    priorities: Mapping[str, float],
    is_fatal: Callable[[OkdPayloadError], bool] = lambda _: False,
) -> dict[str, Ending[Result]]:
    """Call ``work`` for every node once its parents succeeded; return how each node ended.

    An OkdPayloadError of ``work`` fails its node; any other exception ends the run. After an
    error that ``is_fatal`` nothing new starts and what runs is cancelled. When the caller is
    cancelled, all running work is cancelled and waited for.
    """
    run: _Run[Result] = _Run(graph, priorities, is_fatal)
    running: dict[asyncio.Future[Result], str] = {}
    try:
        while (run.ready or running) and not run.stopped:
            while run.ready and len(running) < jobs:
                node = run.take()
                running[asyncio.ensure_future(work(node))] = node
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=running.__getitem__):
                run.end(running.pop(task), task)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    for task, node in running.items():
        if not task.cancelled():  # it ended before it heard of the failure
            run.end(node, task)
    return run.close()


class _Run(Generic[Result]):
    """The moving part: which nodes wait for how many parents, and how nodes ended."""

    def __init__(
        self,
        graph: Graph,
        priorities: Mapping[str, float],
        is_fatal: Callable[[OkdPayloadError], bool],
    ) -> None:
        self._graph = graph
        self._priorities = priorities
        self._is_fatal = is_fatal
        self._children = graph.children()
        self._missing = {node: len(set(graph.parents_of(node))) for node in graph.parents}
        self.ready: list[tuple[float, str]] = []
        self.endings: dict[str, Ending[Result]] = {}
        self.stopped = False
        for node, count in self._missing.items():
            if count == 0:
                self._add(node)

    def _add(self, node: str) -> None:
        heapq.heappush(self.ready, (-self._priorities.get(node, 0.0), node))

    def take(self) -> str:
        return heapq.heappop(self.ready)[1]

    def end(self, node: str, task: asyncio.Future[Result]) -> None:
        try:
            result = task.result()
        except OkdPayloadError as error:
            self.stopped = self.stopped or self._is_fatal(error)
            self.endings[node] = Ending(node=node, end=End.FAILED, error=error)
            for child in descendants(self._graph, [node]):
                ending = Ending[Result](node=child, end=End.SKIPPED, because_of=node)
                self.endings.setdefault(child, ending)
            return
        self.endings[node] = Ending(node=node, end=End.SUCCEEDED, result=result)
        for child in self._children[node]:
            self._missing[child] -= 1
            if self._missing[child] == 0 and child not in self.endings:
                self._add(child)

    def close(self) -> dict[str, Ending[Result]]:
        for node in self._graph.parents:
            self.endings.setdefault(node, Ending(node=node, end=End.SKIPPED))
        return {node: self.endings[node] for node in sorted(self.endings)}
