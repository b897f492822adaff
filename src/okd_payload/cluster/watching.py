# SPDX-License-Identifier: Apache-2.0
"""The changes of objects, for ever, across everything that ends a watch.

A watch of the API ends when its time is over, without a word, when the server or a proxy restarts,
and when the server has forgotten the moment it shall go on from: an ERROR event in an answer of
200, or an answer of 410. The first three go on from the last moment that was heard of, which
bookmarks keep young; the last begins with a new list. ``WatchMemory`` decides what is told.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncGenerator

import msgspec

from okd_payload.cluster.api import Api
from okd_payload.cluster.connection import Stream
from okd_payload.cluster.lines import LineSplitter
from okd_payload.cluster.listing import list_objects, list_past
from okd_payload.cluster.objects import identify, strange_answer
from okd_payload.cluster.patience import LASTING, Patience, Trouble, trouble_of
from okd_payload.cluster.protocol import WatchEvent
from okd_payload.cluster.refusal import parse_refusal
from okd_payload.cluster.request import Answer, Request, Subject, Unreached, request_about
from okd_payload.cluster.watch_memory import WatchMemory

_LIFE = (240, 300)
"""Seconds after which the server shall end a watch: not all watches at once."""
_GRACE = 30.0
_SHORT = 1.0
"""Seconds: a watch that ends sooner, without an event, is not begun anew at once."""
_EXPIRED = Trouble(words="the server forgets each moment at once")


class _Line(msgspec.Struct, frozen=True):
    type: str
    object: msgspec.Raw


_decode_line = msgspec.json.Decoder(_Line).decode


class Watch:
    """One watch; ``events`` is read once."""

    def __init__(
        self, api: Api, subject: Subject, *, labels: str = "", fields: str = "", since: str = ""
    ) -> None:
        self._api = api
        self._subject = subject
        self._labels = labels
        self._fields = fields
        self._since = since
        self._moment = since
        """The last moment that was heard of; empty when a list has to be read."""
        self._memory = WatchMemory()
        self._heard = False
        """Whether the last stream of the server had anything."""
        self._trouble: Trouble | None = None
        """What the last stream ended in."""
        self._forgotten = 0
        """How often in a row the server knew nothing of the moment it had just named."""

    async def events(self) -> AsyncGenerator[WatchEvent, None]:
        """The changes. Raises ClusterError for what asking again cannot mend."""
        if self._since:
            await self._recall()
        patience = self._api.patience()
        while True:
            if not self._moment:
                for event in await self._relist():
                    yield event
            began = self._api.clock.monotonic()
            request = self._request()
            self._heard = False
            self._trouble = None
            async with contextlib.aclosing(self._stream(request)) as stream:
                async for event in stream:
                    yield event
            if self._heard or self._api.clock.monotonic() - began >= LASTING:
                patience.note_progress()
            self._forgotten = 0 if self._heard else self._forgotten + (not self._moment)
            if self._forgotten > 1:
                self._trouble = _EXPIRED
            await self._pause(patience, request, began)

    async def _recall(self) -> None:
        """Learn what the listener knows, so that an end is told even if nobody saw it."""
        past = await list_past(
            self._api,
            self._subject,
            labels=self._labels,
            fields=self._fields,
            moment=self._since,
        )
        if past is None:
            self._moment = ""
        else:
            self._memory.expect(past.items)

    async def _relist(self) -> list[WatchEvent]:
        listed = await list_objects(
            self._api, self._subject, labels=self._labels, fields=self._fields
        )
        self._moment = listed.resource_version
        return self._memory.relist(listed.items)

    def _request(self) -> Request:
        life = random.randint(*_LIFE)  # noqa: S311 - spreads load, hides nothing
        query = (
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("labelSelector", self._labels),
            ("fieldSelector", self._fields),
            ("resourceVersion", self._moment),
            ("timeoutSeconds", str(life)),
        )
        return request_about(self._subject, "watch", query=query)

    async def _stream(self, request: Request) -> AsyncGenerator[WatchEvent, None]:
        """The events of one stream of the server, which may end in trouble."""
        silence = _LIFE[1] + _GRACE
        async with self._api.connection.open_stream(request, silence=silence) as opened:
            if not isinstance(opened, Stream):
                self._note_end(opened, request)
                return
            splitter = LineSplitter()
            async for piece in opened.pieces():
                for line in splitter.split(piece):
                    for event in self._understand(line, request):
                        yield event
                    if self._trouble or not self._moment:
                        return
            if opened.cut:
                self._trouble = Trouble(words=f"cut: {opened.cut}")

    def _understand(self, line: bytes, request: Request) -> list[WatchEvent]:
        """What a line tells. Raises ClusterError for a refusal that stays."""
        if not line.strip():
            return []
        try:
            told = _decode_line(line)
        except msgspec.MsgspecError as error:
            raise strange_answer(f"{request.about}: this is no event of an API: {error}") from error
        content = bytes(told.object)
        if told.type == "ERROR":
            code = parse_refusal(content, code=500).code
            self._note_end(Answer(status=code, body=content), request)
            return []
        identity = identify(content)
        self._heard = True
        self._moment = identity.resource_version or self._moment
        if told.type == "BOOKMARK":
            return []
        if told.type == "DELETED":
            return self._memory.note_gone(identity, content)
        return self._memory.note_present(identity, content)

    def _note_end(self, outcome: Answer | Unreached, request: Request) -> None:
        """Note what to do after a refusal. Raises ClusterError when it stays."""
        if isinstance(outcome, Answer) and outcome.status == 410:
            self._moment = ""
            return
        self._trouble = trouble_of(outcome, request)
        if self._trouble is not None:
            return
        if isinstance(outcome, Unreached):
            raise self._api.unreached(request, outcome)
        raise self._api.refused(request, outcome)

    async def _pause(self, patience: Patience, request: Request, began: float) -> None:
        """Wait before the next stream, if that is wise. Raises ClusterUnavailable at the end."""
        if self._trouble is not None:
            if not await patience.endure(self._trouble, request.about):
                raise self._api.exhausted(request, self._trouble)
        elif not self._heard and self._moment and self._api.clock.monotonic() - began < _SHORT:
            await self._api.clock.wait(_SHORT)
