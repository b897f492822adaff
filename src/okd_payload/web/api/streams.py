# SPDX-License-Identifier: Apache-2.0
"""Streams: how each fares, its newest releases, and why nothing is new.

Only streams that are configured now are told of; releases of former ones are still found.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from litestar import get
from msgspec import UNSET, UnsetType

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.model import Phase
from okd_payload.controller.views.overview import StreamOverview, read_counted
from okd_payload.errors import UnknownName
from okd_payload.web.api.answers import ReleaseSummary, tell_release
from okd_payload.web.api.parameters import Name
from okd_payload.web.api.problems import READING
from okd_payload.web.api.values import Answer, known_moment
from okd_payload.web.keeping import KEPT
from okd_payload.web.site import Site

_MINUTE = 60


class StreamAnswer(Answer, frozen=True, kw_only=True):
    """One release stream."""

    name: str
    kind: str
    title: str
    message: str
    hidden: bool
    end_of_life: bool
    health: str
    """ok, failing (the last releases were all refused), error, paused, or ended."""
    error: str
    """What stood in the way at the last look; empty when nothing did."""
    error_since: dt.datetime | UnsetType = UNSET
    paused: str
    """Why, where somebody paused it."""
    paused_by: str
    waiting: str
    """Why nothing is new: the rule that holds the next release back, if one does."""
    looked_at: dt.datetime | UnsetType = UNSET
    newest: ReleaseSummary | UnsetType = UNSET
    accepted: ReleaseSummary | UnsetType = UNSET
    """The newest that is accepted."""
    accepted_age_seconds: int | UnsetType = UNSET
    """Its age, in whole minutes."""
    releases: dict[str, int]
    """How many are in each phase."""
    verifications: tuple[str, ...]
    architectures: tuple[str, ...]
    channels: tuple[str, ...]


class StreamList(Answer, frozen=True, kw_only=True):
    """All release streams, by name."""

    items: tuple[StreamAnswer, ...]


def routes(site: Site) -> list[Any]:
    """Reading streams."""

    @get("/streams", responses=READING, tags=["streams"], operation_id="listStreams", opt=KEPT)
    async def list_streams() -> StreamList:
        """All streams: state, health, newest and accepted release, and why nothing is new."""
        return StreamList(items=tuple(await _read(site, sorted(configurations(site)))))

    @get(
        "/streams/{stream:str}",
        responses=READING,
        tags=["streams"],
        operation_id="getStream",
        opt=KEPT,
    )
    async def get_stream(stream: Name) -> StreamAnswer:
        """One stream."""
        return await read_stream(site, stream)

    return [list_streams, get_stream]


def configurations(site: Site) -> dict[str, StreamConfiguration]:
    """The streams as they are configured now."""
    return dict(site.surroundings.configurations())


def require_stream(site: Site, name: str) -> StreamConfiguration:
    """The configuration of the stream. Raises UnknownName."""
    known = configurations(site)
    if name not in known:
        raise UnknownName("release stream", name, known=known)
    return known[name]


async def read_stream(site: Site, name: str) -> StreamAnswer:
    """The stream as it is answered. Raises UnknownName."""
    require_stream(site, name)
    return (await _read(site, [name]))[0]


async def _read(site: Site, names: list[str]) -> list[StreamAnswer]:
    known = configurations(site)
    found, counts = await site.ask(read_counted, names)
    return [_tell(known[name], found[name], counts, now=site.now()) for name in names]


def _tell(
    configuration: StreamConfiguration,
    view: StreamOverview,
    counts: dict[tuple[str, Phase], int],
    *,
    now: float,
) -> StreamAnswer:
    state, accepted = view.state, view.accepted
    name = configuration.name
    age = max(0, int(now - accepted.created)) if accepted is not None else None
    return StreamAnswer(
        name=name,
        kind=configuration.kind.value,
        title=configuration.title,
        message=configuration.message,
        hidden=configuration.hidden,
        end_of_life=configuration.end_of_life,
        health=health_of(configuration, view),
        error=state.error,
        error_since=known_moment(state.error_since),
        paused=state.paused,
        paused_by=state.paused_by,
        waiting=state.waiting,
        looked_at=known_moment(state.seen),
        newest=tell_release(view.newest[0]) if view.newest else UNSET,
        accepted=tell_release(accepted) if accepted is not None else UNSET,
        accepted_age_seconds=UNSET if age is None else age - age % _MINUTE,
        releases={phase.value: counts.get((name, phase), 0) for phase in Phase},
        verifications=tuple(each.name for each in configuration.verifications),
        architectures=configuration.architectures,
        channels=configuration.channels,
    )


def health_of(configuration: StreamConfiguration, view: StreamOverview) -> str:
    """One word for how the stream fares."""
    if configuration.end_of_life:
        return "ended"
    if view.state.paused:
        return "paused"
    if view.state.error:
        return "error"
    return "failing" if view.lacks_accepted else "ok"
