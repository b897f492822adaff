# SPDX-License-Identifier: Apache-2.0
"""Registries say that something was pushed, and the streams that watch it are looked at soon.

Who says so shows the secret of the settings; without one nobody is listened to. What is said is
only taken as a hint where to look: a lie costs a look, and nothing else is believed.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from litestar import post
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.params import HeaderParameter, JSONBody, QueryParameter

from okd_payload.controller.model import Event
from okd_payload.controller.records import events
from okd_payload.errors import InvalidReference
from okd_payload.oci.location import parse_location
from okd_payload.web.access.guard import OPEN
from okd_payload.web.api.problems import WRITING
from okd_payload.web.api.streams import configurations
from okd_payload.web.api.values import Answer
from okd_payload.web.site import Site

NOTIFIED = "stream.notified"
_REGISTRY = "registry"
Secret = Annotated[str, QueryParameter(max_length=500)]
Authorization = Annotated[str, HeaderParameter(name="Authorization", max_length=600)]


class PushTarget(msgspec.Struct, frozen=True, kw_only=True):
    """What was pushed, as distribution's registry says it."""

    repository: str = ""


class PushEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of distribution's registry."""

    action: str = ""
    target: PushTarget = PushTarget()


class RegistryBody(msgspec.Struct, frozen=True, kw_only=True):
    """A notification of distribution's registry, or of Quay."""

    events: tuple[PushEvent, ...] = ()
    repository: str = ""
    """What Quay says was pushed to."""

    def repositories(self) -> set[str]:
        """The names of the repositories that were pushed to."""
        pushed = {each.target.repository for each in self.events if each.action == "push"}
        return {name for name in (*pushed, self.repository) if name}


class NotifiedAnswer(Answer, frozen=True, kw_only=True):
    """Which streams are looked at."""

    streams: tuple[str, ...]


def routes(site: Site) -> list[Any]:
    """Listening to registries."""

    @post(
        "/notifications/registry",
        status_code=200,
        opt=OPEN,
        responses=WRITING,
        tags=["notifications"],
        operation_id="notifyPush",
    )
    async def notify(
        *, data: JSONBody[RegistryBody], secret: Secret = "", authorization: Authorization = ""
    ) -> NotifiedAnswer:
        """Look soon at the streams whose images are in a repository that was pushed to.

        The body is what distribution's registry or Quay sends. The secret of the settings is
        shown as ``Authorization: Bearer SECRET`` or, where no header can be set, ``?secret=``.
        """
        _require_secret(site, authorization.removeprefix("Bearer ").strip() or secret)
        found = tuple(sorted(_watching(site, data.repositories())))
        await _nudge(site, found)
        return NotifiedAnswer(streams=found)

    return [notify]


def _require_secret(site: Site, shown: str) -> None:
    wanted = site.settings.notifications.secret
    if not wanted:
        raise PermissionDeniedException("no secret is set here, so nobody is listened to")
    if not hmac.compare_digest(shown.encode(), wanted.encode()):
        raise NotAuthorizedException("this is not the secret")


def _watching(site: Site, repositories: Iterable[str]) -> set[str]:
    """The streams that read one of ``repositories``, which have no host in their names."""
    wanted = set(repositories)
    return {
        name
        for name, configuration in configurations(site).items()
        for text in (configuration.input.repository, configuration.input.mirror_from)
        if text and _path_of(text) in wanted
    }


def _path_of(text: str) -> str:
    """The name of a repository without its host; what is no reference is itself."""
    try:
        repository = parse_location(text).repository
    except InvalidReference:
        return text
    host, slash, path = repository.partition("/")
    return path if slash and (set(".:") & set(host) or host == "localhost") else repository


async def _nudge(site: Site, names: Iterable[str]) -> None:
    """Let the instance that acts look; it may be another one, so it is told by an event."""
    service = site.service
    if service is not None and service.leadership.is_acting:
        for name in names:
            service.nudge(name)
        return
    told = [
        Event(
            time=site.now(),
            kind=NOTIFIED,
            stream=name,
            actor=_REGISTRY,
            message="something was pushed",
        )
        for name in names
    ]
    if told:
        await site.surroundings.database.write(
            lambda unit: [events.add(unit, event) for event in told]
        )
