# SPDX-License-Identifier: Apache-2.0
"""The tools that were taken out already, and those that are being.

Tools of one digest are taken out once, of one release at a time, into a folder that gets its
name when everything is there. What was not fetched for longest makes room; where the disk has
too little, nothing is begun. An extraction that failed is told for a while before it is tried
again, so that impatient readers do not repeat it.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from okd_payload.controller.model import Release
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError, OkdPayloadError
from okd_payload.oci.digest import hex_of
from okd_payload.progress import Event, Noticed, Progress
from okd_payload.release.extract.checksums import CHECKSUMS

_log = logging.getLogger(__name__)

Extract = Callable[[Release, Path, Progress], Awaitable[None]]

MOST_RELEASES = 6
LEAST_FREE = 4 << 30
"""Bytes that the tools of one release may need, and that must be free."""
_REMEMBERED = 300.0
_WAITING_MOST = 8
_FOLDER = "tools"
_PARTIAL = ".partial"


class ToolsState(enum.StrEnum):
    """How far the tools of a release are."""

    WAITING = "waiting"
    EXTRACTING = "extracting"
    READY = "ready"
    FAILED = "failed"


class ToolFile(msgspec.Struct, frozen=True, kw_only=True):
    """One archive, or a text beside them."""

    name: str
    size: int
    sha256: str = ""


class Tools(msgspec.Struct, frozen=True, kw_only=True):
    """The tools of one release."""

    state: ToolsState
    message: str = ""
    files: tuple[ToolFile, ...] = ()


class _Job:
    """One extraction."""

    def __init__(self) -> None:
        self.state = ToolsState.WAITING
        self.message = "others are taken out first"
        self.ended: float | None = None
        self.task: asyncio.Task[None] | None = None
        self._read = 0

    def is_forgotten(self, now: float) -> bool:
        """Whether it failed so long ago that it may be tried again."""
        return self.ended is not None and now - self.ended >= _REMEMBERED

    def fail(self, message: str, now: float) -> None:
        """Say that it ended without the tools, and why."""
        self.state, self.message, self.ended = ToolsState.FAILED, message, now

    def note(self, event: Event) -> None:
        """Remember what is being done."""
        if isinstance(event, Noticed):
            self._read += 1
            self.message = f"image {self._read}: {event.message} {event.subject}"


class ToolStore:
    """Gives the tools of releases."""

    def __init__(self, surroundings: Surroundings, extract: Extract) -> None:
        self._clock = surroundings.clock
        self._root = surroundings.state / _FOLDER
        self._extract = extract
        self._jobs: dict[str, _Job] = {}
        self._turn = asyncio.Lock()

    async def look(self, release: Release) -> Tools:
        """The tools of ``release``; they are begun to be taken out where nobody has yet.

        Raises InputError for a release without a payload, and when too many wait already.
        """
        key = _key_of(release)
        ready = await asyncio.to_thread(self._list, key)
        if ready is not None:
            return Tools(state=ToolsState.READY, files=ready)
        job = self._jobs.get(key)
        if job is None or job.is_forgotten(self._now()):
            job = self._begin(release, key)
        return Tools(state=job.state, message=job.message)

    def file(self, release: Release, name: str) -> Path | None:
        """The file ``name`` of the tools, None where it is not (yet)."""
        folder = self._root / _key_of(release)
        known = self._list(folder.name) or ()
        if name not in {each.name for each in known}:
            return None
        with contextlib.suppress(OSError):
            os.utime(folder)
        return folder / name

    async def wait(self, release: Release) -> None:
        """Return when the extraction that is under way has ended."""
        job = self._jobs.get(_key_of(release))
        if job is not None and job.task is not None:
            await asyncio.wait([job.task])

    def _begin(self, release: Release, key: str) -> _Job:
        waiting = [job for job in self._jobs.values() if job.ended is None]
        if len(waiting) >= _WAITING_MOST:
            raise InputError("too many releases wait for their tools", hint="try again later")
        job = self._jobs[key] = _Job()
        job.task = asyncio.create_task(self._run(job, release, key), name=f"tools of {key}")
        job.task.add_done_callback(lambda task: self._note_fault(job, task))
        return job

    def _note_fault(self, job: _Job, task: asyncio.Task[None]) -> None:
        """Let readers and the log know of what nobody foresaw."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("%s cannot be taken out", task.get_name(), exc_info=error)
            job.fail(
                "something nobody foresaw went wrong: the log of the server says what", self._now()
            )

    async def _run(self, job: _Job, release: Release, key: str) -> None:
        async with self._turn:
            job.state, job.message = ToolsState.EXTRACTING, "begun"
            partial = self._root / f"{key}{_PARTIAL}"
            try:
                await asyncio.to_thread(self._make_room, partial)
                await self._extract(release, partial, job.note)
                await asyncio.to_thread(partial.rename, self._root / key)
            except (OkdPayloadError, OSError) as error:
                job.fail(str(error), self._now())
            else:
                del self._jobs[key]
            finally:
                await asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True)

    def _now(self) -> float:
        return self._clock.monotonic()

    def _make_room(self, partial: Path) -> None:
        """Remove what was not fetched for longest. Raises OSError when the disk is full."""
        shutil.rmtree(partial, ignore_errors=True)
        self._root.mkdir(parents=True, exist_ok=True)
        kept = sorted(
            (path for path in self._root.iterdir() if path.suffix != _PARTIAL),
            key=lambda path: path.stat().st_mtime,
        )
        while kept and (len(kept) >= MOST_RELEASES or self._is_full()):
            shutil.rmtree(kept.pop(0), ignore_errors=True)
        if self._is_full():
            raise OSError("the disk of the server has too little room for them")
        partial.mkdir()

    def _is_full(self) -> bool:
        return shutil.disk_usage(self._root).free < LEAST_FREE

    def _list(self, key: str) -> tuple[ToolFile, ...] | None:
        """The files of a finished folder; None when there is none."""
        folder = self._root / key
        if not folder.is_dir():
            return None
        sums = _read_sums(folder / CHECKSUMS)
        return tuple(
            ToolFile(name=path.name, size=path.stat().st_size, sha256=sums.get(path.name, ""))
            for path in sorted(folder.iterdir())
            if path.is_file()
        )


def _key_of(release: Release) -> str:
    if release.digest is None:
        raise InputError(f"{release.name} has no payload yet", hint="wait until it is ready")
    return hex_of(release.digest)


def _read_sums(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    lines = [line.split(maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines()]
    return {parts[1].lstrip("*"): parts[0] for parts in lines if len(parts) == 2}
