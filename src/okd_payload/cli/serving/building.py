# SPDX-License-Identifier: Apache-2.0
"""Builds that schedules ask for: ``okd-payload build``, as a process of its own.

A build that was cut off by the end of this process is begun again when somebody looks at it:
only what is missing is built then. Its log and how it ended lie in a folder of the state.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from okd_payload import process
from okd_payload.controller.schedules.builder import BuildProgress
from okd_payload.errors import InputError, OkdPayloadError, StorageError

BUILD = (sys.executable, "-m", "okd_payload", "build")
_LOG, _ENDED, _ASKED = "log", "ended.json", "stream-file"


class ProcessBuilder:
    """Implements ``Builder``; close it to end what it runs."""

    def __init__(self, folder: Path, *, command: Sequence[str] = BUILD) -> None:
        """``folder`` keeps one folder for each build; ``command`` gets the stream file last."""
        self._folder = folder
        self._command = tuple(command)
        self._running: dict[str, asyncio.Task[None]] = {}

    async def start(self, stream_file: str, identity: str) -> str:
        """Begin the build, or find that it was begun. Raises InputError and StorageError."""
        _ask(self._folder / identity, stream_file)
        self._go_on(identity, stream_file)
        return identity

    async def poll(self, handle: str) -> BuildProgress:
        """How far the build is; one that nobody runs any more is begun again."""
        folder = self._folder / handle
        try:
            if (folder / _ENDED).exists():
                return msgspec.json.decode((folder / _ENDED).read_bytes(), type=BuildProgress)
            stream_file = (folder / _ASKED).read_text()
        except (OSError, msgspec.DecodeError) as error:
            raise StorageError(f"cannot read {folder}: {error}") from error
        self._go_on(handle, stream_file)
        return BuildProgress(message=f"its log is {folder / _LOG}")

    async def close(self) -> None:
        """End all builds that run."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _go_on(self, identity: str, stream_file: str) -> None:
        task = self._running.get(identity)
        is_running = task is not None and not task.done()
        if not is_running and not (self._folder / identity / _ENDED).exists():
            self._running[identity] = asyncio.create_task(self._run(identity, stream_file))

    async def _run(self, identity: str, stream_file: str) -> None:
        folder = self._folder / identity
        try:
            with (folder / _LOG).open("ab") as log:
                outcome = await process.run((*self._command, stream_file), log=log)
        except OkdPayloadError as error:
            ended = BuildProgress(ended=True, message=error.message)
        else:
            words = "succeeded" if outcome.code == 0 else f"failed with code {outcome.code}"
            ended = BuildProgress(
                ended=True,
                succeeded=outcome.code == 0,
                message=f"the build of {stream_file} {words}; its log is {folder / _LOG}",
            )
        waiting = folder / f"{_ENDED}.new"
        waiting.write_bytes(msgspec.json.encode(ended))
        waiting.replace(folder / _ENDED)


def _ask(folder: Path, stream_file: str) -> None:
    """Write down what is to be built."""
    if not Path(stream_file).exists():
        raise InputError(
            f"there is no stream file {stream_file} to build",
            hint="name it as seen from the folder that the server was started in",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _ASKED).write_text(stream_file)
    except OSError as error:
        raise StorageError(f"cannot write to {folder}: {error.strerror}") from error
