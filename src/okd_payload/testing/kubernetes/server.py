# SPDX-License-Identifier: Apache-2.0
"""An API server in this process, on a free loopback port, with the faults that a test asks for.

``async with KubernetesServer() as server`` listens; ``server.url`` is its address,
``server.write_kubeconfig(path)`` the way for clients, ``server.cluster`` what it serves,
``server.faults`` what shall go wrong and ``server.requests`` what was asked. It speaks HTTP
without TLS, and knows its users by tokens.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from aiohttp import web

from okd_payload.testing.kubernetes.faults import (
    Compact,
    CutStream,
    EndStream,
    Fault,
    Faults,
    LoseAnswer,
    Proxy,
    Refuse,
    Reset,
    Slow,
)
from okd_payload.testing.kubernetes.http_api import HttpApi, Reply, Request, refused
from okd_payload.testing.kubernetes.requests import ADMINISTRATOR
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster

__all__ = ["KubernetesServer", "Request"]


class KubernetesServer:
    """The server; one object is one cluster with a way to it."""

    def __init__(self, cluster: SimulatedCluster | None = None) -> None:
        self.cluster = cluster or SimulatedCluster()
        self.url = ""
        """The address, without a slash at its end."""
        self.faults = Faults()
        self.requests: list[Request] = []
        self.busiest = 0
        """Most requests that were under way at once, watches and logs included."""
        self._busy = 0
        self._api = HttpApi(self.cluster)
        self._streams: set[asyncio.Task[None]] = set()
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    def token(self, user: str = ADMINISTRATOR) -> str:
        """The bearer token of ``user``: ``system:serviceaccount:NAMESPACE:NAME`` or any name."""
        return self.cluster.access.token_for(user)

    def write_kubeconfig(
        self, path: Path, *, namespace: str = "default", user: str = ADMINISTRATOR
    ) -> Path:
        """Write a kubeconfig for ``user``; what it says is JSON, which is YAML."""
        configuration = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "simulator",
            "clusters": [{"name": "simulator", "cluster": {"server": self.url}}],
            "users": [{"name": user, "user": {"token": self.token(user)}}],
            "contexts": [
                {
                    "name": "simulator",
                    "context": {"cluster": "simulator", "user": user, "namespace": namespace},
                }
            ],
        }
        path.write_bytes(msgspec.json.format(msgspec.json.encode(configuration)))
        return path

    def count(self, method: str, path: str = "") -> int:
        """How many requests of ``method`` had ``path`` in their path."""
        return sum(1 for item in self.requests if item.method == method and path in item.path)

    def cut_streams(self) -> None:
        """Break off all watches and logs that are open now."""
        for task in list(self._streams):
            task.cancel()

    async def __aenter__(self) -> Self:
        await self.cluster.__aenter__()
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[-1][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cut_streams()
        await self._runner.cleanup()
        await self.cluster.__aexit__(kind, error, traceback)

    async def _serve(self, received: web.Request) -> web.StreamResponse:
        request = Request(
            method=received.method,
            path=received.path,
            query=dict(received.query),
            headers={name.lower(): value for name, value in received.headers.items()},
            body=await received.read(),
        )
        self.requests.append(request)
        self._busy += 1
        self.busiest = max(self.busiest, self._busy)
        try:
            fault = self.faults.take(request.method, received.path_qs)
            return await self._answer(received, request, fault)
        finally:
            self._busy -= 1

    async def _answer(
        self, received: web.Request, request: Request, fault: Fault | None
    ) -> web.StreamResponse:
        if isinstance(fault, Reset):
            return _break(received)
        if isinstance(fault, Refuse):
            return _whole(refused(fault.refusal()))
        if isinstance(fault, Proxy):
            return web.Response(status=fault.code, text=fault.page, content_type="text/html")
        if isinstance(fault, Compact):
            self.cluster.state.store.compact()
        if isinstance(fault, Slow):
            await self.cluster.state.clock.wait(fault.seconds)
        reply = self._api.answer(request)
        if isinstance(fault, LoseAnswer):
            return _break(received)
        if reply.stream is None:
            return _whole(reply)
        return await self._stream(received, reply, reply.stream, fault=fault)

    async def _stream(
        self,
        received: web.Request,
        reply: Reply,
        pieces: AsyncIterator[bytes],
        *,
        fault: Fault | None,
    ) -> web.StreamResponse:
        """Send pieces as they come, until they end, the client goes or a fault happens."""
        response = web.StreamResponse(status=reply.code, headers=_headers(reply))
        await response.prepare(received)
        whole = False

        async def send() -> None:
            nonlocal whole
            sent = 0
            async for piece in pieces:
                if isinstance(fault, CutStream) and sent + len(piece) > fault.after:
                    await response.write(piece[: fault.after - sent])
                    return
                await response.write(piece)
                sent += len(piece)
                if isinstance(fault, EndStream) and sent >= fault.after:
                    break
            whole = True

        if isinstance(fault, CutStream) and not fault.after:
            return _break(received)
        task = asyncio.create_task(send())
        self._streams.add(task)
        try:
            with contextlib.suppress(ConnectionError):
                await asyncio.wait((task,))
            if not task.cancelled():
                with contextlib.suppress(ConnectionError):
                    task.result()
        finally:
            task.cancel()
            self._streams.discard(task)
        return response if whole else _break(received)


def _whole(reply: Reply) -> web.Response:
    body = reply.text.encode()
    if reply.document is not None:
        body = msgspec.json.encode(reply.document) + b"\n"
    return web.Response(status=reply.code, headers=_headers(reply), body=body)


def _headers(reply: Reply) -> dict[str, str]:
    headers = {"Content-Type": reply.media_type}
    if reply.warnings:
        quoted = (each.replace("\\", "\\\\").replace('"', '\\"') for each in reply.warnings)
        headers["Warning"] = ", ".join(f'299 - "{each}"' for each in quoted)
    if reply.retry_after:
        headers["Retry-After"] = str(reply.retry_after)
    return headers


def _break(received: web.Request) -> web.Response:
    """Cut the connection; what is returned goes nowhere."""
    if received.transport:
        received.transport.abort()
    return web.Response()
