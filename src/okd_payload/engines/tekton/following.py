# SPDX-License-Identifier: Apache-2.0
"""Following one TaskRun to its end: its state, its log, and what is worth saying meanwhile.

A state that only repeats itself is no progress, so only what somebody could act on is told, and
once: no room on any node, no quota, an image that does not come, a pod that does not start. A
controller that says nothing is waited for, because it may just be restarting, but not for ever.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from okd_payload.cluster import Cluster
from okd_payload.engines.pod.causes import Cause
from okd_payload.engines.pod.judging import Verdict, judge
from okd_payload.engines.pod.log_copy import LogCopy
from okd_payload.engines.pod.object_watch import ObjectWatch
from okd_payload.engines.tekton.hindrances import find_hindrance
from okd_payload.engines.tekton.settings import Patience
from okd_payload.engines.tekton.task_run import TaskRun, observe
from okd_payload.progress import Noticed, Progress

_WORTH_TELLING = frozenset({Cause.UNSCHEDULABLE, Cause.QUOTA, Cause.IMAGE_PULLING})


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """How a TaskRun ended; ``task_run`` is None when it is not there any more."""

    verdict: Verdict
    task_run: TaskRun | None


class Follower:
    """Follows TaskRuns of one namespace."""

    def __init__(
        self,
        cluster: Cluster,
        watch: ObjectWatch[TaskRun],
        *,
        namespace: str,
        patience: Patience,
        progress: Progress,
    ) -> None:
        self._cluster = cluster
        self._watch = watch
        self._namespace = namespace
        self.patience = patience
        self._progress = progress

    def open_log(self, file: Path) -> LogCopy:
        """A copy of logs in ``file``."""
        return LogCopy(self._cluster, namespace=self._namespace, file=file)

    async def follow(self, name: str, log: LogCopy, *, subject: str) -> Followed:
        """Wait for the end of the TaskRun ``name``; its log is whole then, if it can be had.

        Raises ClusterError when the watch ended for good, and StorageError.
        """
        told: set[Cause] = set()
        seen: TaskRun | None = None
        while True:
            try:
                seen = await self._next_change(name, seen, log, told)
            except TimeoutError:
                if _is_pending(seen):
                    told.add(Cause.PENDING)
                    await self._tell_hindrance(seen, subject)
                    continue
                message = f"the controller has not said anything about {name} for a while"
                return Followed(verdict=Verdict(cause=Cause.SILENT, message=message), task_run=seen)
            if seen is None:
                await log.wait_for_end(self.patience.log)
                message = f"TaskRun {name} was deleted"
                return Followed(
                    verdict=Verdict(cause=Cause.DELETED, message=message), task_run=None
                )
            copy_logs(seen, log)
            verdict = judge(observe(seen))
            if verdict.is_final:
                await log.wait_for_end(self.patience.log)
                return Followed(verdict=verdict, task_run=seen)
            if verdict.cause in _WORTH_TELLING - told:
                told.add(verdict.cause)
                self._tell(subject, verdict.cause, verdict.message)

    async def _next_change(
        self, name: str, seen: TaskRun | None, log: LogCopy, told: set[Cause]
    ) -> TaskRun | None:
        """The next state. Raises TimeoutError when there was none for too long."""
        clock = asyncio.get_running_loop()
        async with asyncio.timeout(self._most_seconds(seen, log, told)) as limit:
            log.on_end = lambda: limit.reschedule(clock.time() + self.patience.silence)
            try:
                return await self._watch.next_change(name, seen)
            finally:
                log.on_end = None

    def _most_seconds(self, seen: TaskRun | None, log: LogCopy, told: set[Cause]) -> float | None:
        """How long nothing may change; None when there is no end to that."""
        if seen is None or seen.condition is None or log.has_ended:
            return self.patience.silence
        if _is_pending(seen) and Cause.PENDING not in told:
            return self.patience.waiting
        return None

    async def _tell_hindrance(self, task_run: TaskRun | None, subject: str) -> None:
        pod = task_run.status.pod_name if task_run is not None else ""
        found = await find_hindrance(self._cluster, pod, namespace=self._namespace) if pod else ""
        if found:
            self._tell(subject, Cause.PENDING, found)

    def _tell(self, subject: str, cause: Cause, message: str) -> None:
        said = f"{cause.value}: {message}" if message else cause.value
        self._progress(Noticed(subject=subject, message=said))


def copy_logs(task_run: TaskRun, log: LogCopy) -> None:
    """Begin to copy what can be copied now of the logs of ``task_run``."""
    if not (task_run.is_running or task_run.is_over):
        log.forget_ended()
        return
    if task_run.status.pod_name:
        for step in task_run.status.steps:
            if step.has_begun and step.container:
                started_at = step.running.started_at if step.running is not None else ""
                log.begin(task_run.status.pod_name, step.container, started_at=started_at)


def _is_pending(task_run: TaskRun | None) -> bool:
    if task_run is None or task_run.condition is None:
        return False
    return judge(observe(task_run)).cause is Cause.PENDING
