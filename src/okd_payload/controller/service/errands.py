# SPDX-License-Identifier: Apache-2.0
"""Long pieces of work that hold no pass up: begun in one pass, and taken note of in a later one.

Most take a moment, and are waited for. One that takes longer is left to itself, and every pass
that asks for it finds it under way until it has ended; then its outcome, or its error, is that
pass's. Two of the same are never under way. What is ended with this process is begun again by
whoever acts next, as after a kill.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")
Key = tuple[str, str]
"""What is done, and for which stream or release."""


class Errands:
    """What is under way in this process."""

    def __init__(self, patience: float | None = None) -> None:
        """Wait ``patience`` seconds for what was begun; to its end without."""
        self._patience = patience
        self._tasks: dict[Key, asyncio.Task[Any]] = {}

    async def go_on(
        self, key: Key, work: Callable[[], Coroutine[Any, Any, Result]]
    ) -> Result | None:
        """What came of ``work``, which is begun unless it is under way; None while it is.

        Raises what it raised.
        """
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(work())
            await asyncio.wait([task], timeout=self._patience)
        if not task.done():
            return None
        del self._tasks[key]
        result: Result = task.result()
        return result

    async def drop(self, key: Key) -> None:
        """End it: nobody wants it any more."""
        task = self._tasks.pop(key, None)
        if task is not None:
            await _end(task)

    async def close(self) -> None:
        """End all."""
        while self._tasks:
            _, task = self._tasks.popitem()
            await _end(task)


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancel ``task``, whatever comes of it."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
