# SPDX-License-Identifier: Apache-2.0
"""All TaskRuns of one stream as they are now, kept up to date by a single watch.

However many builds wait, the API server is asked once: what it tells goes to those who follow
that TaskRun. Followers are woken, not queued: they see the newest state, and however slow they
are, nothing piles up. When the watch ends for good, everybody who follows gets its error.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable

from okd_payload.cluster import Change, ClusterReader, kinds
from okd_payload.engines.tekton.task_run import TaskRun, decode_task_run
from okd_payload.errors import OkdPayloadError


class TaskRunWatch:
    """What is known of the TaskRuns that a label selector finds."""

    def __init__(self, cluster: ClusterReader, *, namespace: str, selector: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._selector = selector
        self._known: dict[str, TaskRun] = {}
        self._by_key: defaultdict[str, dict[str, TaskRun]] = defaultdict(dict)
        self.running: set[str] = set()
        """The names of those that are not over."""
        self._gone: set[str] = set()
        self._changed: dict[str, asyncio.Event] = {}
        self._any_changed = asyncio.Event()
        self._error: OkdPayloadError | None = None

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """While it lasts, what is known follows the cluster; it is complete from the start on."""
        listed = await self._cluster.list(
            kinds.TASK_RUN, namespace=self._namespace, labels=self._selector
        )
        for content in listed.items:
            self.learn(content)
        watching = asyncio.create_task(self._watch(listed.resource_version))
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    def learn(self, content: bytes) -> TaskRun:
        """Take notice of a TaskRun that was made or read; what the watch told before stays."""
        task_run = decode_task_run(content)
        known = self._known.get(task_run.name)
        if known is None or known.metadata.uid != task_run.metadata.uid:
            self._tell(task_run)
        return task_run

    def find(self, name: str) -> TaskRun | None:
        """The TaskRun ``name`` as it is now; None when there is none."""
        return self._known.get(name)

    def select(self, fits: Callable[[TaskRun], bool]) -> list[TaskRun]:
        """The TaskRuns that ``fits`` says yes to."""
        return [task_run for task_run in self._known.values() if fits(task_run)]

    def of_key(self, key: str) -> list[TaskRun]:
        """The TaskRuns that make the image with the build key ``key``."""
        return list(self._by_key[key].values())

    async def next_change(self, name: str, seen: TaskRun | None) -> TaskRun | None:
        """The TaskRun ``name`` once it is another than ``seen``; None when it is gone.

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
        """Return when any TaskRun changed. Raises the error that ended the watch."""
        if self._error is None:
            self._any_changed.clear()
            await self._any_changed.wait()
        if self._error is not None:
            raise self._error

    async def _watch(self, since: str) -> None:
        try:
            events = self._cluster.watch(
                kinds.TASK_RUN, namespace=self._namespace, labels=self._selector, since=since
            )
            async for event in events:
                task_run = decode_task_run(event.content)
                if event.change is Change.DELETED:
                    self._forget(task_run)
                else:
                    self._tell(task_run)
        except OkdPayloadError as error:
            self._error = error
            for waiting in self._changed.values():
                waiting.set()
            self._any_changed.set()

    def _tell(self, task_run: TaskRun) -> None:
        self._gone.discard(task_run.name)
        self._known[task_run.name] = task_run
        self._by_key[task_run.key][task_run.name] = task_run
        if task_run.is_over:
            self.running.discard(task_run.name)
        else:
            self.running.add(task_run.name)
        self._wake(task_run.name)

    def _forget(self, task_run: TaskRun) -> None:
        known = self._known.get(task_run.name)
        if known is not None and known.metadata.uid == task_run.metadata.uid:
            del self._known[task_run.name]
            self._by_key[known.key].pop(task_run.name, None)
            self.running.discard(task_run.name)
            self._gone.add(task_run.name)
        self._wake(task_run.name)

    def _wake(self, name: str) -> None:
        if name in self._changed:
            self._changed[name].set()
        self._any_changed.set()
