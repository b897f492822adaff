# SPDX-License-Identifier: Apache-2.0
"""A server of the API that says what a test tells it to."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import yaml


class Asked(msgspec.Struct, frozen=True):
    """One request, as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def document(self):
        return json.loads(self.body)


class Reply(msgspec.Struct, frozen=True):
    """One answer. With ``pieces`` it is a stream; ``cut`` ends it as a broken connection does."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}
    pieces: tuple[bytes, ...] | None = None
    cut: bool = False
    hold: asyncio.Event | None = None
    """The stream stays open after its pieces until this is set."""


NOTHING = Reply(status=0)
"""The connection is closed without an answer."""


def document(content, status=200, **headers):
    """A document as an answer."""
    kind = {"Content-Type": "application/json", **headers}
    return Reply(status, json.dumps(content).encode(), kind)


def status(code, reason="", message="said", *, headers=None, **details):
    """A refusal of an API server."""
    body = {"kind": "Status", "code": code, "reason": reason, "message": message}
    return document({**body, "details": details}, code, **(headers or {}))


class ScriptedApi:
    """The server: ``answer`` decides about each request, ``asked`` is what came."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], Reply] = lambda asked: Reply(404, b"404 page not found\n")
        self.url = ""

    def script(self, *replies):
        """Answer with these, one after another; the last stays."""
        left = list(replies)
        self.answer = lambda asked: left.pop(0) if len(left) > 1 else left[0]

    async def serve(self, reader, writer):
        """Answer everything that comes over one connection."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self._exchange(reader, writer):
                pass
        writer.close()

    async def _exchange(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        parts = urlsplit(target)
        asked = Asked(method, unquote(parts.path), dict(parse_qsl(parts.query)), headers, body)
        self.asked.append(asked)
        reply = self.answer(asked)
        if not reply.status:
            return False
        if reply.pieces is None:
            head = {**reply.headers, "Content-Length": str(len(reply.body))}
            writer.write(_head(reply.status, head) + reply.body)
            await writer.drain()
            return True
        writer.write(_head(reply.status, {**reply.headers, "Transfer-Encoding": "chunked"}))
        for piece in reply.pieces:
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await writer.drain()
        if reply.hold:
            await reply.hold.wait()
        if reply.cut:
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


def _head(status, headers):
    lines = (f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Said\r\n{''.join(lines)}\r\n".encode()


def kubeconfig(path, server, *, user=None, cluster=None, **context):
    """A kubeconfig with one context."""
    content = {
        "current-context": "it",
        "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "u", "user": {"token": "t"} if user is None else user}],
        "contexts": [{"name": "it", "context": {"cluster": "c", "user": "u", **context}}],
    }
    path.write_text(yaml.safe_dump(content))
    return path
