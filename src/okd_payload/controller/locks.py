# SPDX-License-Identifier: Apache-2.0
"""Locks on places that several streams use: many bring images at once, none while some go.

Only within one process: of several instances one acts, and what another still has under way is
refused by the records.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Place:
    """One place: shared by those who add, or held alone by whoever removes."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._sharing = 0
        self._is_alone = False

    @contextlib.asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Until the end of the block, nobody removes anything."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._is_alone)
            self._sharing += 1
        try:
            yield
        finally:
            async with self._changed:
                self._sharing -= 1
                self._changed.notify_all()

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Until the end of the block, nobody else adds or removes anything."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._is_alone and not self._sharing)
            self._is_alone = True
        try:
            yield
        finally:
            async with self._changed:
                self._is_alone = False
                self._changed.notify_all()


class Places:
    """The places that are known, by how they are written."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}

    def of(self, text: str) -> Place:
        """The place that ``text`` names."""
        return self._places.setdefault(text, Place())
