# SPDX-License-Identifier: Apache-2.0
"""Releases: page by page, and one with everything that hangs on it.

Pages follow a cursor and not a number, so that a release that is made meanwhile moves nothing
that somebody reads.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from litestar import get
from litestar.params import FromQuery
from msgspec import UNSET, UnsetType

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.model import Phase, Release
from okd_payload.controller.records import approvals
from okd_payload.controller.records import releases as records
from okd_payload.controller.retention.deciding import Fate
from okd_payload.controller.verification.judging import ready_since, stand_by_architecture
from okd_payload.controller.views.listing import Listing, list_releases
from okd_payload.controller.views.release import ReleaseView, read_release
from okd_payload.errors import UnknownName
from okd_payload.web.api.answers import (
    ApprovalAnswer,
    InputAnswer,
    PublicationAnswer,
    ReleaseSummary,
    RunAnswer,
    TransitionAnswer,
    UpdateAnswer,
    tell_approval,
    tell_inputs,
    tell_publication,
    tell_release,
    tell_run,
    tell_transition,
    tell_update,
)
from okd_payload.web.api.parameters import Cursor, Flag, Limit, Moment, Name, Text
from okd_payload.web.api.problems import READING
from okd_payload.web.api.values import (
    Answer,
    known_moment,
    read_place,
    write_place,
)
from okd_payload.web.fates import fates_of
from okd_payload.web.keeping import KEPT
from okd_payload.web.site import Site


class ReleasePage(Answer, frozen=True, kw_only=True):
    """Some releases, the newest first."""

    items: tuple[ReleaseSummary, ...]
    next: str | UnsetType = UNSET
    """What ``after`` takes for the next page; left out on the last."""


class ExpiryAnswer(Answer, frozen=True, kw_only=True):
    """Why a release stays, or when it goes."""

    step: str
    """stay, withdraw or delete: what the next pass does."""
    reason: str
    expires: dt.datetime | UnsetType = UNSET


class ReleaseAnswer(Answer, frozen=True, kw_only=True):
    """One release with everything that is recorded of it."""

    release: ReleaseSummary
    inputs: tuple[InputAnswer, ...]
    runs: tuple[RunAnswer, ...]
    transitions: tuple[TransitionAnswer, ...]
    publications: tuple[PublicationAnswer, ...]
    approvals: tuple[ApprovalAnswer, ...]
    expiry: ExpiryAnswer | UnsetType = UNSET
    """Left out for a stream that is not configured any more."""
    updates_in: tuple[UpdateAnswer, ...]
    updates_out: tuple[UpdateAnswer, ...]
    architectures: dict[str, str]
    """How it stands for each, where verifications are about one: Open, Succeeded or Failed."""
    previous_accepted: str | UnsetType = UNSET
    """The accepted release before it, from which its changes are told."""
    older: str | UnsetType = UNSET
    newer: str | UnsetType = UNSET


class LockAnswer(Answer, frozen=True, kw_only=True):
    """Exactly what a release was made of: enough to make it again."""

    release: str
    input_hash: str
    digest: str | UnsetType = UNSET
    inputs: tuple[InputAnswer, ...]


def routes(site: Site) -> list[Any]:
    """Reading releases."""

    @get("/releases", responses=READING, tags=["releases"], operation_id="listReleases", opt=KEPT)
    async def list_page(
        *,
        stream: Text = "",
        phase: FromQuery[list[Phase] | None] = None,
        text: Text = "",
        since: Moment = None,
        until: Moment = None,
        withdrawn: Flag = False,
        after: Cursor = None,
        limit: Limit = 50,
    ) -> ReleasePage:
        """Releases of all streams or one, filtered, the newest first.

        ``text`` is part of the name; ``since`` and ``until`` are about when they were created.
        """
        wanted = Listing(
            stream=stream,
            phases=tuple(phase or ()),
            text=text,
            since=_seconds(since),
            until=_seconds(until),
            withdrawn=withdrawn,
            after=read_place(after),
            limit=limit,
        )
        found, place = await site.ask(list_releases, wanted)
        return ReleasePage(items=tuple(map(tell_release, found)), next=write_place(place))

    @get(
        "/releases/{name:str}",
        responses=READING,
        tags=["releases"],
        operation_id="getRelease",
        opt=KEPT,
    )
    async def get_one(name: Name) -> ReleaseAnswer:
        """One release: inputs, runs, transitions, publications, approvals, expiry, updates."""
        return await tell_whole(site, name)

    @get(
        "/releases/{name:str}/lock",
        responses=READING,
        tags=["releases"],
        operation_id="getReleaseLock",
    )
    async def get_lock(name: Name) -> LockAnswer:
        """The frozen inputs of a release."""
        return await _tell_lock(site, name)

    return [list_page, get_one, get_lock]


async def _tell_lock(site: Site, name: str) -> LockAnswer:
    release = await find_release(site, name)
    inputs = await site.ask(records.read_inputs, name)
    return LockAnswer(
        release=name,
        input_hash=release.input_hash,
        digest=release.digest or UNSET,
        inputs=tell_inputs(inputs),
    )


async def find_release(site: Site, name: str) -> Release:
    """The release called ``name``. Raises UnknownName."""
    found = await site.ask(records.find, name)
    if found is None:
        raise UnknownName("release", name, known=())
    return found


async def tell_whole(site: Site, name: str) -> ReleaseAnswer:
    """Everything about the release called ``name``. Raises UnknownName."""
    view = await site.ask(read_release, name)
    if view is None:
        raise UnknownName("release", name, known=())
    given = await site.ask(approvals.list_of, name)
    configuration = site.surroundings.configurations().get(view.release.stream)
    fate = (await fates_of(site, configuration, [view.release])).get(name)
    return ReleaseAnswer(
        release=tell_release(view.release),
        inputs=tell_inputs(view.images),
        runs=tuple(map(tell_run, view.runs)),
        transitions=tuple(map(tell_transition, view.transitions)),
        publications=tuple(map(tell_publication, view.publications)),
        approvals=tuple(map(tell_approval, given)),
        expiry=_tell_fate(fate) if fate is not None else UNSET,
        updates_in=tuple(map(tell_update, view.updates_in)),
        updates_out=tuple(map(tell_update, view.updates_out)),
        architectures=_tell_architectures(view, configuration),
        previous_accepted=view.base.name if view.base is not None else UNSET,
        older=view.older or UNSET,
        newer=view.newer or UNSET,
    )


def _tell_architectures(
    view: ReleaseView, configuration: StreamConfiguration | None
) -> dict[str, str]:
    if configuration is None:
        return {}
    since = ready_since(view.release, view.transitions)
    found = stand_by_architecture(configuration, view.runs, since=since)
    return {architecture: standing.value for architecture, standing in found.items()}


def _tell_fate(fate: Fate) -> ExpiryAnswer:
    return ExpiryAnswer(
        step=fate.step.value, reason=fate.reason, expires=known_moment(fate.expires)
    )


def _seconds(time: dt.datetime | None) -> float | None:
    if time is None:
        return None
    return (time if time.tzinfo is not None else time.replace(tzinfo=dt.UTC)).timestamp()
