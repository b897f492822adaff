# SPDX-License-Identifier: Apache-2.0
"""The log of a build as it runs, appended to its file.

The log of a pod that is cancelled, timed out or evicted goes with the pod, but a stream that was
opened before brings it to the last line. So it is read from the moment the container starts, and
when all is over there is only the rest to wait for. A container that ended before anybody looked
is read afterwards. A pod that was made a second time under its name gets a second stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from okd_payload.cluster import Cluster
from okd_payload.engines.tekton.task_run import StepState, TaskRun
from okd_payload.errors import ClusterError, NoSuchObject
from okd_payload.oci.blob_sources import closing
from okd_payload.oci.layout.files import storage_errors

_RUNNING = "Running"


class _Copy(msgspec.Struct, frozen=True):
    """One log that is copied, or was."""

    task: asyncio.Task[bool]
    started_at: str
    """Of the container, as far as it was known."""

    @property
    def was_lost(self) -> bool:
        """Whether it ended before its end."""
        task = self.task
        return task.done() and not task.cancelled() and not task.exception() and not task.result()


class LogStream:
    """Copies the logs of one TaskRun to one file."""

    def __init__(self, cluster: Cluster, *, namespace: str, file: Path) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._file = file
        self._copies: dict[tuple[str, str], _Copy] = {}
        self.on_end: Callable[[], None] | None = None
        """Called when the last of the containers that were begun has said all."""

    @property
    def has_ended(self) -> bool:
        """Whether all that was begun is over: the containers have nothing more to say."""
        return bool(self._copies) and all(copy.task.done() for copy in self._copies.values())

    def look(self, task_run: TaskRun) -> None:
        """Begin to copy what can be copied now."""
        condition = task_run.condition
        runs = condition is not None and condition.reason == _RUNNING
        if not (runs or task_run.is_over):
            # Its pod was taken away and is made again: what was copied is of the one before.
            self._copies = {key: it for key, it in self._copies.items() if not it.task.done()}
            return
        if task_run.status.pod_name:
            for step in task_run.status.steps:
                if step.has_begun and step.container:
                    self._begin(task_run.status.pod_name, step)

    def note(self, text: str) -> None:
        """Write a line of our own. Raises StorageError."""
        self._append(f"# {text}\n".encode(errors="replace"))

    async def wait_for_end(self, seconds: float) -> bool:
        """Wait for the last lines, ``seconds`` at most; whether all logs came to their end."""
        tasks = [copy.task for copy in self._copies.values()]
        if not tasks:
            return False
        _, late = await asyncio.wait(tasks, timeout=seconds)
        if late:
            self.note("the cluster did not bring the end of this log in time")
            return False
        return not any(it.cancelled() or it.exception() or not it.result() for it in tasks)

    async def close(self) -> None:
        """Stop copying. Raises StorageError when the file could not be written."""
        tasks = [copy.task for copy in self._copies.values()]
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

    def _begin(self, pod: str, step: StepState) -> None:
        started_at = step.running.started_at if step.running is not None else ""
        former = self._copies.get((pod, step.container))
        if former is not None:
            is_another = bool(started_at) and started_at != former.started_at
            if not (former.was_lost or (is_another and former.task.done())):
                return
        task = asyncio.create_task(self._copy(pod, step.container))
        task.add_done_callback(self._notice_end)
        self._copies[pod, step.container] = _Copy(task, started_at)

    def _notice_end(self, _: asyncio.Task[bool]) -> None:
        if self.on_end is not None and self.has_ended:
            self.on_end()

    async def _copy(self, pod: str, container: str) -> bool:
        """Copy one log; whether it came to its end."""
        with storage_errors("write to", self._file):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            file = self._file.open("ab", buffering=0)
        with file:
            try:
                pieces = self._cluster.follow_log(pod, container, namespace=self._namespace)
                async with closing(pieces) as stream:
                    async for piece in stream:
                        with storage_errors("write to", self._file):
                            file.write(piece)
            except NoSuchObject:
                return False
            except ClusterError as error:
                with storage_errors("write to", self._file):
                    file.write(f"# the rest of this log is lost: {error}\n".encode())
                return False
        return True

    def _append(self, content: bytes) -> None:
        with storage_errors("write to", self._file):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab") as file:
                file.write(content)
