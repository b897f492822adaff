# SPDX-License-Identifier: Apache-2.0
"""Registries say that something was pushed, and the streams that watch it are looked at soon.

Who says so shows the secret of the settings; without one nobody is listened to. What is said is
only taken as a hint where to look: a lie costs a look, and nothing else is believed.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import msgspec
from litestar import post
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.params import HeaderParameter, JSONBody, QueryParameter

from okd_payload.controller.configuration.model import StreamConfiguration, StreamKind
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
_CHANGES = frozenset({"push", "delete"})
_HARBOR_CHANGES = frozenset(
    {
        *("PUSH_ARTIFACT", "DELETE_ARTIFACT", "REPLICATION", "TAG_RETENTION"),
        *("harbor.artifact.pushed", "harbor.artifact.deleted"),
        *("harbor.replication.status.changed", "harbor.tag_retention.finished"),
    }
)
Secret = Annotated[str, QueryParameter(max_length=500)]
Authorization = Annotated[str, HeaderParameter(name="Authorization", max_length=600)]


class PushTarget(msgspec.Struct, frozen=True, kw_only=True):
    """What was pushed, as distribution's registry says it."""

    repository: str = ""


class PushEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of distribution's registry."""

    action: str = ""
    target: PushTarget = PushTarget()


class HubRepository(msgspec.Struct, frozen=True, kw_only=True):
    """The repository as Docker Hub says it."""

    repo_name: str = ""


class HarborRepository(msgspec.Struct, frozen=True, kw_only=True):
    """The repository as Harbor says it."""

    repo_full_name: str = ""


class HarborData(msgspec.Struct, frozen=True, kw_only=True):
    """What Harbor says happened."""

    repository: HarborRepository = HarborRepository()


class RegistryBody(msgspec.Struct, frozen=True, kw_only=True):
    """A notification of distribution's registry, Harbor (of both its formats), Quay or the Hub."""

    events: tuple[PushEvent, ...] = ()
    repository: str | HubRepository = ""
    """What Quay or Docker Hub says was pushed to."""
    type: str = ""
    """What happened, as Harbor says it."""
    event_data: HarborData = HarborData()
    data: HarborData = HarborData()
    """The same as a cloud event has it."""

    def repositories(self) -> set[str]:
        """The names of the repositories in which something changed.

        Registries tell of reading, too, which looking does itself: it would never end.
        """
        found = {each.target.repository for each in self.events if each.action in _CHANGES}
        if isinstance(self.repository, str):
            found.add(self.repository)
        else:
            found.add(self.repository.repo_name)
        if self.type in _HARBOR_CHANGES:
            found |= {each.repository.repo_full_name for each in (self.event_data, self.data)}
        return found - {""}


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

        The body is what distribution's registry, Harbor, Quay or Docker Hub sends. The secret of
        the settings is shown as ``Authorization: Bearer SECRET`` or, where no header can be set,
        ``?secret=``.
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
        for text in _places_of(configuration)
        if text and _path_of(text) in wanted
    }


def _places_of(configuration: StreamConfiguration) -> Iterator[str]:
    """Where somebody may put something that the stream is to take up."""
    watched = configuration.input
    yield from (watched.repository, watched.mirror_from, watched.release)
    if configuration.kind is StreamKind.STABLE:
        yield configuration.releases


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
