# SPDX-License-Identifier: Apache-2.0
"""What the overview of all streams shows: their state, newest releases and last accepted one.

A few questions about all streams together, each answered from an index, however many releases
there are.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from okd_payload.controller.model import Phase, Release, StreamState, VerificationRun
from okd_payload.controller.records import releases, runs, streams
from okd_payload.controller.views.newest import list_newest


class StreamOverview(msgspec.Struct, frozen=True, kw_only=True):
    """One stream as the overview shows it."""

    state: StreamState
    newest: tuple[Release, ...] = ()
    """The newest first."""
    accepted: Release | None = None
    """The newest that is accepted."""
    runs: dict[str, tuple[VerificationRun, ...]] = {}
    """Of those in ``newest``, by release; none where nobody asked for runs."""

    @property
    def lacks_accepted(self) -> bool:
        """Whether of the newest that are decided none is accepted."""
        return lacks_accepted(self.newest)


_JUDGED = 3
"""So many decided releases without an accepted one are trouble, not chance."""


def lacks_accepted(newest: Sequence[Release]) -> bool:
    """Whether the last few decided of ``newest`` were all refused."""
    decided = [release.phase for release in newest if release.phase.is_final][:_JUDGED]
    return len(decided) == _JUDGED and Phase.ACCEPTED not in decided


def read_overview(
    connection: Connection, names: Sequence[str], *, limit: int = 6, with_runs: bool = True
) -> dict[str, StreamOverview]:
    """Each of the streams called ``names`` with its ``limit`` newest releases and their runs."""
    states = streams.list_all(connection)
    newest = list_newest(connection, names, limit=limit)
    accepted = list_newest(connection, names, limit=1, phase=Phase.ACCEPTED)
    shown = [each.name for found in newest.values() for each in found] if with_runs else []
    made = runs.list_of(connection, shown)
    return {
        name: StreamOverview(
            state=states.get(name, StreamState(name=name)),
            newest=tuple(found),
            accepted=next(iter(accepted[name]), None),
            runs={each.name: tuple(made[each.name]) for each in found if each.name in made},
        )
        for name, found in newest.items()
    }


def read_counted(
    connection: Connection, names: Sequence[str], *, limit: int = 3
) -> tuple[dict[str, StreamOverview], dict[tuple[str, Phase], int]]:
    """The same without runs, and how many releases each stream has in each phase."""
    found = read_overview(connection, names, limit=limit, with_runs=False)
    return found, releases.count(connection)


def find_accepted(
    connection: Connection, stream: str, *, before: float | None = None
) -> Release | None:
    """The newest accepted release of ``stream``, of those created ``before`` that moment."""
    found = releases.list_of(connection, stream, phases=(Phase.ACCEPTED,), before=before, limit=1)
    return found[0] if found else None
