# SPDX-License-Identifier: Apache-2.0
"""The one place where synchronous commands enter asynchronous work.

SIGINT and SIGTERM cancel the work once, and it cleans up behind itself; a second signal ends the
process at once, which is safe too, because every write is ordered so that a kill harms nothing.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from okd_payload.errors import Interrupted

Result = TypeVar("Result")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of ``work``. Raises Interrupted when a signal stopped it, and what it raises."""
    with asyncio.Runner() as runner:
        return runner.run(_stop_on_signals(work))


async def _stop_on_signals(work: Coroutine[Any, Any, Result]) -> Result:
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        task.cancel()

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        if stopped:
            raise Interrupted("interrupted", hint="run the same command again to go on") from None
        raise
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
