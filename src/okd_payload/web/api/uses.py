# SPDX-License-Identifier: Apache-2.0
"""That somebody uses a release: reported by people and clusters, so that it is not removed.

The reporter is whoever asks, by the name of the token; a cluster has a token of its own.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import msgspec
from litestar.params import JSONBody
from msgspec import UNSET, Meta, UnsetType

from okd_payload.controller import actions
from okd_payload.controller.records.uses import Use
from okd_payload.web.access.guard import actor_of
from okd_payload.web.access.roles import Role
from okd_payload.web.api.actions import Asked, ReasonBody, shorten, writes
from okd_payload.web.api.parameters import Name
from okd_payload.web.api.values import Answer, known_moment, moment
from okd_payload.web.site import Site

_LONGEST_SECONDS = 10 * 366 * 86400


class UseBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """For how long a release is used, and what for."""

    reason: str = ""
    seconds: Annotated[float, Meta(gt=0, le=_LONGEST_SECONDS)] | None = None
    """Without, until that is taken back."""


class UseAnswer(Answer, frozen=True, kw_only=True):
    """That somebody uses a release."""

    release: str
    reporter: str
    time: dt.datetime
    until: dt.datetime | UnsetType = UNSET
    message: str


class UseEndAnswer(Answer, frozen=True, kw_only=True):
    """That a report was taken back."""

    release: str
    ended: bool
    """Whether there was one."""


def routes(site: Site) -> list[Any]:
    """Reporting a use, and taking that back."""

    @writes(
        "/releases/{name:str}/use",
        Role.VERIFIER,
        tag="actions",
        name="useRelease",
        description="Say that you use a release: it is not removed while you do.",
    )
    async def use(*, request: Asked, name: Name, data: JSONBody[UseBody]) -> UseAnswer:
        given = await actions.report_use(
            site.surroundings,
            name,
            actor=actor_of(request),
            reason=shorten(data.reason),
            seconds=data.seconds,
        )
        return tell_use(given)

    @writes(
        "/releases/{name:str}/stop-using",
        Role.VERIFIER,
        tag="actions",
        name="stopUsingRelease",
        description="Take back that you use a release.",
    )
    async def stop_using(*, request: Asked, name: Name, data: JSONBody[ReasonBody]) -> UseEndAnswer:
        ended = await actions.end_use(
            site.surroundings, name, actor=actor_of(request), reason=shorten(data.reason)
        )
        return UseEndAnswer(release=name, ended=ended)

    return [use, stop_using]


def tell_use(use: Use) -> UseAnswer:
    """``use`` as it is answered."""
    return UseAnswer(
        release=use.release,
        reporter=use.reporter,
        time=moment(use.time),
        until=known_moment(use.until),
        message=use.message,
    )
