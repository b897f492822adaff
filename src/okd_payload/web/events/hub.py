# SPDX-License-Identifier: Apache-2.0
"""One reader of the log of events for all who listen.

It runs while anybody listens. Listeners share one bounded buffer and hold nothing but their
place in it: one that is too slow reads what it missed from the records, so neither a slow
listener nor many of them cost memory.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from okd_payload.controller.model import Event
from okd_payload.controller.records import events
from okd_payload.errors import RecordsError
from okd_payload.web.site import Site

_BUFFERED = 1000
_BATCH = 100
"""Events that one listener is handed at a time: what it has not read yet costs no more."""
SECONDS = 1.0
HEARTBEAT = 15.0
MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Of streams of events: proxies pass on each piece at once, and keep none."""


class EventHub:
    """Tells listeners of events."""

    def __init__(self, site: Site, *, seconds: float = SECONDS) -> None:
        self._site = site
        self._seconds = seconds
        self._recent: collections.deque[Event] = collections.deque(maxlen=_BUFFERED)
        self._position = 0
        self._news = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None
        self.listeners = 0

    async def follow(
        self, after: int | None, *, heartbeat: float = HEARTBEAT
    ) -> AsyncGenerator[Sequence[Event], None]:
        """What happens after the event numbered ``after`` (from now on, without), for ever.

        An empty batch comes when nothing happened for ``heartbeat`` seconds. Whoever knows later
        events than there are knew another database: they hear of what happens from now on.
        """
        last = await self._site.ask(events.last_number)
        place = last if after is None else min(after, last)
        async with self._listening():
            while True:
                batch = await self._read_on(place)
                if batch:
                    place = batch[-1].sequence
                    yield batch
                    continue
                if not await self._wait(place, heartbeat):
                    yield ()

    async def _read_on(self, place: int) -> Sequence[Event]:
        """What follows on ``place``: out of the buffer where it reaches back so far."""
        if self._recent and self._recent[0].sequence <= place + 1:
            return [event for event in self._recent if event.sequence > place][:_BATCH]
        return await self._site.ask(events.read_since, place, limit=_BATCH)

    async def _wait(self, place: int, seconds: float) -> bool:
        """Whether something happened after ``place`` within ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(lambda: self._position > place)
                return True
        return False

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        self.listeners += 1
        if self._reader is None:
            self._recent.clear()
            self._reader = asyncio.create_task(self._read())
        try:
            yield
        finally:
            self.listeners -= 1
            if not self.listeners and self._reader is not None:
                self._reader.cancel()
                self._reader = None

    async def _read(self) -> None:
        """Read the log for everybody; a database that is away is asked again."""
        known: int | None = None
        while True:
            with contextlib.suppress(RecordsError):
                if known is None:
                    known = await self._site.ask(events.last_number)
                    await self._tell(known)
                found = await self._site.ask(events.read_since, known, limit=_BATCH)
                if found:
                    known = found[-1].sequence
                    self._recent.extend(found)
                    await self._tell(known)
                    continue
            await self._site.surroundings.clock.wait(self._seconds)

    async def _tell(self, position: int) -> None:
        async with self._news:
            self._position = max(self._position, position)
            self._news.notify_all()
