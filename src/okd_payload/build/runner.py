# SPDX-License-Identifier: Apache-2.0
"""Carrying out a plan: every node as early as its parents allow, every end remembered.

How a node ended is in the run folder before the next one begins, so a run that is killed leaves
the truth behind. A failure skips what is built on it and nothing else; what this machine or the
cluster lacks stops everything, because every other build would lack it too. Whether there is
anything to build, and whether to try it again, is for ``maker``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec

from okd_payload.build.graph import path_lengths
from okd_payload.build.images import MadeImage
from okd_payload.build.maker import Maker
from okd_payload.build.plan import Plan, component_name
from okd_payload.build.records import Action, ComponentRecord, RunFolder, describe
from okd_payload.build.scheduler import End, Ending, run_graph
from okd_payload.clock import Clock
from okd_payload.errors import ClusterError, MissingTool, OkdPayloadError, StorageError
from okd_payload.progress import Failed, Finished, Progress


class Runner:
    """Carries out one plan, once."""

    def __init__(
        self, plan: Plan, *, maker: Maker, folder: RunFolder, clock: Clock, progress: Progress
    ) -> None:
        self._nodes = plan.nodes
        self._graph = plan.graph
        self._maker = maker
        self._folder = folder
        self._clock = clock
        self._progress = progress
        self._images: dict[str, MadeImage] = {}

    async def run(
        self, *, jobs: int, durations: Mapping[str, float], fail_fast: bool = False
    ) -> dict[str, MadeImage]:
        """Make every node, ``jobs`` at a time; return the images of those that succeeded.

        Failures do not raise: how each node ended stands in the run folder. What this machine
        or the cluster lacks stops the run as ``fail_fast`` does, because all other builds would
        lack it too.
        """

        def is_fatal(error: OkdPayloadError) -> bool:
            return fail_fast or isinstance(error, MissingTool | StorageError | ClusterError)

        self._folder.remember_plan(self._graph.parents)
        endings = await run_graph(
            self._graph,
            self._make,
            jobs=jobs,
            priorities=path_lengths(self._graph, durations),
            is_fatal=is_fatal,
        )
        for ending in endings.values():
            if ending.end is End.SKIPPED:
                self._skip(ending)
        return dict(self._images)

    async def _make(self, name: str) -> None:
        node = self._nodes[name]
        parents = {parent: self._images[parent] for parent in self._graph.parents_of(name)}
        log = self._folder.log_of(component_name(node))
        began = self._clock.now(), self._clock.monotonic()
        self._folder.begin(name, began[0], log=log)
        retries: Counter[str] = Counter()
        try:
            made = await self._maker.make(
                node, parents, log=log, retried=lambda retry: retries.update([retry.cause])
            )
        except OkdPayloadError as error:
            record = describe(node, Action.FAILED, reason=error.message)
            record = _counted(msgspec.structs.replace(record, hint=error.hint), retries)
            seconds = self._remember(record, log, began)
            self._progress(Failed(subject=name, reason=error.message, seconds=seconds))
            raise
        seconds = self._remember(_counted(made.record, retries), log, began)
        self._images[name] = made.image
        outcome, detail = made.record.action.value, made.record.reason
        self._progress(Finished(subject=name, outcome=outcome, detail=detail, seconds=seconds))

    def _remember(self, record: ComponentRecord, log: Path, began: tuple[float, float]) -> float:
        """Write ``record`` down; the seconds since ``began``."""
        moment, started = began
        seconds = self._clock.monotonic() - started
        where = str(log.relative_to(self._folder.path)) if log.exists() else ""
        self._folder.add(
            msgspec.structs.replace(record, started=moment, seconds=round(seconds, 3), log=where)
        )
        return seconds

    def _skip(self, ending: Ending[None]) -> None:
        reason = f"{ending.because_of} failed" if ending.because_of else "the run stopped before"
        self._folder.add(describe(self._nodes[ending.node], Action.SKIPPED, reason=reason))
        self._progress(Finished(subject=ending.node, outcome="skipped", detail=reason))


def _counted(record: ComponentRecord, retries: Counter[str]) -> ComponentRecord:
    """``record`` with how often the image was tried, which says nothing of what was there."""
    if record.action is not Action.BUILT and not retries:
        return record
    return msgspec.structs.replace(record, attempts=1 + retries.total(), retries=dict(retries))
