# SPDX-License-Identifier: Apache-2.0
"""Having releases published, and taking that back: for publishers.

What is asked for is written down; the next pass carries it out as soon as the gates allow.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar.params import JSONBody

from okd_payload.controller import actions
from okd_payload.web.access.guard import actor_of
from okd_payload.web.access.roles import Role
from okd_payload.web.api.actions import Asked, shorten, writes
from okd_payload.web.api.answers import PublicationAnswer, tell_publication
from okd_payload.web.api.conditional import require_match
from okd_payload.web.api.parameters import IfMatch, Name
from okd_payload.web.api.releases import tell_whole
from okd_payload.web.site import Site


class PublicationBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which publication of the stream is meant, and why."""

    publication: str
    reason: str = ""


def routes(site: Site) -> list[Any]:
    """Publishing and rolling back."""

    @writes(
        "/releases/{name:str}/publish",
        Role.PUBLISHER,
        tag="actions",
        name="publishRelease",
        description="Publish a release in one of the ways of its stream, once its gates allow.",
    )
    async def publish(
        *,
        request: Asked,
        name: Name,
        data: JSONBody[PublicationBody],
        if_match: IfMatch = None,
    ) -> PublicationAnswer:
        if if_match is not None:
            require_match(if_match, await tell_whole(site, name))
        line = await actions.publish(
            site.surroundings,
            name,
            publication=data.publication,
            actor=actor_of(request),
            reason=shorten(data.reason),
        )
        return tell_publication(line)

    @writes(
        "/streams/{name:str}/roll-back",
        Role.PUBLISHER,
        tag="actions",
        name="rollBackStream",
        description="Take back what a publication of a stream published last.",
    )
    async def roll_back(
        *, request: Asked, name: Name, data: JSONBody[PublicationBody]
    ) -> PublicationAnswer:
        line = await actions.roll_back(
            site.surroundings,
            name,
            publication=data.publication,
            actor=actor_of(request),
            reason=shorten(data.reason),
        )
        return tell_publication(line)

    return [publish, roll_back]
