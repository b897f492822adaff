# SPDX-License-Identifier: Apache-2.0
"""The logs of a pod's containers as they run, appended to one file.

The log of a pod that is cancelled, timed out or evicted goes with the pod, but a stream that was
opened before brings it to the last line. So it is read from the moment the container starts, and
when all is over there is only the rest to wait for. A log that cannot be had is no reason to
give a build up: the file says so.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from okd_payload.cluster import Cluster
from okd_payload.errors import ClusterError, NoSuchObject
from okd_payload.oci.blob_sources import closing
from okd_payload.oci.layout.files import storage_errors


class LogCopy:
    """Copies logs into one file, one container after another."""

    def __init__(self, cluster: Cluster, *, file: Path, namespace: str = "") -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._file = file
        self._wanted: list[tuple[str, str]] = []
        self._copying: asyncio.Task[None] | None = None

    def begin(self, pod: str, container: str) -> None:
        """Copy the log of ``container`` too, behind those that were begun before."""
        if (pod, container) in self._wanted:
            return
        self._wanted.append((pod, container))
        before = self._copying
        self._copying = asyncio.create_task(self._copy(pod, container, before))

    def note(self, text: str) -> None:
        """Write a line of our own. Raises StorageError."""
        self._append(f"# {text}\n".encode(errors="replace"))

    def tail(self, most_bytes: int = 8 * 1024) -> str:
        """The end of the file, without our own lines."""
        try:
            with self._file.open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - most_bytes))
                text = file.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(line for line in text.splitlines() if not line.startswith("# "))

    async def wait_for_end(self, seconds: float) -> None:
        """Wait for the last lines, ``seconds`` at most; then it says so in the file."""
        if self._copying is None:
            return
        done, _ = await asyncio.wait({self._copying}, timeout=seconds)
        if not done:
            self.note("the cluster did not bring the end of this log in time")

    async def close(self) -> None:
        """Stop copying. Raises StorageError when the file could not be written."""
        if self._copying is None:
            return
        self._copying.cancel()
        (ended,) = await asyncio.gather(self._copying, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended

    async def _copy(self, pod: str, container: str, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await before
        try:
            pieces = self._cluster.follow_log(pod, container, namespace=self._namespace)
            async with closing(pieces) as stream:
                async for piece in stream:
                    self._append(piece)
        except NoSuchObject:
            self.note(f"the pod {pod} is gone, and what is missing of its log")
        except ClusterError as error:
            self.note(f"the rest of this log is lost: {error}")

    def _append(self, content: bytes) -> None:
        with storage_errors("write to", self._file):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab") as file:
                file.write(content)
