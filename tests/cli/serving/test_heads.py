# SPDX-License-Identifier: Apache-2.0
"""HEAD is answered as GET is, without content."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest
from litestar import Litestar, Response, get
from litestar.response import Stream

from okd_payload.cli.serving.heads import HeadRequests

Message = MutableMapping[str, Any]


@get("/page")
async def page() -> Response[str]:
    """Something with a length."""
    return Response("twelve bytes", headers={"ETag": '"1"'})


@get("/events")
async def events() -> Stream:
    """Something without an end."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"more"
            await asyncio.sleep(0.01)

    return Stream(endless)


async def ask(method: str, path: str) -> list[Message]:
    """What is sent in answer to a request."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        "scheme": "http",
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
        "state": {},
    }
    sent: list[Message] = []
    asked = asyncio.Event()

    async def receive() -> Message:
        if not asked.is_set():
            asked.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        return await asyncio.Future()

    async def send(message: Message) -> None:
        sent.append(message)

    application = HeadRequests(Litestar([page, events]))  # type: ignore[arg-type]  # its own words
    async with asyncio.timeout(60):
        await application(scope, receive, send)
    return sent


async def test_the_head_is_that_of_the_page() -> None:
    """Status, length and what caches go by; no content."""
    (start, body), (same, whole) = await ask("HEAD", "/page"), await ask("GET", "/page")
    assert whole["body"] == b"twelve bytes"
    assert (body["body"], body["more_body"]) == (b"", False)
    assert start["status"] == same["status"] == 200
    assert dict(start["headers"])[b"content-length"] == b"12"
    assert dict(start["headers"])[b"etag"] == b'"1"'


@pytest.mark.parametrize(("path", "status"), [("/events", 200), ("/nothing", 404)])
async def test_whatever_is_asked_ends(path: str, status: int) -> None:
    """Events, too, and what is not there."""
    start, body = await ask("HEAD", path)
    assert start["status"] == status
    assert body["body"] == b""
