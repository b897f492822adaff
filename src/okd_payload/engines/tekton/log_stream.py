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

from okd_payload.cluster import Cluster
from okd_payload.engines.tekton.task_run import StepState, TaskRun
from okd_payload.errors import ClusterError, NoSuchObject
from okd_payload.oci.blob_sources import closing
from okd_payload.oci.layout.files import storage_errors

_RUNNING = "Running"


class LogStream:
    """Copies the logs of one TaskRun to one file."""

    def __init__(self, cluster: Cluster, *, namespace: str, file: Path) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._file = file
        self._streams: dict[tuple[str, str], asyncio.Task[bool]] = {}
        self.on_end: Callable[[], None] | None = None
        """Called when the last of the containers that were begun has said all."""

    @property
    def has_ended(self) -> bool:
        """Whether all that was begun is over: the containers have nothing more to say."""
        return bool(self._streams) and all(stream.done() for stream in self._streams.values())

    def look(self, task_run: TaskRun) -> None:
        """Begin to copy what can be copied now."""
        condition = task_run.condition
        started = task_run.is_over or (condition is not None and condition.reason == _RUNNING)
        if not (started and task_run.status.pod_name):
            return
        for step in task_run.status.steps:
            if step.has_begun and step.container:
                self._begin(task_run.status.pod_name, step)

    def note(self, text: str) -> None:
        """Write a line of our own. Raises StorageError."""
        self._append(f"# {text}\n".encode(errors="replace"))

    async def wait_for_end(self, seconds: float) -> bool:
        """Wait for the last lines, ``seconds`` at most; whether all logs came to their end."""
        streams = list(self._streams.values())
        if not streams:
            return False
        _, late = await asyncio.wait(streams, timeout=seconds)
        if late:
            self.note("the cluster did not bring the end of this log in time")
            return False
        return all(not it.cancelled() and it.exception() is None and it.result() for it in streams)

    async def close(self) -> None:
        """Stop copying. Raises StorageError when the file could not be written."""
        for stream in self._streams.values():
            stream.cancel()
        for ended in await asyncio.gather(*self._streams.values(), return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

    def _begin(self, pod: str, step: StepState) -> None:
        former = self._streams.get((pod, step.container))
        if former is not None:
            was_lost = former.done() and not former.cancelled() and former.exception() is None
            if not (was_lost and not former.result()):
                return
        stream = asyncio.create_task(self._copy(pod, step.container))
        stream.add_done_callback(self._notice_end)
        self._streams[pod, step.container] = stream

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
