# SPDX-License-Identifier: Apache-2.0
"""Answers without an end, ended when the server is told to end.

Whoever follows events would otherwise hold the server up until its patience is over, and then be
cut off in the middle. Here they are told that there is no more, at once, and come back by
themselves: to another instance, or to this one when it is there again.
"""

from __future__ import annotations

import asyncio
from typing import Any

from okd_payload.cli.serving.requests import Application, Message, Receive, Send

_ENDLESS = b"text/event-stream"


class EndingStreams:
    """An ASGI application around another one."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._ending = asyncio.Event()

    def end(self) -> None:
        """End all answers that have no end of their own, now and from now on."""
        self._ending.set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer as the application inside does."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        answer = _Answer(receive, send, self._ending)
        await self._application(scope, answer.receive, answer.send)
        await answer.close()


class _Answer:
    """One answer: to the application, the end of the server is the end of whoever listens."""

    def __init__(self, receive: Receive, send: Send, ending: asyncio.Event) -> None:
        self._receive = receive
        self._send = send
        self._ending = ending
        self._is_endless = False
        self._is_complete = False

    async def receive(self) -> Message:
        """What comes from the client, or that it is gone."""
        if not self._is_endless:
            return await self._receive()
        coming: asyncio.Future[Any] = asyncio.ensure_future(self._receive())
        ending: asyncio.Future[Any] = asyncio.ensure_future(self._ending.wait())
        try:
            await asyncio.wait((coming, ending), return_when=asyncio.FIRST_COMPLETED)
            return coming.result() if coming.done() else {"type": "http.disconnect"}
        finally:
            coming.cancel()
            ending.cancel()

    async def send(self, message: Message) -> None:
        """Send it on, and see what kind of answer it is."""
        if message["type"] == "http.response.start":
            kinds = [value for name, value in message["headers"] if name.lower() == b"content-type"]
            self._is_endless = any(kind.startswith(_ENDLESS) for kind in kinds)
        elif message["type"] == "http.response.body":
            self._is_complete = not message.get("more_body", False)
        await self._send(message)

    async def close(self) -> None:
        """Say that there is no more, where the application was only told that nobody listens."""
        if self._is_endless and not self._is_complete:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
