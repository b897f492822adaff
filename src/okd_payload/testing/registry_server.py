# SPDX-License-Identifier: Apache-2.0
"""A registry in this process: the distribution API over memory, with scripted faults.

``async with RegistryServer() as server`` listens on a free loopback port; ``server.host`` is
what a reference begins with. ``server.repository(path)`` is what it holds, ``server.faults``
what shall go wrong, ``server.requests`` what was asked. ``ServerOptions`` makes it one of the
many kinds of registries that exist: without mounts, without the referrers API, with tokens,
with blobs in another place.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import msgspec
from aiohttp import web

from okd_payload.testing.registry_api import Refusal, RegistryApi, ServerOptions
from okd_payload.testing.registry_faults import (
    CorruptAnswer,
    CutAnswer,
    Fault,
    Faults,
    LoseAnswer,
    Reply,
    Reset,
    Silence,
    SlowAnswer,
    StallAnswer,
)
from okd_payload.testing.registry_store import StoredRepository

__all__ = ["Recorded", "RegistryServer", "ServerOptions"]

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Recorded(msgspec.Struct, frozen=True):
    """One request that the server got."""

    method: str
    path: str
    """With the query."""
    host: str
    headers: dict[str, str]
    """By lower case name."""


class RegistryServer:
    """The server; one object is one registry."""

    def __init__(
        self, options: ServerOptions | None = None, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.host = ""
        """Address and port, as a reference's host."""
        self.storage_host = ""
        """Where blobs are redirected to, with the option ``redirect_blobs``."""
        self.faults = Faults()
        self.requests: list[Recorded] = []
        self.busiest = 0
        """Most requests that were under way at once."""
        self._api = RegistryApi(options or ServerOptions())
        self._tls = tls
        self._busy = 0

        @web.middleware
        async def serve(request: web.Request, handler: _Handler) -> web.StreamResponse:
            return await self._serve(request, handler)

        app = web.Application(client_max_size=0, middlewares=[serve])
        app.add_routes(self._api.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    def repository(self, path: str) -> StoredRepository:
        """What is stored under ``path``; made when it is not there yet."""
        return self._api.repository(path)

    def expire_tokens(self) -> None:
        """No token that was issued so far is valid any longer."""
        self._api.doorkeeper.expire_tokens()

    def count(self, method: str, path: str = "") -> int:
        """How many requests of ``method`` had ``path`` in their path."""
        return sum(1 for item in self.requests if item.method == method and path in item.path)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        self.host = await self._listen()
        self.storage_host = self._api.storage_host = await self._listen()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._api.closing.set()
        await self._runner.cleanup()

    async def _listen(self) -> str:
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        return f"127.0.0.1:{self._runner.addresses[-1][1]}"

    async def _serve(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """One request: written down, refused or answered, and spoilt where a fault says so."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(Recorded(request.method, request.path_qs, request.host, headers))
        self._busy += 1
        self.busiest = max(self.busiest, self._busy)
        try:
            fault = self.faults.take(request.method, request.path_qs)
            self._api.fault.set(fault)
            if isinstance(fault, Reset):
                return self._broken(request)
            if isinstance(fault, Silence):
                await self._api.closing.wait()
                return self._broken(request)
            if isinstance(fault, Reply):
                return web.Response(status=fault.status, headers=fault.headers, body=fault.body)
            return await self._spoilt(request, await self._answer(request, handler), fault)
        finally:
            self._busy -= 1

    async def _answer(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            return self._api.refuses(request) or await handler(request)
        except Refusal as refusal:
            return refusal.answer

    async def _spoilt(
        self, request: web.Request, answer: web.StreamResponse, fault: Fault | None
    ) -> web.StreamResponse:
        """``answer`` after what happens to it on its way."""
        if isinstance(fault, LoseAnswer):
            return self._broken(request)
        if not isinstance(answer, web.Response) or not isinstance(answer.body, bytes):
            return answer
        if isinstance(fault, CorruptAnswer):
            body = bytearray(answer.body)
            body[fault.at] ^= 0xFF
            answer.body = bytes(body)
        elif isinstance(fault, CutAnswer | StallAnswer | SlowAnswer):
            return await self._send_badly(request, answer, fault)
        return answer

    async def _send_badly(
        self,
        request: web.Request,
        answer: web.Response,
        fault: CutAnswer | StallAnswer | SlowAnswer,
    ) -> web.StreamResponse:
        body = answer.body if isinstance(answer.body, bytes) else b""
        stream = web.StreamResponse(status=answer.status, headers=answer.headers)
        stream.content_length = len(body)
        await stream.prepare(request)
        if isinstance(fault, SlowAnswer):
            for start in range(0, len(body), fault.piece):
                await stream.write(body[start : start + fault.piece])
                await asyncio.sleep(fault.pause)
            return stream
        await stream.write(body[: fault.after])
        if isinstance(fault, StallAnswer):
            await self._api.closing.wait()
        return self._broken(request)

    def _broken(self, request: web.Request) -> web.Response:
        """Cut the connection; what is returned goes nowhere."""
        if request.transport:
            request.transport.abort()
        return web.Response()
