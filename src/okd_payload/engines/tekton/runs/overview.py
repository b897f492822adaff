# SPDX-License-Identifier: Apache-2.0
"""Runs as they are now, read from the labels and states of their TaskRuns."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from okd_payload.cluster import ClusterReader, kinds
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.causes import Reaction
from okd_payload.engines.pod.judging import judge
from okd_payload.engines.tekton.task_run import TaskRun, decode_task_run, observe
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
    """When its first TaskRun was made."""
    detached: bool
    """Whether a coordinator on the cluster drives it."""
    building: int
    built: int
    failed: int


class KnownRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run with its TaskRuns."""

    run: str
    coordinator: TaskRun | None
    builds: tuple[TaskRun, ...]

    @property
    def task_runs(self) -> tuple[TaskRun, ...]:
        """All of it; the coordinator first, because it makes the others."""
        return ((self.coordinator,) if self.coordinator else ()) + self.builds

    @property
    def is_over(self) -> bool:
        """Whether nothing of it runs any more."""
        return all(task_run.is_over for task_run in self.task_runs)

    def describe(self) -> RunOverview:
        """It, in a few words."""
        ends = [judge(observe(build)).rule.reaction for build in self.builds]
        first = self.task_runs[0]
        return RunOverview(
            run=self.run,
            stream=first.metadata.labels.get(labels.STREAM, ""),
            state=self._state(),
            started=min(it.metadata.creation_timestamp for it in self.task_runs),
            detached=self.coordinator is not None,
            building=ends.count(Reaction.WAIT),
            built=ends.count(Reaction.TAKE),
            failed=len(ends) - ends.count(Reaction.WAIT) - ends.count(Reaction.TAKE),
        )

    def _state(self) -> RunState:
        if not self.is_over:
            return RunState.RUNNING
        if self.coordinator is None:
            return RunState.ENDED
        if judge(observe(self.coordinator)).rule.reaction is Reaction.TAKE:
            return RunState.SUCCEEDED
        return RunState.CANCELLED if self.coordinator.spec.status else RunState.FAILED


def select_runs(task_runs: Iterable[TaskRun]) -> list[KnownRun]:
    """The runs that ``task_runs`` belong to, oldest first."""
    found: dict[str, list[TaskRun]] = {}
    for task_run in task_runs:
        run = task_run.metadata.labels.get(labels.RUN, "")
        if run:
            found.setdefault(run, []).append(task_run)
    known = [_known_run(run, members) for run, members in found.items()]
    return sorted(known, key=lambda it: (it.describe().started, it.run))


async def list_runs(
    cluster: ClusterReader, *, namespace: str = "", stream: str = ""
) -> list[KnownRun]:
    """The runs in a namespace, oldest first; of one stream, or of all. Raises ClusterError."""
    wanted = {labels.STREAM: labels.label_value(stream)} if stream else {}
    listed = await cluster.list(kinds.TASK_RUN, namespace=namespace, labels=labels.selector(wanted))
    return select_runs(decode_task_run(content) for content in listed.items)


async def find_run(cluster: ClusterReader, run: str, *, namespace: str = "") -> KnownRun:
    """The run that is called ``run``. Raises UnknownName and ClusterError."""
    known = {it.run: it for it in await list_runs(cluster, namespace=namespace)}
    if run not in known:
        raise UnknownName(
            "run", run, known=known, hint="`okd-payload runs list` shows those that there are"
        )
    return known[run]


def _known_run(run: str, members: list[TaskRun]) -> KnownRun:
    by_role = labels.ROLE
    coordinators = [
        it for it in members if it.metadata.labels.get(by_role) == labels.COORDINATOR_ROLE
    ]
    builds = [it for it in members if it not in coordinators]
    return KnownRun(
        run=run,
        coordinator=coordinators[0] if coordinators else None,
        builds=tuple(sorted(builds, key=lambda it: it.name)),
    )
