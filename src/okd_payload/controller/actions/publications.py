# SPDX-License-Identifier: Apache-2.0
"""What people do to publications: have a release published, and take that back.

Both are lines of the log of publications; the pass that follows carries them out. Nobody is let
past signatures and approvals, which others rely on; who asks need not wait for the soak time, and
may ask for a release that is older than what is published.
"""

from __future__ import annotations

from sqlalchemy import Connection

from okd_payload.controller.actions.releases import find_release
from okd_payload.controller.configuration.model import PublishAction, StreamConfiguration
from okd_payload.controller.model import Phase, Publication, PublicationState, Release
from okd_payload.controller.publishing.deciding import LASTING
from okd_payload.controller.publishing.follower import read_standing
from okd_payload.controller.records import releases, streams
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError, UnknownName


async def publish(
    surroundings: Surroundings, name: str, *, publication: str, actor: str, reason: str
) -> Publication:
    """Have the release published as ``publication`` of its stream, as soon as its gate allows.

    Asking again changes nothing. Raises UnknownName, and InputError for a release that is not
    accepted or was withdrawn.
    """
    now = surroundings.clock.now()
    configurations = surroundings.configurations()

    def unit(connection: Connection) -> Publication:
        release = find_release(connection, name)
        configuration = _known(configurations.get(release.stream), release.stream)
        _find_action(configuration, publication)
        if release.phase is not Phase.ACCEPTED or release.withdrawn is not None:
            state = "withdrawn" if release.withdrawn is not None else release.phase.value
            raise InputError(
                f"{name} is {state}, and only accepted releases are published",
                hint="accept it first, with a reason",
            )
        standing = read_standing(connection, configuration, publication)
        returns_to = releases.find(connection, standing.restoring) if standing.restoring else None
        if returns_to is not None and returns_to.withdrawn is None:
            raise InputError(
                f"{publication} is being rolled back to {standing.restoring}",
                hint="wait until that is done",
            )
        if standing.current == name:
            return standing.latest[name]
        if standing.asked is not None and standing.asked.release == name:
            return standing.asked
        line = Publication(
            release=name,
            name=publication,
            state=PublicationState.WAITING,
            time=now,
            actor=actor,
            message=reason,
            replaced=standing.current,
        )
        streams.add_publication(connection, line, stream=configuration.name)
        return line

    return await surroundings.database.write(unit)


async def roll_back(
    surroundings: Surroundings, stream: str, *, publication: str, actor: str, reason: str
) -> Publication:
    """Take back what is published now, and return to what it replaced.

    The release is not published again by itself. Raises UnknownName, and InputError where there
    is nothing to return to, or nothing that can be taken back.
    """
    now = surroundings.clock.now()
    configurations = surroundings.configurations()

    def unit(connection: Connection) -> Publication:
        if stream not in configurations:
            raise UnknownName("release stream", stream, known=configurations)
        configuration = configurations[stream]
        action = _find_action(configuration, publication)
        if action.kind in LASTING:
            raise InputError(
                f"{publication} cannot be rolled back: {LASTING[action.kind]}",
                hint="reject or withdraw the release, and publish another one",
            )
        standing = read_standing(connection, configuration, publication)
        before = releases.find(connection, standing.replaced) if standing.replaced else None
        if not standing.current or before is None or not _may_return_to(before):
            raise InputError(
                f"{publication} of {stream} has nothing to return to",
                hint="publish another release in its place",
            )
        line = Publication(
            release=standing.current,
            name=publication,
            state=PublicationState.UNDONE,
            time=now,
            actor=actor,
            message=reason,
            replaced=standing.replaced,
        )
        streams.add_publication(connection, line, stream=stream)
        return line

    return await surroundings.database.write(unit)


def _may_return_to(release: Release) -> bool:
    return release.phase is Phase.ACCEPTED and release.withdrawn is None


def _known(configuration: StreamConfiguration | None, stream: str) -> StreamConfiguration:
    if configuration is None:
        raise InputError(
            f"the stream {stream} is not configured any more",
            hint="bring its file back, to publish its releases",
        )
    return configuration


def _find_action(configuration: StreamConfiguration, name: str) -> PublishAction:
    found = {each.name: each for each in configuration.publications}
    if name not in found:
        raise UnknownName(f"publication of {configuration.name}", name, known=found)
    if found[name].disabled:
        raise InputError(
            f"{name} of {configuration.name} is disabled", hint="enable it in the stream's file"
        )
    return found[name]
