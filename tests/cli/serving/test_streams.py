# SPDX-License-Identifier: Apache-2.0
"""A server that is told to end tells whoever follows events, and lets all others finish."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Litestar, get
from litestar.response import Stream

from okd_payload.cli.serving.http import answer, listen
from okd_payload.cli.serving.streams import EndingStreams


@get("/events")
async def events() -> Stream:
    """Something, and then nothing, for ever."""

    async def write():
        yield b"data: something\n\n"
        await asyncio.Event().wait()

    return Stream(write(), media_type="text/event-stream")


async def test_followers_of_events_hear_of_the_end_at_once(caplog) -> None:
    """Their answer is complete, nobody is cut off, and nothing is logged as a failure."""
    stop = asyncio.Event()

    async def rest() -> None:
        await stop.wait()

    with listen("127.0.0.1", 0) as opened:
        serving = asyncio.create_task(
            answer(Litestar([events], openapi_config=None), opened, beside=rest())
        )
        reader, writer = await asyncio.open_connection(*opened.getsockname()[:2])
        writer.write(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(60):
            await reader.readuntil(b"data: something\n\n")
            stop.set()
            assert (await reader.read()).endswith(b"\r\n0\r\n\r\n")
            await serving
        writer.close()
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == []


async def test_other_requests_are_finished() -> None:
    """What is asked or answered when the server is told to end goes on to its end."""
    sent: list[Any] = []
    coming = [{"type": "http.request", "body": b"whole", "more_body": False}]

    async def application(scope: Any, receive: Any, send: Any) -> None:
        asked = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": asked["body"]})

    async def receive() -> Any:
        return coming.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    streams = EndingStreams(application)
    streams.end()
    await streams({"type": "http"}, receive, send)
    assert [each.get("body") for each in sent] == [None, b"whole"]
