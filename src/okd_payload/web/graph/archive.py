# SPDX-License-Identifier: Apache-2.0
"""All tested updates in the form that the old controller stores them in."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from okd_payload.controller.graph.tested import group_runs, has_begun
from okd_payload.controller.model import Edge, RunState

PENDING, SUCCEEDED, FAILED = "Pending", "Succeeded", "Failed"


class ArchivedRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run, and where people look at it."""

    state: str
    url: str


class ArchivedUpdate(
    msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from", "target": "to"}
):
    """One update and its runs."""

    source: str
    target: str
    results: tuple[ArchivedRun, ...]


def word_of(state: RunState) -> str:
    """What the old interface calls ``state``: whatever broke has failed."""
    if state is RunState.SUCCEEDED:
        return SUCCEEDED
    return FAILED if state.is_final else PENDING


def make_archive(edges: Iterable[Edge]) -> list[ArchivedUpdate]:
    """The updates by their ends, the runs of each by their address."""
    return [
        ArchivedUpdate(
            source=tested.source,
            target=tested.target,
            results=tuple(
                ArchivedRun(state=word_of(run.state), url=run.url or run.run)
                for run in sorted(tested.runs, key=lambda run: (run.url, run.run))
                if has_begun(run)
            ),
        )
        for _, tested in sorted(group_runs(edges).items())
    ]
