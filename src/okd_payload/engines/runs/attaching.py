# SPDX-License-Identifier: Apache-2.0
"""Following a run that somebody else drives, to its end, with the logs of all its builds.

What the coordinator prints is what a build prints; it is passed on as it comes. The logs of its
builds go to files, as those of a run on this machine do. Whoever stops following ends nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from okd_payload.build.records import log_name
from okd_payload.cluster import Cluster, kinds
from okd_payload.engines.pod import labels
from okd_payload.engines.pod.causes import Cause
from okd_payload.engines.pod.judging import judge
from okd_payload.engines.pod.object_watch import ObjectWatch
from okd_payload.engines.runs.overview import KnownRun
from okd_payload.engines.tekton.following import Follower
from okd_payload.engines.tekton.settings import Patience
from okd_payload.engines.tekton.task_run import TaskRun, decode_task_run, observe
from okd_payload.errors import ClusterError, InputError, NoSuchObject, StorageError
from okd_payload.oci.blob_sources import closing
from okd_payload.oci.layout.files import storage_errors
from okd_payload.progress import Progress, ignore_progress

_INTERRUPTED = 130


class Attachment:
    """Following one run."""

    def __init__(
        self,
        cluster: Cluster,
        run: KnownRun,
        *,
        namespace: str,
        folder: Path,
        show: Callable[[bytes], None],
        progress: Progress = ignore_progress,
        patience: Patience | None = None,
    ) -> None:
        """Logs of builds go to ``folder``; ``show`` gets what the coordinator prints."""
        self._cluster = cluster
        self._run = run
        self._namespace = namespace
        self._folder = folder
        self._show = show
        self._progress = progress
        marks = labels.selector({labels.RUN: labels.label_value(run.run)})
        self._watch = ObjectWatch(
            cluster, kinds.TASK_RUN, decode_task_run, selector=marks, namespace=namespace
        )
        self._follower = Follower(
            cluster,
            self._watch,
            namespace=namespace,
            patience=patience or Patience(),
            progress=progress,
        )
        self._children: dict[str, asyncio.Task[None]] = {}
        self._files: set[Path] = set()

    async def follow(self) -> int:
        """Return the exit code of the coordinator when it ends.

        Raises InputError for a run without one, and ClusterError.
        """
        coordinator = self._run.coordinator
        if coordinator is None:
            raise InputError(
                f"run {self._run.run} is driven by a program elsewhere, not by the cluster",
                hint="it shows its progress where it was started",
            )
        async with self._watch.opened():
            looking = asyncio.create_task(self._look_for_children())
            try:
                return await self._follow_coordinator(coordinator.name)
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
                await self._end_children()

    async def _follow_coordinator(self, name: str) -> int:
        printing: asyncio.Task[None] | None = None
        seen: TaskRun | None = None
        while True:
            seen = await self._watch.next_change(name, seen)
            if seen is None:
                raise NoSuchObject(
                    f"run {self._run.run} was cleared away",
                    hint="the same `build` goes on where it ended",
                )
            steps = [step for step in seen.status.steps if step.has_begun and step.container]
            if printing is None and steps and (seen.is_over or seen.is_running):
                copy = self._print(seen.status.pod_name, steps[0].container)
                printing = asyncio.create_task(copy)
            if seen.is_over:
                if printing is not None:
                    await asyncio.wait([printing], timeout=self._follower.patience.log)
                    printing.cancel()
                    await asyncio.gather(printing, return_exceptions=True)
                return exit_code(seen)

    async def _print(self, pod: str, container: str) -> None:
        try:
            pieces = self._cluster.follow_log(pod, container, namespace=self._namespace)
            async with closing(pieces) as stream:
                async for piece in stream:
                    self._show(piece)
        except ClusterError as error:
            self._show(f"the rest of this log is lost: {error}\n".encode())

    async def _look_for_children(self) -> None:
        while True:
            for child in self._watch.select(_is_build):
                if child.name not in self._children:
                    following = asyncio.create_task(self._follow_child(child))
                    self._children[child.name] = following
            await self._watch.any_change()

    async def _follow_child(self, child: TaskRun) -> None:
        component = child.metadata.annotations.get(labels.COMPONENT_NAME, child.name)
        try:
            await self._keep_log(child.name, component)
        except StorageError as error:  # the run goes on, and its end is worth waiting for
            self._show(f"the log of {component} is not kept: {error}\n".encode())

    async def _keep_log(self, name: str, component: str) -> None:
        file = self._folder / log_name(component)
        if file not in self._files:  # of an earlier attachment
            with storage_errors("replace", file):
                file.unlink(missing_ok=True)
            self._files.add(file)
        log = self._follower.open_log(file)
        log.note(f"TaskRun {name}")
        try:
            await self._follower.follow(name, log, subject=component)
        finally:
            await log.close()

    async def _end_children(self) -> None:
        """Let those that are over bring their last lines; the others go on without us."""
        tasks = list(self._children.values())
        over = [
            task
            for name, task in self._children.items()
            if (known := self._watch.find(name)) is None or known.is_over
        ]
        if over:
            await asyncio.wait(over, timeout=self._follower.patience.log)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def exit_code(task_run: TaskRun) -> int:
    """The exit code of the program that ran in ``task_run``, which is over."""
    if task_run.spec.status:
        return _INTERRUPTED
    seen = observe(task_run)
    codes = [step.exit_code for step in seen.steps if step.exit_code is not None]
    if judge(seen).cause is Cause.SUCCEEDED:
        return 0
    return next((code for code in codes if code), 1)


def _is_build(task_run: TaskRun) -> bool:
    return task_run.metadata.labels.get(labels.ROLE) == labels.BUILD_ROLE
