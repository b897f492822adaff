# SPDX-License-Identifier: Apache-2.0
"""Clearing away finished TaskRuns, and before that taking from them what they still have.

A TaskRun is only cleared away when its log and its results are here. After a run that was killed
some have ended while nobody looked: their images are found by key, and so they are never asked
for again, but their logs are in no file yet. They are completed in the folder of the run that
made them, where it is on this machine.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path

from okd_payload.build.records import log_name
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.attempt_names import attempt_of
from okd_payload.engines.pod.object_watch import ObjectWatch
from okd_payload.engines.tekton.following import Follower, copy_logs
from okd_payload.engines.tekton.task_run import TaskRun
from okd_payload.engines.tekton.writing import TaskRunWriter
from okd_payload.oci.layout.files import storage_errors

_AT_ONCE = 8


class Clearing:
    """The TaskRuns of one run that may go."""

    def __init__(
        self, writer: TaskRunWriter, watch: ObjectWatch[TaskRun], follower: Follower, *, keeps: bool
    ) -> None:
        """With ``keeps``, nothing is cleared away."""
        self._writer = writer
        self._watch = watch
        self._follower = follower
        self._keeps = keeps
        self._finished: set[str] = set()
        self._turn = asyncio.Semaphore(_AT_ONCE)

    def add(self, task_run: TaskRun) -> None:
        """Say that nothing is needed of ``task_run`` any more."""
        self._finished.add(task_run.name)

    async def collect(self, runs: Path, *, current: str) -> None:
        """Complete the logs of finished TaskRuns of earlier runs whose folders are in ``runs``.

        Then they go too. Raises StorageError.
        """
        ended: defaultdict[Path, list[TaskRun]] = defaultdict(list)
        for task_run in self._watch.select(lambda run: run.is_over and _run_of(run) != current):
            folder = runs / _run_of(task_run) / "logs"
            component = task_run.metadata.annotations.get(labels.COMPONENT_NAME, "")
            if component and folder.is_dir():  # else another machine will look after it
                ended[folder / log_name(component)].append(task_run)
        await asyncio.gather(*(self._complete(file, each) for file, each in ended.items()))
        await self.clear()

    async def clear(self) -> None:
        """Delete what was added and is over."""
        if self._keeps:
            return
        over = [run.name for run in self._watch.select(lambda it: it.name in self._finished)]
        await asyncio.gather(*(self._delete(name) for name in over))

    async def _complete(self, file: Path, attempts: list[TaskRun]) -> None:
        """Write the logs of all ``attempts`` in place of ``file``, or behind it if parts lack."""
        whole, complete = file.with_suffix(".whole"), True
        async with self._turn:
            for task_run in sorted(attempts, key=lambda run: attempt_of(run.name)):
                log = self._follower.open_log(whole)
                log.note(f"TaskRun {task_run.name}, which ended while nobody looked")
                try:
                    copy_logs(task_run, log)
                    complete &= await log.wait_for_end(self._follower.patience.log)
                finally:
                    await log.close()
                self.add(task_run)
        _take_over(whole, file, complete=complete)

    async def _delete(self, name: str) -> None:
        async with self._turn:
            await self._writer.delete(name)


def _take_over(whole: Path, file: Path, *, complete: bool) -> None:
    """Let ``file`` have what is in ``whole``."""
    with storage_errors("write to", file):
        if complete or not file.exists():
            whole.replace(file)
            return
        with file.open("ab") as kept:
            kept.write(whole.read_bytes())
        whole.unlink()


def _run_of(task_run: TaskRun) -> str:
    return task_run.metadata.labels.get(labels.RUN, "")
