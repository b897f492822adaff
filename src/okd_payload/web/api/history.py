# SPDX-License-Identifier: Apache-2.0
"""What happened, page by page, the newest first; ``/events`` tells the same while it happens."""

from __future__ import annotations

from typing import Any

from litestar import get
from msgspec import UNSET, UnsetType

from okd_payload.controller.views.listing import list_events
from okd_payload.web.api.answers import EventAnswer, tell_event
from okd_payload.web.api.parameters import Limit, Number, Text
from okd_payload.web.api.problems import READING
from okd_payload.web.api.values import Answer
from okd_payload.web.site import Site


class EventPage(Answer, frozen=True, kw_only=True):
    """Some events, the newest first."""

    items: tuple[EventAnswer, ...]
    before: int | UnsetType = UNSET
    """What ``before`` takes for the next page; left out on the last."""


def routes(site: Site) -> list[Any]:
    """Reading what happened."""

    @get("/history", responses=READING, tags=["events"], operation_id="listEvents")
    async def list_page(
        *,
        stream: Text = "",
        release: Text = "",
        kind: Text = "",
        before: Number = None,
        limit: Limit = 50,
    ) -> EventPage:
        """Events of all streams or one, of a release, of a kind."""
        found = await site.ask(
            list_events,
            stream=stream,
            release=release,
            kind=kind,
            before=before,
            limit=limit + 1,
        )
        shown = found[:limit]
        more = len(found) > limit
        return EventPage(
            items=tuple(map(tell_event, shown)), before=shown[-1].sequence if more else UNSET
        )

    return [list_page]
