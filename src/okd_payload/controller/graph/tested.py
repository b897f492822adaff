# SPDX-License-Identifier: Apache-2.0
"""What runs said of one update, together.

One success is enough, as users of the old controller know it. A run that broke or was given up
says nothing of the releases; only runs that ended in a failure count against an update.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from okd_payload.controller.model import Edge, RunState


class TestedUpdate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One update and its runs, the oldest first."""

    __test__ = False  # the name is no test's

    source: str
    target: str
    runs: tuple[Edge, ...]

    @property
    def has_passed(self) -> bool:
        """Whether a run succeeded."""
        return any(run.state is RunState.SUCCEEDED for run in self.runs)

    @property
    def has_failed(self) -> bool:
        """Whether runs failed and none succeeded or may still do so."""
        states = {run.state for run in self.runs}
        return RunState.FAILED in states and all(
            state.is_final and state is not RunState.SUCCEEDED for state in states
        )

    @property
    def last_failure(self) -> Edge | None:
        """The newest run that failed."""
        return next((run for run in reversed(self.runs) if run.state is RunState.FAILED), None)


TestedUpdates = dict[tuple[str, str], TestedUpdate]
"""By source and target."""


def has_begun(run: Edge) -> bool:
    """Whether there is anything to tell of ``run``."""
    return bool(run.url) or run.state is not RunState.QUEUED


def group_runs(edges: Iterable[Edge]) -> TestedUpdates:
    """The runs of each update together."""
    found: dict[tuple[str, str], list[Edge]] = {}
    for edge in edges:
        found.setdefault((edge.source, edge.target), []).append(edge)
    return {
        (source, target): TestedUpdate(source=source, target=target, runs=_in_order(runs))
        for (source, target), runs in found.items()
    }


def _in_order(runs: list[Edge]) -> tuple[Edge, ...]:
    if len(runs) > 1:  # most updates are tested once
        runs.sort(key=lambda run: (run.time, run.run))
    return tuple(runs)
