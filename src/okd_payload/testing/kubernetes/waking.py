# SPDX-License-Identifier: Apache-2.0
"""Waking whoever waits for a change, also from another thread than the one that waits.

Commands have an event loop of their own, so a test may run the server in one thread and change
its cluster in another; a plain ``asyncio.Event`` would not be noticed there.
"""

from __future__ import annotations

import asyncio


class Waker:
    """Wakes one waiting task of the loop in which it was made."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    @property
    def is_set(self) -> bool:
        """Whether something happened since ``clear``."""
        return self._event.is_set()

    def set(self, *_: object) -> None:
        """Something happened. What happened is not kept: whoever is woken looks for it."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is self._loop:
            self._event.set()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)

    def clear(self) -> None:
        """Forget that something happened; look for it afterwards."""
        self._event.clear()

    async def wait(self) -> None:
        """Return when something happened."""
        await self._event.wait()
