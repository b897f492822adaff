# SPDX-License-Identifier: Apache-2.0
"""Web servers that remember what they were told: the twin of ``oci.messages.Messenger``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from okd_payload.oci.messages import OutgoingMessage


class MemoryMessenger:
    """Answers with 200, or as a test wants it to."""

    def __init__(self) -> None:
        self.messages: list[OutgoingMessage] = []
        """What arrived, in order; what was not answered well too."""
        self.answers: list[int | Exception] = []
        """What the next messages are answered with; 200 when there is nothing left."""
        self.silent: set[str] = set()
        """Addresses that take a message, and answer when they are released."""
        self._released = asyncio.Event()
        self._arrived = asyncio.Condition()

    async def send(self, message: OutgoingMessage, *, allowed: Sequence[str]) -> int:
        """The next answer."""
        del allowed
        async with self._arrived:
            self.messages.append(message)
            self._arrived.notify_all()
        if message.url in self.silent:
            await self._released.wait()
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def until(self, number: int) -> None:
        """Return when so many messages have arrived."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.messages) >= number)

    def release(self) -> None:
        """Let silent addresses answer."""
        self._released.set()
