# SPDX-License-Identifier: Apache-2.0
"""Runs as they are now, read from the labels and states of their objects.

Nothing keeps a list of runs: whoever may read the namespace sees the same ones, whichever machine
began them, and a run is forgotten with its last object. So nothing is said here that the objects
do not say: how a run without a coordinator ended knows only the machine that drove it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from okd_payload.cluster import ClusterReader
from okd_payload.engines.pod import labels
from okd_payload.engines.runs.members import Member, Standing, list_members
from okd_payload.errors import UnknownName


class RunState(enum.Enum):
    """Where a run is."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ENDED = "ended"
    """Nobody on the cluster knows how: whoever drives it is elsewhere."""


class RunOverview(msgspec.Struct, frozen=True, kw_only=True):
    """One run, and how many of its builds are where."""

    run: str
    stream: str
    state: RunState
    started: str
    """When its first object was made."""
    detached: bool
    """Whether a coordinator on the cluster drives it."""
    building: int
    built: int
    failed: int


class KnownRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run with its objects."""

    run: str
    coordinator: Member | None
    builds: tuple[Member, ...]

    @property
    def members(self) -> tuple[Member, ...]:
        """All of it; the coordinator first, because it makes the others."""
        return ((self.coordinator,) if self.coordinator else ()) + self.builds

    @property
    def is_over(self) -> bool:
        """Whether nothing of it runs any more."""
        return all(member.is_over for member in self.members)

    @property
    def stream(self) -> str:
        """The stream that is built, as its label has it."""
        return self.members[0].labels.get(labels.STREAM, "")

    def describe(self) -> RunOverview:
        """It, in a few words."""
        standings = [build.standing for build in self.builds]
        return RunOverview(
            run=self.run,
            stream=self.stream,
            state=self._state(),
            started=min(member.created for member in self.members),
            detached=self.coordinator is not None,
            building=standings.count(Standing.GOING),
            built=standings.count(Standing.GOOD),
            failed=standings.count(Standing.BAD),
        )

    def _state(self) -> RunState:
        if not self.is_over:
            return RunState.RUNNING
        if self.coordinator is None:
            return RunState.ENDED
        if self.coordinator.standing is Standing.GOOD:
            return RunState.SUCCEEDED
        return RunState.CANCELLED if self.coordinator.is_ending else RunState.FAILED


def select_runs(members: Iterable[Member]) -> list[KnownRun]:
    """The runs that ``members`` belong to, oldest first."""
    found: dict[str, list[Member]] = {}
    for member in members:
        found.setdefault(member.run, []).append(member)
    known = [_known_run(run, members) for run, members in found.items()]
    return sorted(known, key=lambda it: (it.describe().started, it.run))


async def list_runs(
    cluster: ClusterReader, *, namespace: str = "", stream: str = ""
) -> list[KnownRun]:
    """The runs in a namespace, oldest first; of one stream, or of all. Raises ClusterError."""
    return select_runs(await list_members(cluster, namespace=namespace, stream=stream))


async def find_run(cluster: ClusterReader, run: str, *, namespace: str = "") -> KnownRun:
    """The run that is called ``run``. Raises UnknownName and ClusterError."""
    known = {it.run: it for it in await list_runs(cluster, namespace=namespace)}
    if run not in known:
        raise UnknownName(
            "run", run, known=known, hint="`okd-payload runs list` shows those that there are"
        )
    return known[run]


def _known_run(run: str, members: list[Member]) -> KnownRun:
    coordinators = [it for it in members if it.labels.get(labels.ROLE) == labels.COORDINATOR_ROLE]
    builds = [it for it in members if it not in coordinators]
    return KnownRun(
        run=run,
        coordinator=coordinators[0] if coordinators else None,
        builds=tuple(sorted(builds, key=lambda it: it.name)),
    )
