# SPDX-License-Identifier: Apache-2.0
"""Runs of builds, read from where ``okd-payload build`` writes them: plan, ends, logs.

A run is shown while it goes on: what has a record has ended, what has a log and no record is
being built, and the rest waits.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from okd_payload.build.graph import Graph, waves
from okd_payload.build.records import (
    Action,
    ComponentRecord,
    RunRecord,
    log_name,
    read_plan,
    read_run,
    read_runs,
)

BUILDING, WAITING = "building", "waiting"


class BuildStep(msgspec.Struct, frozen=True, kw_only=True):
    """One image of a run."""

    name: str
    wave: int = 0
    state: str
    """The action that was taken, or ``building`` or ``waiting``."""
    record: ComponentRecord | None = None
    log: str = ""
    """Relative to the folder of all streams."""


class BuildRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run with all its images, by waves."""

    record: RunRecord
    steps: tuple[BuildStep, ...]
    graph: Graph | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many images are in which state."""
        order = [action.value for action in Action] + [BUILDING, WAITING]
        states = [step.state for step in self.steps]
        return {state: states.count(state) for state in order if state in states}

    @property
    def states(self) -> dict[str, str]:
        """The state of each image, for the picture."""
        return {step.name: step.state for step in self.steps}


def list_runs(streams: Path) -> list[RunRecord]:
    """The runs of all streams below the folder ``streams``, the newest first."""
    if not streams.is_dir():
        return []
    found = [run for folder in sorted(streams.iterdir()) for run in read_runs(folder / "runs")]
    return sorted(found, key=lambda run: run.started, reverse=True)


def find_run(streams: Path, stream: str, name: str) -> BuildRun | None:
    """The run ``name`` of ``stream``; None where there is none."""
    folder = streams / stream / "runs" / name
    if not _is_name(stream) or not _is_name(name) or not folder.is_dir():
        return None
    record = read_run(folder)
    if record is None:
        return None
    parents = read_plan(folder)
    ends = {each.tag or each.name: each for each in record.components}
    graph = Graph(parents) if parents else None
    placed = {
        node: number
        for number, wave in enumerate(waves(graph) if graph else (), 1)
        for node in wave
    }
    names = list(placed) + sorted(set(ends) - set(placed))
    where = folder.relative_to(streams)
    steps = [
        _step(name, placed.get(name, 0), ends.get(name), folder=folder, where=where)
        for name in names
    ]
    return BuildRun(record=record, steps=tuple(steps), graph=graph)


def _step(
    name: str, wave: int, record: ComponentRecord | None, *, folder: Path, where: Path
) -> BuildStep:
    if record is not None:
        log = f"{where}/{record.log}" if record.log else ""
        return BuildStep(name=name, wave=wave, state=record.action.value, record=record, log=log)
    path = Path("logs") / log_name(name)
    begun = (folder / path).is_file()
    return BuildStep(
        name=name,
        wave=wave,
        state=BUILDING if begun else WAITING,
        log=str(where / path) if begun else "",
    )


def _is_name(text: str) -> bool:
    return text not in ("", ".", "..") and "/" not in text and "\x00" not in text
