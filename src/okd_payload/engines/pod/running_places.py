# SPDX-License-Identifier: Apache-2.0
"""How many builds may run on a cluster at a time, those that nobody of this run made included.

After a restart the pods of the run before go on. The scheduler knows only what it started
itself, so before a build is made it is looked how many there are, and waited until one ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Generic

from okd_payload.engines.pod.object_watch import ObjectWatch, Seen


class RunningPlaces(Generic[Seen]):
    """A number of places for the objects that a watch knows."""

    def __init__(self, watch: ObjectWatch[Seen], *, count: int) -> None:
        self._watch = watch
        self._count = count
        self._making = 0
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """A place to make one object in, kept until the watch knows it."""
        async with self._turn:
            while self._watch.running + self._making >= self._count:
                await self._watch.any_change()
            self._making += 1
        try:
            yield
        finally:
            self._making -= 1
            self._watch.wake()  # nothing may have been made, and then nothing else says so
