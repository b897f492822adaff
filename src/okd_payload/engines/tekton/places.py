# SPDX-License-Identifier: Apache-2.0
"""How many TaskRuns may run at a time, those that nobody of this run made included.

After a restart the pods of the run before go on. The scheduler knows only what it started
itself, so before a TaskRun is made it is looked how many there are, and waited until one ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from okd_payload.engines.tekton.watching import TaskRunWatch


class Places:
    """A number of places for TaskRuns that a watch knows."""

    def __init__(self, watch: TaskRunWatch, *, count: int) -> None:
        self._watch = watch
        self._count = count
        self._making: set[str] = set()
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def taken(self, name: str) -> AsyncIterator[None]:
        """A place to make the TaskRun ``name`` in, kept until the watch knows it."""
        async with self._turn:
            while len(self._watch.running | self._making) >= self._count:
                await self._watch.any_change()
            self._making.add(name)
        try:
            yield
        finally:
            self._making.discard(name)
