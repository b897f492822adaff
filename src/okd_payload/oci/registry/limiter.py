# SPDX-License-Identifier: Apache-2.0
"""How many requests one host is sent at a time: as many as it bears.

Additive increase, multiplicative decrease. The limit doubles per round at first, grows by one
per round after the first push-back, and halves when the host answers 429 or 5xx, goes silent
or becomes much slower than it was. One round of requests can halve it once only. A host that
says when to come back is left alone until then.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from okd_payload.clock import Clock

_START = 8.0
_SLOWER = 4.0
_SLOW_SECONDS = 2.0
_SMOOTHING = 0.2
_DRIFT = 1.002


class Slot(NamedTuple):
    """The permission to have one request under way; ``round`` is counted by cuts."""

    round: int


class Limiter:
    """The slots of one host for one kind of request."""

    def __init__(self, *, most: int, clock: Clock) -> None:
        self._most = float(most)
        self._clock = clock
        self._limit = min(_START, self._most)
        self._busy = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._resume_at = 0.0
        self._round = 0
        self._doubling = True
        self._pace = _Pace()

    @property
    def limit(self) -> int:
        """How many requests may be under way now."""
        return int(self._limit)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Slot]:
        """Wait for a slot and hold it; the holder says how it went: ``succeeded`` or ``cut``."""
        await self._acquire()
        try:
            while (left := self._resume_at - self._clock.monotonic()) > 0:
                await self._clock.wait(left)
            yield Slot(self._round)
        finally:
            self._release()

    def pause(self, seconds: float) -> None:
        """Begin no request for ``seconds``."""
        self._resume_at = max(self._resume_at, self._clock.monotonic() + seconds)

    def succeeded(self, slot: Slot, latency: float | None = None) -> None:
        """A request went well; ``latency`` is given where it tells something about the host."""
        if latency is not None and self._pace.is_slow_after(latency):
            self.cut(slot)
        elif 2 * self._busy >= self.limit:  # else nothing was learnt about more at once
            self._limit = min(self._most, self._limit + (1 if self._doubling else 1 / self._limit))
            self._wake()

    def cut(self, slot: Slot) -> None:
        """The host pushed back; what was under way before the last cut says nothing new."""
        if slot.round == self._round:
            self._limit = max(1.0, self._limit / 2)
            self._doubling = False
            self._round += 1
            self._pace = _Pace()

    async def _acquire(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        self._wake()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._release()
            raise

    def _release(self) -> None:
        self._busy -= 1
        self._wake()

    def _wake(self) -> None:
        """Hand free slots to those who wait, in their order."""
        while self._queue and self._busy < self.limit:
            turn = self._queue.popleft()
            if not turn.done():
                self._busy += 1
                turn.set_result(None)


class _Pace:
    """The usual and the best answering time of a host, both smoothed."""

    def __init__(self) -> None:
        self._usual: float | None = None
        self._best = float("inf")

    def is_slow_after(self, latency: float) -> bool:
        """Take one more answering time; whether the host is now much slower than it can be."""
        usual = latency if self._usual is None else self._usual
        self._usual = usual + (latency - usual) * _SMOOTHING
        self._best = min(self._best * _DRIFT, self._usual)
        return self._usual > max(_SLOW_SECONDS, self._best * _SLOWER)
