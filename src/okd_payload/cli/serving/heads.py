# SPDX-License-Identifier: Apache-2.0
"""Answering HEAD as GET without the content, for whoever only looks whether something is there.

An answer without an end, as events are, ends with its head.
"""

from __future__ import annotations

import asyncio

from okd_payload.cli.serving.requests import Application, Message, Receive, Send


class HeadRequests:
    """An ASGI application around another one, which knows GET only."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer as the application inside does, without its content where only the head is."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._application(scope, receive, send)
            return
        begun = asyncio.Event()
        asked = False

        async def take() -> Message:
            """What was asked, and then that nobody listens to the content."""
            nonlocal asked
            if not asked:
                asked = True
                return await receive()
            await begun.wait()
            return {"type": "http.disconnect"}

        async def give(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                begun.set()

        await self._application({**scope, "method": "GET"}, take, give)
