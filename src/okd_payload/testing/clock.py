# SPDX-License-Identifier: Apache-2.0
"""Clocks that tests move: time passes when they say so, and what was waited for can be read."""

from __future__ import annotations

import asyncio


class ManualClock:
    """The twin of ``Clock``. Waiting moves it on at once, and takes no time."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._start = now
        self._passed = 0.0
        self.waits: list[float] = []
        """Every wait so far, in seconds."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._start + self._passed

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return self._passed

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._passed += seconds

    def jump(self, seconds: float) -> None:
        """Let the wall clock be set, on or back; what counts durations does not notice."""
        self._start += seconds

    async def wait(self, seconds: float) -> None:
        """Let time pass, and other tasks run once."""
        self.waits.append(seconds)
        self._passed += seconds
        await asyncio.sleep(0)


class StandingClock(ManualClock):
    """For servers that others talk to meanwhile: waiting takes its time, and moves nothing.

    What looks for news now and then, for ever, would move a ``ManualClock`` on without end.
    """

    async def wait(self, seconds: float) -> None:
        """Let other tasks run for so long."""
        self.waits.append(seconds)
        await asyncio.sleep(seconds)
