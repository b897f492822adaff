# SPDX-License-Identifier: Apache-2.0
"""Answers as the old controller gives them: indented JSON, and errors as one line of text.

A ``Refusal`` has the words of the old controller and no hint, because scripts compare them. Nothing
here knows what is answered; how far JSON is indented differs from route to route, as there.
"""

from __future__ import annotations

import html
from typing import Any

import msgspec
from litestar import Response

from okd_payload.web.problems import SAFE_HEADERS

JSON = "application/json"
TEXT = "text/plain"
HTML = "text/html"
NO_TAGS = "no tags exist within the release that satisfy the request"
NO_STREAM = "no release configuration exists with the requested name"

Answer = Response[bytes]


class Refusal(Exception):
    """Ends a request with a status and a line of text."""

    def __init__(self, status: int, words: str, *, retry: int = 0) -> None:
        super().__init__(words)
        self.status = status
        self.retry = retry
        self.words = words


def answer_refusal(_: Any, refusal: Refusal) -> Answer:
    """The answer to a request that was refused."""
    headers = SAFE_HEADERS | ({"Retry-After": str(refusal.retry)} if refusal.retry else {})
    return Response(
        f"{refusal.words}\n".encode(),
        status_code=refusal.status,
        media_type=TEXT,
        headers=headers,
    )


def send_json(value: object, *, indent: int = 2) -> Answer:
    """``value`` as indented JSON with a newline at its end."""
    return Response(encode(value, indent=indent) + b"\n", media_type=JSON)


def encode(value: object, *, indent: int) -> bytes:
    """``value`` as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(value), indent=indent)


def send_line(text: str) -> Answer:
    """One line of text."""
    return Response(f"{text}\n".encode(), media_type=TEXT)


def redirect(address: str) -> Answer:
    """The client goes on at ``address``."""
    link = f'<a href="{html.escape(address)}">Found</a>.\n\n'
    headers = {"Location": address}
    return Response(link.encode(), status_code=302, headers=headers, media_type=HTML)
