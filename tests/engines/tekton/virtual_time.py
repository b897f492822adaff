# SPDX-License-Identifier: Apache-2.0
"""An event loop whose time passes when nobody has anything to do: hours take no time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class _Selector(selectors.DefaultSelector):
    """Moves the time on instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:  # only another thread can wake us
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self.passed += max(timeout, 0.0)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Timers fire in their order, as soon as everything else is done."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.passed


def run_virtually(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of ``work``, whatever time it takes there."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


class VirtualClock:
    """The clock of that loop, for those who ask what time it is."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return 1_800_000_000.0 + self.monotonic()

    def monotonic(self) -> float:
        """Seconds since the loop was made; none before there is one."""
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:
            return 0.0

    async def wait(self, seconds: float) -> None:
        """Return after ``seconds``."""
        await asyncio.sleep(seconds)
