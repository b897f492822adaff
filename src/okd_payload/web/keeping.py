# SPDX-License-Identifier: Apache-2.0
"""Answers to readers whom nobody knows, kept for a moment: many ask for the same at once.

Whoever shows who they are (a token, a cookie, the word of a proxy) is answered anew each time,
and nothing of their answers is kept. An answer stands for one second, and only as long as nothing
was written: the number of the newest event is asked for with each request, and what this process
wrote without an event is noticed too. So a change shows at once, and ages and troubles on pages
are right to the second. Of those who ask at the same time for what is not there, one makes it.

Only routes with the options ``KEPT`` take part, and only whole answers of the status 200.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.records import events
from okd_payload.errors import RecordsError
from okd_payload.web.api.conditional import answer_unchanged, read_tags
from okd_payload.web.site import Site

KEPT: dict[str, Any] = {"kept": True}
"""The options of a route whose answers may be kept."""

_SECONDS = 1.0
_LARGEST = 1 << 20
_ALL_BYTES = 32 << 20
"""Of all answers together: whoever invents addresses fills no memory."""
_LONGEST_KEY = 2048
_SHOWING = (b"authorization", b"cookie", b"range")
"""Headers of those who show who they are, and of those who want a part."""
_TELLING = (b"host", b"accept", b"accept-encoding", b"accept-language")
"""Headers by which answers may differ."""

Headers = Iterable[tuple[bytes, bytes]]
Key = tuple[str | bytes, ...]


class _State(msgspec.Struct, frozen=True):
    """What an answer was made from: as long as it is the same, so is the answer."""

    number: int
    """Of the newest event."""
    written: object
    """By this process: another one after each write."""
    streams: tuple[StreamConfiguration, ...]


class _Kept(msgspec.Struct, frozen=True):
    start: HTTPResponseStartEvent
    body: bytes
    state: _State
    until: float

    async def send(self, scope: Scope, send: Send) -> None:
        """Answer with it; with a word to those who have it already."""
        etag = _header(self.start["headers"], b"etag").decode()
        known = read_tags(_header(scope["headers"], b"if-none-match").decode("latin-1"))
        if etag and (etag in known or "*" in known):
            await answer_unchanged(self.start, send)
            return
        await send(cast("Any", {**self.start, "headers": list(self.start["headers"])}))
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


class _Answers:
    """The answers of one site, those asked for last."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._bytes = 0
        self.making: dict[Key, asyncio.Event] = {}
        """What somebody makes now, and what tells the others that it is there."""

    async def state(self) -> _State | None:
        """How the records are now; None while they cannot be asked."""
        around = self._site.surroundings
        written = around.database.written
        try:
            number = await self._site.ask(events.last_number)
        except RecordsError:
            return None
        return _State(number, written, tuple(around.configurations().values()))

    def find(self, key: Key, state: _State) -> _Kept | None:
        """What is kept under ``key`` and still stands."""
        kept = self._kept.get(key)
        if kept is None or kept.state != state or kept.until < self._now():
            return None
        self._kept.move_to_end(key)
        return kept

    def keep(self, key: Key, state: _State, start: HTTPResponseStartEvent, body: bytes) -> _Kept:
        """Keep an answer, and let go of those asked for longest ago."""
        kept = _Kept(start, body, state, self._now() + _SECONDS)
        before = self._kept.pop(key, None)
        self._bytes += len(body) - (len(before.body) if before is not None else 0)
        self._kept[key] = kept
        while self._bytes > _ALL_BYTES:
            self._bytes -= len(self._kept.popitem(last=False)[1].body)
        return kept

    def _now(self) -> float:
        return self._site.surroundings.clock.monotonic()


def make_keeping(site: Site) -> Callable[[ASGIApp], ASGIApp]:
    """The layer around each route of ``site`` that keeps answers of those with ``KEPT``."""
    answers = _Answers(site)
    showing = frozenset({*_SHOWING, site.settings.access.proxy.user_header.lower().encode()})

    def around(app: ASGIApp) -> ASGIApp:
        async def kept(scope: Scope, receive: Receive, send: Send) -> None:
            key = _key(scope, showing)
            state = await answers.state() if key is not None else None
            if key is None or state is None:
                await app(scope, receive, send)
                return
            under_way = answers.making.get(key)
            found = answers.find(key, state)
            if found is None and under_way is not None:
                await under_way.wait()
                found = answers.find(key, state)
            if found is not None:
                await found.send(scope, send)
            elif key in answers.making:  # of an older state, or nothing that is kept
                await app(scope, receive, send)
            else:
                await _make(app, answers, key, state)(scope, receive, send)

        return kept

    return around


def _make(app: ASGIApp, answers: _Answers, key: Key, state: _State) -> ASGIApp:
    """``app`` for whoever comes first: the others wait until it is known what can be kept."""
    ready = answers.making[key] = asyncio.Event()

    def done() -> None:
        if answers.making.get(key) is ready:
            del answers.making[key]
        ready.set()

    async def made(scope: Scope, receive: Receive, send: Send) -> None:
        held: list[HTTPResponseStartEvent] = []

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_small(message):
                held.append(message)
                return
            if message["type"] == "http.response.body" and held:
                start = held.pop()
                if not message.get("more_body"):
                    kept = answers.keep(key, state, start, message["body"])
                    done()
                    await kept.send(scope, send)
                    return
                await send(start)
            done()
            await send(message)

        try:
            await app(_unconditional(scope), receive, note)
        finally:
            done()

    return made


def _key(scope: Scope, showing: frozenset[bytes]) -> Key | None:
    """Under what the answer is kept; None where it is not."""
    if scope["type"] != ScopeType.HTTP or scope["method"] != "GET":
        return None
    if not scope["route_handler"].opt.get("kept"):
        return None
    headers = dict(scope["headers"])
    if not showing.isdisjoint(headers):
        return None
    key: Key = (
        str(scope["scheme"]),
        scope["path"],
        scope["query_string"],
        *(headers.get(name, b"") for name in _TELLING),
    )
    return key if sum(map(len, key)) <= _LONGEST_KEY else None


def _is_small(start: HTTPResponseStartEvent) -> bool:
    """Whether the whole answer is known to be there, and no larger than is kept."""
    length = _header(start["headers"], b"content-length")
    return start["status"] == 200 and length.isdigit() and int(length) <= _LARGEST


def _unconditional(scope: Scope) -> Scope:
    """The same request of somebody who has no former answer."""
    headers = [(name, text) for name, text in scope["headers"] if name != b"if-none-match"]
    return cast("Scope", {**scope, "headers": headers})


def _header(headers: Headers, wanted: bytes) -> bytes:
    return next((text for name, text in headers if name.lower() == wanted), b"")
