# SPDX-License-Identifier: Apache-2.0
"""A kept run, as its folder shows it: never begun, alive, ended, or cut off.

The lock tells whether it is alive. It is taken before the keeper is started and handed to it, so
that two controllers, or one before and after a kill, never start the same run twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import fcntl
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from okd_payload import supervisor
from okd_payload.controller.verification.run_files import ARTIFACTS, HALF_LOG_BYTES
from okd_payload.controller.verification.runners.command import keeper
from okd_payload.controller.verification.runners.command.sandbox import SHADOW, USED
from okd_payload.errors import StorageError
from okd_payload.scratch import remove_tree

Document = TypeVar("Document")

_LOCK = "lock"
FOLDERS = (*USED, SHADOW)
"""What a run uses and nobody needs afterwards."""


class Life(enum.Enum):
    """How far a kept run is."""

    NEW = "new"
    """Nothing of it has ever run."""
    ALIVE = "alive"
    ENDED = "ended"
    CUT_OFF = "cut off"
    """It was begun, and its keeper is gone without a word: the machine was restarted."""


class Ending(msgspec.Struct, frozen=True):
    """How a kept run ended."""

    code: int
    why: str = ""
    """``time`` or ``cancelled`` where it did not end by itself."""


class _Begun(msgspec.Struct, frozen=True):
    process: int


class KeptRun:
    """The run in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def look(self) -> Life:
        """How far it is. Raises StorageError."""
        if not self._folder.exists():
            return Life.NEW
        with self._lock() as lock:
            return self._look(alive=lock is None)

    def ending(self) -> Ending | None:
        """How it ended, None before."""
        return _read(self._folder / keeper.ENDED, Ending)

    async def start(
        self, command: Sequence[str], environment: Mapping[str, str], *, seconds: float
    ) -> Life:
        """Start it, unless that was done; how far it is then. Raises StorageError."""
        with self._lock() as lock:
            self._make_folders()
            life = self._look(alive=lock is None)
            if life is not Life.NEW or lock is None:
                return life
            arguments = (str(lock), supervisor.__file__, str(seconds), str(HALF_LOG_BYTES))
            try:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-S", keeper.__file__, *arguments, *command),
                    cwd=self._folder,
                    env=dict(environment),
                    pass_fds=(lock,),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError as error:
                raise StorageError(f"cannot start {command[0]}: {error}") from error
            await process.wait()  # it is in the background now
        return Life.ALIVE

    def cancel(self) -> None:
        """Ask it to end, where it is alive. Raises StorageError."""
        if not self._folder.exists():
            return
        with self._lock() as lock:
            begun = _read(self._folder / keeper.BEGUN, _Begun)
            if lock is None and begun is not None:  # the lock says whose number it is
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(begun.process, signal.SIGTERM)

    def tidy(self) -> None:
        """Remove what the run only used."""
        for name in FOLDERS:
            remove_tree(self._folder / name)

    def _look(self, *, alive: bool) -> Life:
        if (self._folder / keeper.ENDED).exists():
            return Life.ENDED
        if alive:
            return Life.ALIVE
        return Life.CUT_OFF if (self._folder / keeper.BEGUN).exists() else Life.NEW

    def _make_folders(self) -> None:
        try:
            for name in (ARTIFACTS, *FOLDERS):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(self._folder, error) from error

    @contextlib.contextmanager
    def _lock(self) -> Iterator[int | None]:
        """The descriptor of the lock, None where somebody else holds it."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _unusable(self._folder, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            yield None
            return
        try:
            yield lock
        finally:
            os.close(lock)


def _unusable(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"cannot use {folder}: {error.strerror}", hint="make room in the state folder"
    )


def _read(path: Path, kind: type[Document]) -> Document | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None
