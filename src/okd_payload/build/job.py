# SPDX-License-Identifier: Apache-2.0
"""The main job: carry out a plan, make a release of its images, check it, tell about it.

The release is tagged last and only when nothing blocks it, so a tag always leads to a payload
that was checked. Failed builds are no exception here: they are part of what is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from okd_payload.build import codes
from okd_payload.build.edges import list_replacements
from okd_payload.build.freeze import FrozenPlan, lock_imports
from okd_payload.build.graph import critical_path, waves
from okd_payload.build.images import MadeImage, newest
from okd_payload.build.impact.report import Impact
from okd_payload.build.maker import Maker
from okd_payload.build.records import (
    Action,
    RunFolder,
    RunRecord,
    read_durations,
    read_runs,
    start_run,
)
from okd_payload.build.releasing import ReleaseMaker, ReleaseOutcome, tagged_images
from okd_payload.build.report import ReleaseResult, Report, read_log_tails
from okd_payload.build.runner import Runner
from okd_payload.clock import Clock
from okd_payload.issues import Issue, apply_permits
from okd_payload.progress import Progress
from okd_payload.release.inputs import ReleaseInput
from okd_payload.source.lock import Lock, format_lock, write_lock

LOCK_FILE = "stream.lock"


class BuildOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What carrying out a plan gave; the lock has every input, commands' images too."""

    folder: Path
    record: RunRecord
    images: dict[str, MadeImage]
    lock: Lock

    @property
    def is_complete(self) -> bool:
        """Whether every node has its image."""
        ended_badly = (Action.FAILED, Action.SKIPPED)
        return not any(item.action in ended_badly for item in self.record.components)


class JobOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How much at once, and when to give up."""

    jobs: int = 2
    fail_fast: bool = False


async def build_images(
    frozen: FrozenPlan,
    *,
    maker: Maker,
    runs: Path,
    clock: Clock,
    progress: Progress,
    options: JobOptions,
    folder: RunFolder | None = None,
) -> BuildOutcome:
    """Make every image of ``frozen``; failures are in the record. Raises StorageError.

    ``folder`` is that of the run, where it was begun already; else a new one below ``runs``.
    """
    durations = read_durations(read_runs(runs))
    if folder is None:
        folder = start_run(runs, stream=frozen.plan.stream, moment=clock.now())
    write_lock(frozen.lock, folder.path / LOCK_FILE)
    runner = Runner(frozen.plan, maker=maker, folder=folder, clock=clock, progress=progress)
    images = await runner.run(jobs=options.jobs, durations=durations, fail_fast=options.fail_fast)
    lock = lock_imports(frozen.lock, frozen.plan, images)
    write_lock(lock, folder.path / LOCK_FILE)
    record = folder.finish(clock.now())
    return BuildOutcome(folder=folder.path, record=record, images=images, lock=lock)


async def release_images(
    outcome: BuildOutcome,
    *,
    frozen: FrozenPlan,
    maker: ReleaseMaker,
    given: Lock,
    base: ReleaseInput | None = None,
    keep_going: bool = False,
    former: Mapping[str, MadeImage] | None = None,
) -> ReleaseOutcome:
    """The release of what ``outcome`` made: none when something failed or an issue blocks.

    With ``base``, its images are taken over, but for those that the plan was asked for.
    With ``keep_going``, a release is made although something failed: what is missing stays as it
    is in ``base``, or is among ``former``, images that the stream had by tag.
    ``given`` is the lock that was built from. Raises ReleaseError and RegistryError.
    """
    permits = frozen.catalog.stream.permits
    found = tuple(apply_permits(check_imports(given, outcome), permits))
    stopped = not (outcome.is_complete or keep_going)
    if stopped or any(issue.blocks for issue in found):
        return ReleaseOutcome(issues=found)
    made = dict(former or {}) | tagged_images(frozen.plan, outcome.images)
    if base is None:
        released = await maker.make(maker.input_of(made), time=newest(made.values()))
    else:
        made = {tag: image for tag, image in made.items() if tag in frozen.only}
        released = await maker.make(
            maker.input_over(base, made), time=newest(made.values()), included=base.names
        )
    return ReleaseOutcome(issues=(*found, *released.issues), result=released.result)


def make_report(
    outcome: BuildOutcome,
    frozen: FrozenPlan,
    *,
    stream_folder: Path,
    release: ReleaseResult | None,
    issues: tuple[Issue, ...],
    reproduce: tuple[str, ...],
    impact: Impact | None = None,
) -> Report:
    """Everything worth telling about a run; ``issues`` are those of the plan and the release.

    The lock is written as it would stand in ``stream_folder``, beside the stream file.
    """
    record, graph = outcome.record, frozen.plan.graph
    durations = {item.tag: item.seconds for item in record.components}
    return Report(
        stream=record.stream,
        run=record.id,
        started=record.started,
        seconds=round((record.finished or record.started) - record.started, 3),
        release=release,
        components=record.components,
        issues=issues,
        waves=waves(graph),
        critical_path=critical_path(graph, durations),
        edges=graph.parents,
        replacements=list_replacements(frozen.plan),
        lock=format_lock(outcome.lock, directory=stream_folder.absolute()),
        logs=read_log_tails(outcome.folder, record),
        reproduce=reproduce,
        impact=impact,
    )


def check_imports(given: Lock, outcome: BuildOutcome) -> list[Issue]:
    """Issues for images of commands that are not what the ``given`` lock says."""
    return [
        codes.CHANGED_IMPORT.issue(
            f"its command gave {outcome.lock.imports[name].digest}, the lock has {locked.digest}",
            component=name,
            hint="packages of this machine differ from those of the lock: lock anew, or build "
            "where they are the same",
        )
        for name, locked in given.imports.items()
        if name in outcome.lock.imports and outcome.lock.imports[name] != locked
    ]
