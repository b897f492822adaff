# SPDX-License-Identifier: Apache-2.0
"""``/metrics``: cheap to scrape, and answered while the database is away.

What is summed up is read again after an event or some minutes, ages and states with each scrape.
Without the database there is what this instance knows of itself, and that it is away.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response

from okd_payload.controller.graph.gaps import DeadEnd, UntestedUpdate, find_dead_ends, find_gaps
from okd_payload.controller.records import events, streams, webhooks
from okd_payload.controller.service.leadership import LEASE
from okd_payload.controller.views.figures import Figures, read_figures, read_holder
from okd_payload.errors import RecordsError
from okd_payload.web.metrics.collecting import Snapshot, write_metrics
from okd_payload.web.reading import read
from okd_payload.web.site import Site

_MEDIA_TYPE = "text/plain; version=0.0.4"
_LONGEST = 300.0
"""Figures look back from a moment, so they are read again after so many seconds at the latest."""


def routes(site: Site) -> list[Any]:
    """The metrics."""
    kept = KeptFigures(site)

    @read("/metrics", include_in_schema=False, media_type=_MEDIA_TYPE)
    async def metrics() -> Response[bytes]:
        """How everything fares."""
        return Response(write_metrics(await kept.take()), media_type=_MEDIA_TYPE)

    return [metrics]


class KeptFigures:
    """Figures, read anew only after an event."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._figures: Figures | None = None
        self._gaps: tuple[UntestedUpdate, ...] = ()
        self._dead_ends: tuple[DeadEnd, ...] = ()
        self._read = 0.0

    async def take(self) -> Snapshot:
        """What a scrape tells now."""
        site, now = self._site, self._site.now()
        health = site.service.health if site.service is not None else None
        configurations = dict(site.surroundings.configurations())
        bare = Snapshot(
            now=now,
            health=health,
            configured=tuple(sorted(configurations)),
            publications=tuple(
                (name, action.name)
                for name, each in sorted(configurations.items())
                for action in each.publications
            ),
            broken=sum(issue.blocks for issue in site.surroundings.configuration_issues()),
        )
        try:
            figures = await self._refresh(now)
            states = await site.ask(streams.list_all)
            holder = await site.ask(read_holder, LEASE, now=now)
            progress = await site.ask(webhooks.read_progress)
        except RecordsError:
            return bare
        return msgspec.structs.replace(
            bare,
            holder=holder,
            figures=figures,
            streams=states,
            webhooks=tuple(progress.values()),
            gaps=self._gaps,
            dead_ends=self._dead_ends,
        )

    async def _refresh(self, now: float) -> Figures:
        number = await self._site.ask(events.last_number)
        known = self._figures
        if known is not None and known.number == number and now - self._read < _LONGEST:
            return known
        figures = await self._site.ask(read_figures, now=now)
        snapshot = await self._site.snapshots.read(self._site.surroundings)
        self._gaps = tuple(find_gaps(snapshot))
        self._dead_ends = tuple(find_dead_ends(snapshot))
        self._figures, self._read = figures, now
        return figures
