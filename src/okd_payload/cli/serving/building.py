# SPDX-License-Identifier: Apache-2.0
"""Builds that schedules ask for: ``okd-payload build``, as a process of its own.

A build that was cut off by the end of this process is begun again when somebody looks at it:
only what is missing is built then. Its log and how it ended lie in a folder of the state, under
a lock that lasts as long as anything of it runs, so that two processes never run one build.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from okd_payload import process
from okd_payload.build.log_text import clean_text
from okd_payload.controller.schedules.builder import BuildProgress
from okd_payload.errors import InputError, OkdPayloadError, StorageError
from okd_payload.locations import Locations
from okd_payload.oci.layout.files import storage_errors, try_lock

KEPT = 20
"""Builds whose logs are kept."""
_LOG, _ENDED, _LOCK = "log", "ended.json", "lock"
_TAIL_BYTES = 4096
_LONGEST_WORDS = 300


def build_command(locations: Locations) -> tuple[str, ...]:
    """What builds a stream file into the same folders that we use."""
    folders = ("--state", str(locations.state), "--cache", str(locations.cache))
    return (sys.executable, "-m", "okd_payload", *folders, "build")


class ProcessBuilder:
    """Implements ``Builder``; close it to end what it runs."""

    def __init__(
        self,
        folder: Path,
        *,
        command: Sequence[str],
        until_lost: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """``folder`` keeps one folder for each build; ``command`` gets the stream file last.

        ``until_lost`` returns when this process may build no longer, because another one does.
        """
        self._folder = folder
        self._command = tuple(command)
        self._until_lost = until_lost
        self._running: dict[str, asyncio.Task[None]] = {}

    async def advance(self, stream_file: str, identity: str) -> BuildProgress:
        """Begin the build or go on with it, and how far it is. Raises InputError, StorageError."""
        folder = self._folder / identity.replace("/", "_")
        if (folder / _ENDED).exists():
            return _read_end(folder)
        task = self._running.get(folder.name)
        if task is not None and task.done():
            del self._running[folder.name]
            task.result()  # raises what kept it from being run
        if folder.name not in self._running:
            return self._begin(stream_file, folder)
        return BuildProgress(message=f"its log is {folder / _LOG}")

    async def wait(self) -> bool:
        """Wait until everything that runs has ended; whether anything ran."""
        running = list(self._running.values())
        await asyncio.gather(*running, return_exceptions=True)
        return bool(running)

    async def close(self) -> None:
        """End all builds that run."""
        for task in self._running.values():
            task.cancel()
        await self.wait()

    def _begin(self, stream_file: str, folder: Path) -> BuildProgress:
        if not Path(stream_file).exists():
            raise InputError(
                f"there is no stream file {stream_file} to build",
                hint="name it as seen from the folder that the server was started in",
            )
        with storage_errors("write to", folder):
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        if not try_lock(lock):
            os.close(lock)
            return BuildProgress(message="another process of this machine builds it")
        _remove_old(self._folder)
        task = asyncio.create_task(self._run(stream_file, folder, lock=lock))
        task.add_done_callback(lambda _: os.close(lock))  # also of one that never got to run
        self._running[folder.name] = task
        return BuildProgress(message=f"its log is {folder / _LOG}")

    async def _run(self, stream_file: str, folder: Path, *, lock: int) -> None:
        building = asyncio.ensure_future(self._build(stream_file, folder, lock=lock))
        lost = asyncio.ensure_future(self._until_lost() if self._until_lost else _never())
        try:
            await asyncio.wait((building, lost), return_when=asyncio.FIRST_COMPLETED)
        finally:
            building.cancel()
            lost.cancel()
            await asyncio.gather(building, lost, return_exceptions=True)
        if not building.cancelled():
            _write_end(folder, building.result())

    async def _build(self, stream_file: str, folder: Path, *, lock: int) -> BuildProgress:
        try:
            with storage_errors("write to", folder), (folder / _LOG).open("ab") as log:
                outcome = await process.run((*self._command, stream_file), log=log, held=(lock,))
        except StorageError:
            raise
        except OkdPayloadError as error:
            return BuildProgress(ended=True, message=error.message)
        if outcome.code == 0:
            message = f"the build of {stream_file} succeeded; its log is {folder / _LOG}"
            return BuildProgress(ended=True, succeeded=True, message=message)
        said = _last_words(folder / _LOG)
        return BuildProgress(
            ended=True,
            message=f"the build of {stream_file} failed with code {outcome.code}"
            f"{': ' + said if said else ''}; its log is {folder / _LOG}",
        )


async def _never() -> None:
    await asyncio.Event().wait()


def _read_end(folder: Path) -> BuildProgress:
    with storage_errors("read", folder):
        content = (folder / _ENDED).read_bytes()
    try:
        return msgspec.json.decode(content, type=BuildProgress)
    except msgspec.MsgspecError as error:
        raise StorageError(f"cannot read {folder / _ENDED}: {error}") from error


def _write_end(folder: Path, ended: BuildProgress) -> None:
    waiting = folder / f"{_ENDED}.new"
    with storage_errors("write to", folder):
        waiting.write_bytes(msgspec.json.encode(ended))
        waiting.replace(folder / _ENDED)


def _last_words(log: Path) -> str:
    """The line of the log that says why: the last error, else the last line."""
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = clean_text(file.read().decode(errors="replace")).splitlines()
        told = [line.strip() for line in lines if line.strip()]
        errors = [line for line in told if line.startswith("error")]
        return [*told, *errors][-1][:_LONGEST_WORDS] if told else ""
    return ""


def _remove_old(builds: Path) -> None:
    """Forget builds that ended and have newer ones after them."""
    with contextlib.suppress(OSError):  # what cannot be removed costs room and nothing else
        ended = sorted(builds.glob(f"*/{_ENDED}"), key=lambda path: path.stat().st_mtime)
        for path in ended[: -KEPT or None]:
            shutil.rmtree(path.parent, ignore_errors=True)
