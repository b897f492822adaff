# SPDX-License-Identifier: Apache-2.0
"""Writing what was found into the records: as often as wanted, with the same end.

A release that is on record already is left as it is: since it was taken over, this controller
decides about it. Runs and tested updates are brought up to date.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.graph.facts import facts_of
from okd_payload.controller.migration import codes
from okd_payload.controller.migration.reading import OldState
from okd_payload.controller.migration.releases import ACTOR, FoundReleases, find_releases
from okd_payload.controller.migration.streams import find_streams
from okd_payload.controller.migration.updates import find_edges
from okd_payload.controller.model import Edge, Event, PayloadFacts, Release, RunState
from okd_payload.controller.records import approvals, events, payloads, releases, runs, streams
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import OkdPayloadError
from okd_payload.issues import Issue
from okd_payload.oci.location import parse_location
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.load import load_release

_AT_ONCE = 8


class Takeover(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes records: printed before it is written."""

    configurations: Mapping[str, StreamConfiguration]
    found: FoundReleases
    edges: tuple[Edge, ...]
    issues: tuple[Issue, ...]


def plan_takeover(state: OldState, *, architecture: str = "amd64") -> Takeover:
    """What ``state`` becomes; nothing is read or written."""
    known = find_streams(state.image_streams, architecture=architecture)
    found = find_releases(known.streams, state.payloads)
    edges = find_edges(state.updates, state.prow_jobs, architecture=architecture)
    return Takeover(
        configurations={name: each.configuration for name, each in known.streams.items()},
        found=found,
        edges=tuple(edges),
        issues=(*known.issues, *found.issues),
    )


async def take_over(surroundings: Surroundings, takeover: Takeover) -> int:
    """Write ``takeover`` down; how many releases are new. Raises RecordsError."""
    now = surroundings.clock.now()
    return await surroundings.database.write(lambda unit: _write(unit, takeover, now))


def _write(connection: Connection, takeover: Takeover, now: float) -> int:
    new = [each for each in takeover.found.releases if releases.find(connection, each.name) is None]
    names = {each.name: each.stream for each in new}
    for release in new:
        releases.create(connection, release, (), actor=ACTOR)
    for run in takeover.found.runs:
        before = runs.find(connection, run.id)
        if before != run and (before is None or not before.state.is_final):
            runs.write(connection, run, time=now, actor=ACTOR)
    for approval in takeover.found.approvals:
        if approval.release in names:
            approvals.write(connection, approval, stream=names[approval.release])
    known = {(edge.source, edge.target, edge.run): edge for edge in streams.read_edges(connection)}
    changed = [edge for edge in takeover.edges if _is_news(edge, known)]
    for edge in changed:
        streams.add_edge(connection, edge)
    if changed:
        told = f"{len(changed)} runs of updates were taken over"
        events.add(connection, Event(time=now, kind="graph", actor=ACTOR, message=told))
    return len(new)


def _is_news(edge: Edge, known: Mapping[tuple[str, str, str], Edge]) -> bool:
    before = known.get((edge.source, edge.target, edge.run))
    if before is None:
        return True
    return before.state is not edge.state and before.state in (RunState.QUEUED, RunState.RUNNING)


async def read_payloads(surroundings: Surroundings, takeover: Takeover) -> tuple[Issue, ...]:
    """Read what the payloads of all releases say of updates, and keep it; what could not be read.

    Raises RecordsError.
    """
    known = await surroundings.database.read(payloads.list_all)
    wanted = [each for each in takeover.found.releases if each.digest and each.name not in known]

    async def read(release: Release) -> PayloadFacts | Issue:
        try:
            return await _read(surroundings, takeover, release)
        except OkdPayloadError as error:
            return codes.UNREAD_PAYLOAD.issue(
                f"the payload of {release.name} cannot be read: {error.message}",
                component=release.name,
                hint="the update graph lacks the updates that it names; import again",
            )

    results = await map_concurrently(read, wanted, at_once=_AT_ONCE)
    facts = [each for each in results if isinstance(each, PayloadFacts)]

    def unit(connection: Connection) -> None:
        for each in facts:
            payloads.write(connection, each)
        told = f"{len(facts)} payloads were read"
        now = surroundings.clock.now()
        events.add(connection, Event(time=now, kind="graph", actor=ACTOR, message=told))

    if facts:
        await surroundings.database.write(unit)
    return tuple(each for each in results if isinstance(each, Issue))


async def _read(surroundings: Surroundings, takeover: Takeover, release: Release) -> PayloadFacts:
    digest = release.digest
    assert digest is not None  # noqa: S101 - only those that have one are read
    place = parse_location(release.pull_spec)
    repository = await surroundings.open_location(place)
    loaded = await load_release(repository, digest)
    home = takeover.configurations[release.stream].releases_name or place.repository
    image = loaded.content.image
    return facts_of(
        release,
        digest=digest,
        pull_spec=f"{home}@{digest}",
        metadata=loaded.metadata,
        references=loaded.references,
        architecture=image.config.architecture if image else "",
    )
