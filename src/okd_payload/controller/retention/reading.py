# SPDX-License-Identifier: Apache-2.0
"""The fates of a stream's releases as they are now: for retention itself, and for everybody.

Of a stream with thousands only those are read that are asked about, or that may go, and those by
which the rules measure: the newest of each phase that stay by their number, and the oldest that
is accepted. To that a release beyond them is as far beyond as it is among all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import StreamConfiguration, StreamKind
from okd_payload.controller.model import Phase, Release
from okd_payload.controller.records import releases
from okd_payload.controller.retention.deciding import Fate, Step, decide_fates
from okd_payload.controller.retention.references import find_references


class Fates(msgspec.Struct, frozen=True, kw_only=True):
    """Releases of a stream, and what becomes of each."""

    releases: tuple[Release, ...]
    """The newest first, withdrawn ones too."""
    by_name: Mapping[str, Fate]

    def due(self, step: Step) -> list[tuple[Release, Fate]]:
        """Those with which ``step`` is to be done now."""
        return [
            (each, self.by_name[each.name])
            for each in self.releases
            if self.by_name[each.name].step is step
        ]


def read_fates(
    connection: Connection,
    configuration: StreamConfiguration,
    asked: Collection[Release],
    *,
    configurations: Mapping[str, StreamConfiguration],
    now: float,
) -> Mapping[str, Fate]:
    """What becomes of the releases of the stream that are ``asked`` about, and why.

    ``configurations`` are of all streams.
    """
    return _decide(connection, configuration, asked, configurations=configurations, now=now).by_name


def read_due(
    connection: Connection,
    configuration: StreamConfiguration,
    *,
    configurations: Mapping[str, StreamConfiguration],
    now: float,
) -> Fates:
    """The fates of all releases of the stream that go now, or will when time has passed."""
    stream = configuration.name
    found = releases.list_of(connection, stream, withdrawn=True)
    if configuration.kind is not StreamKind.STABLE:
        passing = [Phase.REJECTED, Phase.FAILED]
        passing += [Phase.ACCEPTED] if configuration.retention.expires else []
        found += releases.list_of(connection, stream, phases=passing, kept=False)
    return _decide(connection, configuration, found, configurations=configurations, now=now)


def _decide(
    connection: Connection,
    configuration: StreamConfiguration,
    asked: Collection[Release],
    *,
    configurations: Mapping[str, StreamConfiguration],
    now: float,
) -> Fates:
    measures = _list_measures(connection, configuration, {each.phase for each in asked})
    each_once = {each.name: each for each in (*measures, *asked)}.values()
    found = sorted(each_once, key=lambda each: (each.created, each.name), reverse=True)
    references = find_references(
        connection, configuration, found, configurations=configurations, now=now
    )
    fates = decide_fates(configuration, found, references=references, now=now)
    return Fates(releases=tuple(found), by_name=fates)


def _list_measures(
    connection: Connection, configuration: StreamConfiguration, phases: Collection[Phase]
) -> list[Release]:
    """The releases by which others in these ``phases`` are measured."""
    stream, retention = configuration.name, configuration.retention
    staying = {
        Phase.ACCEPTED: retention.keep_accepted,
        Phase.REJECTED: retention.keep_rejected,
        Phase.FAILED: retention.keep_failed,
    }
    found = [
        each
        for phase, number in staying.items()
        if phase in phases
        for each in releases.list_of(connection, stream, phases=(phase,), kept=False, limit=number)
    ]
    return found + releases.list_of(
        connection, stream, phases=(Phase.ACCEPTED,), kept=False, limit=1, oldest_first=True
    )
