# SPDX-License-Identifier: Apache-2.0
"""Promoting a release: its payload made again under a stable name, where a stable stream finds it.

What is promoted and what it is called is written down before anything is done, so whoever goes on
after a kill makes the same payload. A version that somebody else has put there meanwhile is never
written over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import Schedule, StreamConfiguration
from okd_payload.controller.creation.places import open_by_name, open_releases
from okd_payload.controller.model import PayloadFacts, Release, RunState
from okd_payload.controller.records import payloads, releases, runs, streams
from okd_payload.controller.records.schedules import ScheduleRun
from okd_payload.controller.schedules.candidates import Choice, choose, name_promotion
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError, NotFound, ReleaseError
from okd_payload.release import labels
from okd_payload.release.inputs import annotate
from okd_payload.release.load import load_release
from okd_payload.release.new.checked import make_checked
from okd_payload.release.new.payload import ReleaseOptions
from okd_payload.release.new.sources import read_tags_of
from okd_payload.release.semver import is_version, parse_version

Promoting = Callable[
    [Surroundings, StreamConfiguration, StreamConfiguration, ScheduleRun], Awaitable[str]
]
"""Makes a release again in a stable stream: ``promote``, or what stands in for it."""


class PromotionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a promotion would do now."""

    choice: Choice
    version: str = ""
    """What the release would be called; empty where there is nothing to promote."""


def plan_promotion(
    connection: Connection, configuration: StreamConfiguration, schedule: Schedule, *, now: float
) -> PromotionPlan:
    """What the schedule would promote now, and why."""
    found = releases.list_of(connection, configuration.name)
    stable = releases.list_of(connection, schedule.promote_to, withdrawn=None)
    facts = payloads.list_all(connection, [schedule.promote_to])
    choice = choose(
        configuration,
        found,
        runs=runs.list_of(connection, [each.name for each in found]),
        edges=streams.read_edges(connection),
        since=_last_promoted(found, facts),
        now=now,
    )
    if not choice.release:
        return PromotionPlan(choice=choice)
    return PromotionPlan(
        choice=choice, version=name_promotion(choice.release, [each.name for each in stable])
    )


async def promote(
    surroundings: Surroundings,
    configuration: StreamConfiguration,
    target: StreamConfiguration,
    run: ScheduleRun,
) -> str:
    """Make the release ``run.subject`` again as ``run.handle`` in the stable stream; its digest.

    Raises ReleaseError and InputError when it cannot be, RegistryError when it may be later.
    """
    release = await surroundings.database.read(lambda unit: releases.find(unit, run.subject))
    if release is None or release.digest is None:
        raise ReleaseError(f"{run.subject} was removed before it was promoted")
    origin = f"{configuration.releases_name}@{release.digest}"
    there = await _origin_of(surroundings, target, run.handle)
    if there is not None and there != origin:
        raise InputError(
            f"{target.name} has {run.handle} already, made of something else",
            hint="the next promotion takes the version after it",
        )
    repository = await open_releases(surroundings, configuration)
    payload = await load_release(repository, release.digest)
    given = annotate(
        read_tags_of(payload),
        {labels.FROM_IMAGE_STREAM: release.name, labels.FROM_RELEASE: origin},
    )
    began = run.started if run.started is not None else run.since
    previous = await surroundings.database.read(
        lambda unit: read_previous(unit, target.name, release, run.handle)
    )
    metadata = payload.metadata.metadata if payload.metadata else {}
    checked = await make_checked(
        given,
        options=ReleaseOptions(
            name=run.handle,
            previous=previous,
            metadata=metadata,
            included=frozenset(tag.name for tag in payload.tags),
            created=dt.datetime.fromtimestamp(int(began), tz=dt.UTC),
        ),
        target=await open_releases(surroundings, target),
        repository_of=open_by_name(surroundings, configuration),
        keep_lists=len(configuration.architectures) > 1,
        progress=surroundings.progress,
    )
    if checked.release is None:
        blocking = [issue.message for issue in checked.issues if issue.blocks]
        raise ReleaseError(f"{run.subject} cannot be made as {run.handle}: {'; '.join(blocking)}")
    return checked.release.digest


def read_previous(
    connection: Connection, stable: str, release: Release, version: str
) -> tuple[str, ...]:
    """The versions that clusters may come from: tested ones, and the neighbours before it."""
    accepted = {
        each.name: parse_version(each.name)
        for each in releases.list_of(connection, stable)
        if is_version(each.name) and each.digest is not None
    }
    new = parse_version(version)
    tested = {
        edge.source
        for edge in streams.read_edges(connection, target=release.name)
        if edge.state is RunState.SUCCEEDED and edge.source in accepted
    }
    for minor in (new.minor, new.minor - 1):
        before = [
            name
            for name, each in accepted.items()
            if (each.major, each.minor) == (new.major, minor) and each < new
        ]
        tested |= set(sorted(before, key=parse_version)[-1:])
    return tuple(sorted(name for name in tested if accepted[name] < new))


async def _origin_of(
    surroundings: Surroundings, target: StreamConfiguration, version: str
) -> str | None:
    """What the stable release is made of; None where there is none."""
    repository = await open_releases(surroundings, target)
    try:
        payload = await load_release(repository, version)
    except NotFound:
        return None
    return (payload.references.metadata.annotations or {}).get(labels.FROM_RELEASE, "")


def _last_promoted(found: list[Release], facts: Mapping[str, PayloadFacts]) -> float | None:
    """When the newest of ``found`` that was promoted was created."""
    origins = {each.made_from for each in facts.values()}
    promoted = [
        each.created
        for each in found
        if each.name in origins
        or any(each.digest and origin.endswith(each.digest) for origin in origins)
    ]
    return max(promoted, default=None)
