# SPDX-License-Identifier: Apache-2.0
"""``/api/v2/events``: what happens, as server-sent events.

Whoever was away says with ``Last-Event-ID`` (browsers do by themselves) what they know, and gets
the rest first.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.exceptions import ServiceUnavailableException
from litestar.params import HeaderParameter
from litestar.response import Stream

from okd_payload.clock import Clock
from okd_payload.controller.model import Event
from okd_payload.web.api.answers import tell_event
from okd_payload.web.api.parameters import Number, Text
from okd_payload.web.api.problems import READING
from okd_payload.web.events.hub import HEADERS, HEARTBEAT, MEDIA_TYPE, EventHub
from okd_payload.web.site import Site

LastEventId = Annotated[
    int | None, HeaderParameter(name="Last-Event-ID", ge=0, le=2**53, required=False)
]
_MOST_LISTENERS = 1000
_HELLO = b"retry: 3000\n\n"
_HEARTBEAT = b": still here\n\n"


def routes(site: Site) -> list[Any]:
    """Listening."""
    hub = EventHub(site)

    @get(
        "/api/v2/events",
        responses=READING,
        tags=["events"],
        operation_id="followEvents",
        media_type=MEDIA_TYPE,
    )
    async def follow(
        *,
        stream: Text = "",
        release: Text = "",
        after: Number = None,
        last_event_id: LastEventId = None,
    ) -> Stream:
        """Events as they happen, of all streams, one stream or one release.

        ``Last-Event-ID`` or ``after`` is the number of the last event that is known; what
        happened since comes first. A comment comes every 15 s when nothing happens.
        """
        if hub.listeners >= _MOST_LISTENERS:
            raise ServiceUnavailableException(
                "too many listen already", headers={"Retry-After": "10"}
            )
        known = last_event_id if last_event_id is not None else after
        clock = site.surroundings.clock
        told = _write(hub, known, clock=clock, stream=stream, release=release)
        return Stream(told, media_type=MEDIA_TYPE, headers=HEADERS)

    return [follow]


async def _write(
    hub: EventHub, after: int | None, *, clock: Clock, stream: str, release: str
) -> AsyncGenerator[bytes, None]:
    """What a listener reads: what it wants, and a word in time where it wants nothing of it."""
    yield _HELLO
    sent = clock.monotonic()
    async with contextlib.aclosing(hub.follow(after)) as batches:
        async for batch in batches:
            wanted = [
                event
                for event in batch
                if stream in ("", event.stream) and release in ("", event.release)
            ]
            if wanted or not batch or clock.monotonic() - sent >= HEARTBEAT:
                sent = clock.monotonic()
                yield b"".join(map(write_event, wanted)) or _HEARTBEAT


def write_event(event: Event) -> bytes:
    """``event`` in the form of server-sent events; JSON has no newlines that could break it."""
    content = msgspec.json.encode(tell_event(event))
    kind = "".join(sign for sign in event.kind if sign.isprintable())
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.sequence, kind.encode(), content)
