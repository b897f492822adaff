# SPDX-License-Identifier: Apache-2.0
"""Blocking work in threads that is never abandoned half-way.

``asyncio.to_thread`` returns at once when its caller is cancelled, while the thread goes on: with
a file that the caller then closes, whose number the next socket gets. Here a cancelled caller
waits until the thread is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def finish_in_thread(function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
    """What ``function`` returns, computed in a thread, which has ended whenever this ends."""
    work = asyncio.ensure_future(asyncio.to_thread(function, *arguments, **keywords))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            try:
                await asyncio.wait([work])
            except asyncio.CancelledError:
                continue
        if not work.cancelled():
            work.exception()
        raise
