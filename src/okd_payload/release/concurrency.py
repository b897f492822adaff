# SPDX-License-Identifier: Apache-2.0
"""The same work on many things, some of them at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def map_concurrently(
    function: Callable[[Item], Awaitable[Result]], items: Iterable[Item], *, at_once: int
) -> list[Result]:
    """What ``function`` makes of each of ``items``, in their order.

    The first error ends the others and is raised as it is.
    """
    places = asyncio.Semaphore(at_once)

    async def work(item: Item) -> Result:
        async with places:
            return await function(item)

    tasks = [asyncio.ensure_future(work(item)) for item in items]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
