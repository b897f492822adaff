# SPDX-License-Identifier: Apache-2.0
"""One line of the log for each request: what was asked, how it went, how long it took.

Neither headers nor the query are written down: tokens may stand there. The probes of a cluster
ask every few seconds, and are told of only when they fail.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

_log = logging.getLogger("okd_payload.requests")

_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class RequestLog:
    """An ASGI application around another one."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer as the application inside does, and log it."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        status = 0
        begun = time.perf_counter()

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._application(scope, receive, note)
        finally:
            level = logging.DEBUG if scope["path"] in _PROBES and status < 400 else logging.INFO
            _log.log(
                level,
                "%s %s: %s",
                scope["method"],
                scope["path"],
                status or "no answer",
                extra={
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "milliseconds": round((time.perf_counter() - begun) * 1000, 1),
                },
            )
