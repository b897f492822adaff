# SPDX-License-Identifier: Apache-2.0
"""Who needs which release of a stream: what retention goes by beside age and number.

A release that is published, that a roll-back would return to, that clusters look for in the
update graph, that somebody uses, that a run or another stream starts from: each has a reason to
stay, in words for the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.graph.channels import channels_of
from okd_payload.controller.model import Phase, Release, RunState
from okd_payload.controller.publishing.follower import read_current
from okd_payload.controller.records import runs, schedules, uses
from okd_payload.controller.records.schedules import ScheduleState
from okd_payload.errors import InvalidReference
from okd_payload.oci.location import parse_location

_PASSING = ("nightly-", "prerelease-", "candidate-")
"""How channels begin whose releases come and go: clusters there have to bear that."""


def find_references(
    connection: Connection,
    configuration: StreamConfiguration,
    releases: Sequence[Release],
    *,
    configurations: Mapping[str, StreamConfiguration],
    now: float,
) -> dict[str, str]:
    """Why releases of the stream are needed, by name; the first reason of each counts."""
    found: dict[str, str] = {}
    for name, reason in (
        *_published(connection, configuration),
        *_used(connection, now),
        *_running(connection, configuration),
        *_nodes(configuration, releases),
        *_bases(releases, configurations),
    ):
        found.setdefault(name, reason)
    return found


def _published(
    connection: Connection, configuration: StreamConfiguration
) -> Iterator[tuple[str, str]]:
    for action in configuration.publications:
        standing = read_current(connection, configuration, action.name)
        if standing.current:
            yield standing.current, f"it is published as {action.name}"
        for name in (standing.restoring, standing.replaced):
            if name:
                yield name, f"a roll-back of {action.name} returns to it"
        if standing.asked is not None:
            yield standing.asked.release, f"it is to be published as {action.name}"


def _used(connection: Connection, now: float) -> Iterator[tuple[str, str]]:
    for use in uses.list_of(connection, now=now):
        yield use.release, f"{use.reporter} uses it"


def _running(
    connection: Connection, configuration: StreamConfiguration
) -> Iterator[tuple[str, str]]:
    for run in runs.list_in(connection, [RunState.QUEUED, RunState.RUNNING]):
        yield run.release, f"{run.verification} runs on it"
        if run.from_release:
            yield run.from_release, f"an update from it to {run.release} is being tested"
    for each in schedules.list_of(connection, configuration.name):
        if each.state is ScheduleState.RUNNING and each.subject:
            yield each.subject, f"the schedule {each.schedule} is at it"


def _nodes(
    configuration: StreamConfiguration, releases: Sequence[Release]
) -> Iterator[tuple[str, str]]:
    lasting = [each for each in channels_of(configuration) if not each.startswith(_PASSING)]
    if not lasting:
        return
    for release in releases:
        if release.phase is Phase.ACCEPTED and release.withdrawn is None:
            yield release.name, f"clusters find it in the channel {lasting[0]}"


def _bases(
    releases: Sequence[Release], configurations: Mapping[str, StreamConfiguration]
) -> Iterator[tuple[str, str]]:
    """Releases that streams are made on top of, or test updates from, by name or pull spec."""
    named: dict[str, str] = {}
    for stream in configurations.values():
        if stream.input.release:
            named[stream.input.release] = f"{stream.name} is made on top of it"
        for each in stream.verifications:
            if each.upgrade is not None and each.upgrade.release:
                named[each.upgrade.release] = f"{stream.name} tests updates from it"
    for text, reason in named.items():
        selector = _selector(text)
        for release in releases:
            if text in (release.name, release.pull_spec) or selector in (
                release.name,
                release.digest,
            ):
                yield release.name, reason


def _selector(text: str) -> str:
    """The tag or digest of a pull spec; what is none names only itself."""
    try:
        return parse_location(text).selector or text
    except InvalidReference:
        return text
