# SPDX-License-Identifier: Apache-2.0
"""Runs of builds, read from where ``okd-payload build`` writes them: plan, ends, logs.

A run is shown while it goes on, whoever runs it: this server, one that a schedule began, or
somebody at a terminal with the same state folder. What has a record has ended, what was begun and
has none is being built, and the rest waits; where nobody works on the run any more, both are told
as what they are.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from pathlib import Path

import msgspec

from okd_payload.build.graph import Graph, critical_path, waves
from okd_payload.build.records import (
    Action,
    Begun,
    ComponentRecord,
    RunRecord,
    is_worked_on,
    read_begun,
    read_durations,
    read_plan,
    read_run,
    read_runs,
)

BUILDING, WAITING, CUT_OFF, NOT_REACHED = "building", "waiting", "cut off", "not reached"
_STATES = (*(action.value for action in Action), BUILDING, WAITING, CUT_OFF, NOT_REACHED)
_BAD = (Action.FAILED.value, Action.SKIPPED.value, CUT_OFF, NOT_REACHED)


class Condition(enum.Enum):
    """How a run fares."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CUT_OFF = "cut off"
    """Whoever ran it is gone, and it had not ended."""


class BuildStep(msgspec.Struct, frozen=True, kw_only=True):
    """One image of a run."""

    name: str
    wave: int = 0
    state: str
    """The action that was taken, or one of the states above."""
    since: float | None = None
    """When it was begun."""
    record: ComponentRecord | None = None
    waits_for: tuple[str, ...] = ()
    """What it is built on and that is not there yet."""
    log: str = ""
    """Relative to the folder of all streams."""

    @property
    def is_open(self) -> bool:
        """Whether more is to come."""
        return self.state in (BUILDING, WAITING)


class WaveProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far the images of one wave are."""

    number: int
    total: int
    counts: dict[str, int]
    seconds: float
    """What its builds took together."""

    @property
    def ended(self) -> int:
        """How many have ended."""
        return self.total - self.counts.get(BUILDING, 0) - self.counts.get(WAITING, 0)


class BuildRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run with all its images, by waves."""

    record: RunRecord
    condition: Condition
    steps: tuple[BuildStep, ...]
    graph: Graph | None = None
    path: Path
    """Its folder."""

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.condition is Condition.RUNNING

    @property
    def counts(self) -> dict[str, int]:
        """How many images are in which state."""
        return count_states(self.steps)

    def in_state(self, state: str) -> list[BuildStep]:
        """The images in that state, those that were begun first before others."""
        found = [step for step in self.steps if step.state == state]
        return sorted(found, key=lambda step: (step.since or 0.0, step.name))

    def waves(self) -> list[WaveProgress]:
        """How far each wave is; nothing where nobody wrote down a plan."""
        numbers = sorted({step.wave for step in self.steps if step.wave})
        grouped = {
            number: [each for each in self.steps if each.wave == number] for number in numbers
        }
        return [
            WaveProgress(
                number=number,
                total=len(steps),
                counts=count_states(steps),
                seconds=sum(each.record.seconds for each in steps if each.record),
            )
            for number, steps in grouped.items()
        ]


def count_states(steps: list[BuildStep] | tuple[BuildStep, ...]) -> dict[str, int]:
    """How many of ``steps`` are in which state, in the order that people ask in."""
    states = [step.state for step in steps]
    return {state: states.count(state) for state in _STATES if state in states}


def list_runs(streams: Path) -> list[RunRecord]:
    """The runs of all streams below the folder ``streams``, the newest first."""
    found = [run for runs in run_folders(streams) for run in read_runs(runs)]
    return sorted(found, key=lambda run: run.started, reverse=True)


def run_folders(streams: Path) -> list[Path]:
    """The folders with the runs of each stream."""
    if not streams.is_dir():
        return []
    return [folder / "runs" for folder in sorted(streams.iterdir())]


def judge(record: RunRecord, folder: Path) -> Condition:
    """How the run in ``folder`` fares."""
    if record.finished is None:
        return Condition.RUNNING if is_worked_on(folder) else Condition.CUT_OFF
    is_bad = any(each.action.value in _BAD for each in record.components)
    return Condition.FAILED if is_bad else Condition.DONE


def find_folder(streams: Path, stream: str, name: str) -> Path | None:
    """The folder of the run ``name`` of ``stream``; None where there is none."""
    folder = streams / stream / "runs" / name
    try:
        is_there = _is_name(stream) and _is_name(name) and folder.is_dir()
    except OSError:  # a name that no file can have
        return None
    return folder if is_there else None


def find_run(streams: Path, stream: str, name: str) -> BuildRun | None:
    """The run ``name`` of ``stream``; None where there is none."""
    folder = find_folder(streams, stream, name)
    record = read_run(folder) if folder is not None else None
    if folder is None or record is None:
        return None
    condition = judge(record, folder)
    parents = read_plan(folder)
    graph = Graph(parents) if parents else None
    ends = {each.tag or each.name: each for each in record.components}
    reader = _Reader(
        ends=ends,
        begun=read_begun(folder),
        graph=graph,
        where=str(folder.relative_to(streams)),
        is_open=condition is Condition.RUNNING,
    )
    placed = {
        node: number
        for number, wave in enumerate(waves(graph) if graph else (), 1)
        for node in wave
    }
    names = list(placed) + sorted(set(ends) - set(placed))
    return BuildRun(
        record=record,
        condition=condition,
        steps=tuple(reader.step(name, placed.get(name, 0)) for name in names),
        graph=graph,
        path=folder,
    )


def find_critical_path(run: BuildRun) -> tuple[str, ...]:
    """The longest way through the plan, by what builds took here or, before, in earlier runs."""
    if run.graph is None:
        return ()
    here = {step.name: step.record.seconds for step in run.steps if step.record is not None}
    return critical_path(run.graph, read_durations(read_runs(run.path.parent)) | here)


class _Reader(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a run, to tell of each of its images."""

    ends: Mapping[str, ComponentRecord]
    begun: Mapping[str, Begun]
    graph: Graph | None
    where: str
    is_open: bool

    def step(self, name: str, wave: int) -> BuildStep:
        """The image called ``name``."""
        record = self.ends.get(name)
        begun = self.begun.get(name)
        if record is not None:
            return BuildStep(
                name=name,
                wave=wave,
                state=record.action.value,
                since=record.started,
                record=record,
                log=f"{self.where}/{record.log}" if record.log else "",
            )
        if begun is not None:
            state = BUILDING if self.is_open else CUT_OFF
        else:
            state = WAITING if self.is_open else NOT_REACHED
        parents = self.graph.parents_of(name) if self.graph else ()
        return BuildStep(
            name=name,
            wave=wave,
            state=state,
            since=begun.since if begun else None,
            waits_for=tuple(each for each in parents if not self._is_there(each)),
            log=f"{self.where}/{begun.log}" if begun else "",
        )

    def _is_there(self, name: str) -> bool:
        end = self.ends.get(name)
        return end is not None and end.action.value not in _BAD


def _is_name(text: str) -> bool:
    return text not in ("", ".", "..") and "/" not in text and "\x00" not in text
