# SPDX-License-Identifier: Apache-2.0
"""Time as a seam: what waits or stamps asks a ``Clock``, so tests need no real seconds.

Owns nothing but the passing of time. Timestamps of images never come from here: they are
derived from the inputs of a build.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time in seconds since the epoch, a steady counter, and waiting."""

    def now(self) -> float:
        """Seconds since the epoch, for records and logs."""
        ...

    def monotonic(self) -> float:
        """Seconds on a counter that never goes back, for deadlines and durations."""
        ...

    async def wait(self, seconds: float) -> None:
        """Return after ``seconds``; used for back-off only, never to wait for a condition."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds on the system's monotonic counter."""
        return time.monotonic()

    async def wait(self, seconds: float) -> None:
        """Let other tasks run for ``seconds``."""
        await asyncio.sleep(seconds)
