# SPDX-License-Identifier: Apache-2.0
"""A clock for many waiting at once: time jumps to the next moment somebody waits for.

``ManualClock`` moves on with every wait, so two tasks that wait an hour each make two hours. Here
they make one: time stands still while anybody has something to do, and then moves to the earliest
moment that is waited for. Nobody needs real seconds, and durations come out as they were meant.

    async with EventClock() as clock:
        async with asyncio.TaskGroup() as tasks: ...
"""

from __future__ import annotations

import asyncio
import heapq
from types import TracebackType
from typing import Self

_QUIET_ROUNDS = 40
"""How often everybody gets a turn without a new wait before time moves on."""


class EventClock:
    """The twin of ``Clock`` for simulations. Time passes within ``async with``."""

    def __init__(self, now: float = 1_735_689_600.0) -> None:
        self._start = now
        self._passed = 0.0
        self._number = 0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._asked = asyncio.Event()
        self._driver: asyncio.Task[None] | None = None

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._start + self._passed

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return self._passed

    async def wait(self, seconds: float) -> None:
        """Return when ``seconds`` have passed on this clock."""
        future = asyncio.get_running_loop().create_future()
        self._number += 1
        moment = self._passed + max(seconds, 0.0)
        heapq.heappush(self._waiting, (moment, self._number, future))
        self._asked.set()
        await future

    async def __aenter__(self) -> Self:
        self._driver = asyncio.create_task(self._drive())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._driver is not None
        self._driver.cancel()
        await asyncio.gather(self._driver, return_exceptions=True)

    async def _drive(self) -> None:
        while True:
            self._drop_cancelled()
            if not self._waiting:
                self._asked.clear()
                await self._asked.wait()
            await self._until_quiet()
            self._drop_cancelled()
            if self._waiting:
                moment, _, future = heapq.heappop(self._waiting)
                self._passed = max(self._passed, moment)
                future.set_result(None)

    async def _until_quiet(self) -> None:
        number, rounds = self._number, 0
        while rounds < _QUIET_ROUNDS:
            await asyncio.sleep(0)
            rounds = rounds + 1 if self._number == number else 0
            number = self._number

    def _drop_cancelled(self) -> None:
        while self._waiting and self._waiting[0][2].done():
            heapq.heappop(self._waiting)
