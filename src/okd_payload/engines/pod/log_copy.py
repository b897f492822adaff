# SPDX-License-Identifier: Apache-2.0
"""The logs of a pod's containers as they run, appended to one file.

The log of a pod that is cancelled, timed out or evicted goes with the pod, but a stream that was
opened before brings it to the last line. So it is read from the moment the container starts, and
when all is over there is only the rest to wait for. A container that ended before anybody looked
is read afterwards. A pod that was made a second time under its name gets a second stream. A log
that cannot be had is no reason to give a build up: the file says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from okd_payload.cluster import Cluster
from okd_payload.errors import ClusterError, NoSuchObject
from okd_payload.oci.blob_sources import closing
from okd_payload.oci.layout.files import storage_errors

_Container = tuple[str, str]
"""A pod and one of its containers."""


class _Copy(msgspec.Struct, frozen=True):
    """One log that is copied, or was."""

    task: asyncio.Task[bool]
    started_at: str
    """Of the container, as far as it was known."""

    @property
    def is_complete(self) -> bool:
        """Whether it has come to its end."""
        task = self.task
        return task.done() and not task.cancelled() and not task.exception() and task.result()

    @property
    def was_lost(self) -> bool:
        """Whether it ended before its end."""
        task = self.task
        return task.done() and not task.cancelled() and not task.exception() and not task.result()


class LogCopy:
    """Copies logs of containers to one file."""

    def __init__(self, cluster: Cluster, *, file: Path, namespace: str = "") -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._file = file
        self._copies: dict[_Container, _Copy] = {}
        self._missing: set[_Container] = set()
        self.on_end: Callable[[], None] | None = None
        """Called when the last of the containers that were begun has said all."""

    @property
    def has_ended(self) -> bool:
        """Whether all that was begun is over: the containers have nothing more to say."""
        return bool(self._copies) and all(copy.task.done() for copy in self._copies.values())

    def begin(self, pod: str, container: str, *, started_at: str = "") -> None:
        """Copy the log of ``container`` too, beside those that were begun before.

        Once is enough, but for a log that was lost, and for a container that another
        ``started_at`` tells from the one before.
        """
        former = self._copies.get((pod, container))
        if former is not None:
            is_another = bool(started_at) and started_at != former.started_at
            if not (former.was_lost or (is_another and former.task.done())):
                return
        self._start((pod, container), started_at, before=())

    def begin_in_turn(self, pod: str, containers: Iterable[str]) -> None:
        """Copy the logs of containers that run one after another, each behind the one before."""
        for container in containers:
            if (pod, container) not in self._copies:
                before = tuple(copy.task for copy in self._copies.values())
                self._start((pod, container), "", before=before)

    def forget_ended(self) -> None:
        """Think no more of what has ended: its pod was taken away and is made again."""
        self._copies = {key: it for key, it in self._copies.items() if not it.task.done()}

    def note(self, text: str) -> None:
        """Write a line of our own. Raises StorageError."""
        with storage_errors("write to", self._file):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab") as file:
                file.write(f"# {text}\n".encode(errors="replace"))

    def tail(self, most_bytes: int = 8 * 1024) -> str:
        """The end of the file, without our own lines."""
        try:
            with self._file.open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - most_bytes))
                text = file.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(line for line in text.splitlines() if not line.startswith("# "))

    async def wait_for_end(self, seconds: float) -> bool:
        """Wait for the last lines, ``seconds`` at most; whether all logs came to their end."""
        tasks = [copy.task for copy in self._copies.values()]
        if not tasks:
            return False
        _, late = await asyncio.wait(tasks, timeout=seconds)
        if late:
            self.note("the cluster did not bring the end of this log in time")
            return False
        return all(copy.is_complete for copy in self._copies.values())

    async def close(self) -> None:
        """Stop copying. Raises StorageError when the file could not be written."""
        tasks = [copy.task for copy in self._copies.values()]
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

    def _start(
        self, key: _Container, started_at: str, *, before: tuple[asyncio.Task[bool], ...]
    ) -> None:
        task = asyncio.create_task(self._copy(key, before))
        task.add_done_callback(self._notice_end)
        self._copies[key] = _Copy(task, started_at)

    def _notice_end(self, _: asyncio.Task[bool]) -> None:
        if self.on_end is not None and self.has_ended:
            self.on_end()

    async def _copy(self, key: _Container, before: tuple[asyncio.Task[bool], ...]) -> bool:
        """Copy one log when ``before`` have ended; whether it came to its end."""
        if before:
            await asyncio.wait(before)
        pod, container = key
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
                if key not in self._missing:  # it may be looked for again
                    self._missing.add(key)
                    self.note(f"the pod {pod} is gone, and what is missing of its log")
                return False
            except ClusterError as error:
                self.note(f"the rest of this log is lost: {error}")
                return False
        return True
