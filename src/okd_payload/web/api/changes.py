# SPDX-License-Identifier: Apache-2.0
"""What changed between two releases, the history of a component, and searching all of it.

All of it is told from the records: which image has which commit stands there since the release
was made, so no registry and no git server is asked.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from litestar import get
from msgspec import UNSET, UnsetType

from okd_payload.controller.model import FrozenInput
from okd_payload.controller.views.images import Appearance, read_history, search
from okd_payload.controller.views.release import Comparison, ImageChange, read_comparison
from okd_payload.errors import InputError, UnknownName
from okd_payload.web.api.answers import (
    InputAnswer,
    ReleaseSummary,
    tell_inputs,
    tell_release,
)
from okd_payload.web.api.parameters import Limit, Name, NeededText, Text
from okd_payload.web.api.problems import READING
from okd_payload.web.api.releases import find_release, tell_whole
from okd_payload.web.api.streams import configurations, require_stream
from okd_payload.web.api.values import Answer, moment
from okd_payload.web.site import Site


class ChangeAnswer(Answer, frozen=True, kw_only=True):
    """One image in which two releases differ."""

    tag: str
    change: str
    """added, removed, changed, or rebuilt: another image of the same commit."""
    source: str
    """Repository of its source code, where an image says so."""
    before: InputAnswer | UnsetType = UNSET
    after: InputAnswer | UnsetType = UNSET
    compare_url: str | UnsetType = UNSET
    """Where the commits between are shown, for forges that show them."""


class ChangesAnswer(Answer, frozen=True, kw_only=True):
    """In which images one release differs from another."""

    before: ReleaseSummary
    after: ReleaseSummary
    changes: tuple[ChangeAnswer, ...]
    same: int
    """How many images are the same in both."""


class AppearanceAnswer(Answer, frozen=True, kw_only=True):
    """One image of a component, and the releases that have it."""

    stream: str
    image: InputAnswer
    since: dt.datetime
    releases: tuple[str, ...]
    """The newest first."""
    phases: tuple[str, ...]
    """Of these releases."""


class ComponentHistory(Answer, frozen=True, kw_only=True):
    """The images of one component across releases, the newest first in each stream."""

    component: str
    items: tuple[AppearanceAnswer, ...]


class FoundImage(Answer, frozen=True, kw_only=True):
    """An image whose digest or commit begins like what was searched."""

    release: str
    image: InputAnswer


class FoundAnswer(Answer, frozen=True, kw_only=True):
    """What a search finds."""

    releases: tuple[ReleaseSummary, ...]
    components: tuple[str, ...]
    images: tuple[FoundImage, ...]


def routes(site: Site) -> list[Any]:
    """Changes, histories, search."""

    @get(
        "/releases/{name:str}/changes",
        responses=READING,
        tags=["releases"],
        operation_id="getReleaseChanges",
    )
    async def get_changes(*, name: Name, since: Text = "") -> ChangesAnswer:
        """What changed since another release: without one, since the accepted one before it."""
        before = since or await _base_of(site, name)
        found = await site.ask(read_comparison, before, name)
        if found is None:
            await find_release(site, name)
            raise UnknownName("release", before, known=())
        return _tell_comparison(found)

    @get(
        "/components/{component:str}",
        responses=READING,
        tags=["components"],
        operation_id="getComponentHistory",
    )
    async def get_history(
        *, component: Name, stream: Text = "", limit: Limit = 100
    ) -> ComponentHistory:
        """The images of a component in the newest releases of each stream."""
        if stream:
            require_stream(site, stream)
        names = [stream] if stream else sorted(configurations(site))
        found = await site.ask(read_history, component, names, limit=limit)
        if not found:
            raise UnknownName("component", component, known=())
        return ComponentHistory(component=component, items=tuple(map(_tell_appearance, found)))

    @get("/search", responses=READING, tags=["search"], operation_id="search")
    async def find(*, q: NeededText, limit: Limit = 50) -> FoundAnswer:
        """Releases and components by a part of their name, images by digest or commit."""
        found = await site.ask(search, q, sorted(configurations(site)), limit=limit)
        return FoundAnswer(
            releases=tuple(map(tell_release, found.releases)),
            components=found.components,
            images=tuple(
                FoundImage(release=each.release, image=_tell_image(each.image))
                for each in found.images
            ),
        )

    return [get_changes, get_history, find]


async def _base_of(site: Site, name: str) -> str:
    base = (await tell_whole(site, name)).previous_accepted
    if isinstance(base, UnsetType):
        raise InputError(
            f"no release before {name} is accepted", hint="name one with ?since=RELEASE"
        )
    return base


def _tell_comparison(found: Comparison) -> ChangesAnswer:
    return ChangesAnswer(
        before=tell_release(found.before),
        after=tell_release(found.after),
        changes=tuple(map(_tell_change, found.changes)),
        same=found.same,
    )


def _tell_change(change: ImageChange) -> ChangeAnswer:
    return ChangeAnswer(
        tag=change.tag,
        change=change.alteration.value,
        source=change.source,
        before=_tell_image(change.before) if change.before is not None else UNSET,
        after=_tell_image(change.after) if change.after is not None else UNSET,
        compare_url=_link(change),
    )


def _link(change: ImageChange) -> str | UnsetType:
    old, new = change.before, change.after
    if old is None or new is None or old.source != new.source or old.commit == new.commit:
        return UNSET
    if not (old.commit and new.commit and new.source.startswith("https://github.com/")):
        return UNSET
    return f"{new.source.removesuffix('.git')}/compare/{old.commit}...{new.commit}"


def _tell_appearance(found: Appearance) -> AppearanceAnswer:
    return AppearanceAnswer(
        stream=found.stream,
        image=_tell_image(found.image),
        since=moment(found.since),
        releases=found.releases,
        phases=tuple(phase.value for phase in found.phases),
    )


def _tell_image(image: FrozenInput) -> InputAnswer:
    return tell_inputs([image])[0]
