# SPDX-License-Identifier: Apache-2.0
"""Web servers that remember what they were told: the twin of ``oci.messages.Messenger``."""

from __future__ import annotations

from collections.abc import Sequence

from okd_payload.errors import RegistryError
from okd_payload.oci.messages import OutgoingMessage


class MemoryMessenger:
    """Answers with 200, or as a test wants it to."""

    def __init__(self) -> None:
        self.messages: list[OutgoingMessage] = []
        """What arrived, in order; what was not answered well too."""
        self.answers: list[int | RegistryError] = []
        """What the next messages are answered with; 200 when there is nothing left."""

    async def send(self, message: OutgoingMessage, *, allowed: Sequence[str]) -> int:
        """The next answer."""
        del allowed
        self.messages.append(message)
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, RegistryError):
            raise answer
        return answer
