# SPDX-License-Identifier: Apache-2.0
"""ETags: who has an answer already gets a word instead of it.

The tag is over the content, so it is the same from every instance. Streams and files are left
alone; only answers that are there in one piece are tagged.
"""

from __future__ import annotations

import hashlib
from typing import Any, cast

import msgspec
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send


class PreconditionFailed(HTTPException):
    """What was to be changed is not any more as it was when it was read."""

    status_code = 412


def tag_of(content: bytes) -> str:
    """The ETag of ``content``."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def require_match(wanted: str | None, answer: msgspec.Struct) -> None:
    """Return when ``wanted`` names the state that ``answer`` tells. Raises PreconditionFailed."""
    if wanted is None or wanted.strip() == "*":
        return
    if tag_of(msgspec.json.encode(answer)) not in read_tags(wanted):
        raise PreconditionFailed("it has changed since it was read: read it again, then decide")


def tag_answers(app: ASGIApp) -> ASGIApp:
    """The layer around a route whose answers carry ETags."""

    async def tagged(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] != "GET":
            await app(scope, receive, send)
            return
        held: list[HTTPResponseStartEvent] = []
        known = read_tags(Headers.from_scope(scope).get("if-none-match", ""))

        async def tag(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 200:
                    held.append(message)
                    return
            elif message["type"] == "http.response.body" and held:
                start = held.pop()
                if not message.get("more_body"):
                    etag = tag_of(message["body"])
                    headers = MutableScopeHeaders.from_message(start)
                    headers["etag"] = etag
                    headers["cache-control"] = "no-cache"
                    if etag in known or "*" in known:
                        await answer_unchanged(start, send)
                        return
                await send(start)
            await send(message)

        await app(scope, receive, tag)

    return tagged


async def answer_unchanged(start: HTTPResponseStartEvent, send: Send) -> None:
    """Answer with a word that the content is as it was, instead of ``start`` and its body."""
    kept = [
        (name, text)
        for name, text in start["headers"]
        if name.lower() not in {b"content-length", b"content-type"}
    ]
    await send(cast("Any", {**start, "status": 304, "headers": kept}))
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def read_tags(text: str) -> frozenset[str]:
    """The ETags in a header like ``If-None-Match``."""
    return frozenset(part.strip().removeprefix("W/") for part in text.split(",") if part.strip())
