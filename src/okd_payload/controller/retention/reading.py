# SPDX-License-Identifier: Apache-2.0
"""The fates of a stream's releases as they are now: for retention itself, and for everybody."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.model import Release
from okd_payload.controller.records import releases
from okd_payload.controller.retention.deciding import Fate, Step, decide_fates
from okd_payload.controller.retention.references import find_references


class Fates(msgspec.Struct, frozen=True, kw_only=True):
    """The releases of a stream, and what becomes of each."""

    releases: tuple[Release, ...]
    """All of them, withdrawn ones too, the newest first."""
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
    *,
    configurations: Mapping[str, StreamConfiguration],
    now: float,
) -> Fates:
    """What becomes of each release of the stream, and why; ``configurations`` are of all."""
    found = releases.list_of(connection, configuration.name, withdrawn=None)
    references = find_references(
        connection, configuration, found, configurations=configurations, now=now
    )
    fates = decide_fates(configuration, found, references=references, now=now)
    return Fates(releases=tuple(found), by_name=fates)
