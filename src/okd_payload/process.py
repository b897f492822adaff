# SPDX-License-Identifier: Apache-2.0
"""Running other programs: git, buildah and what a stream file names.

Every program runs in a process group of its own that dies with us: on cancellation the group
is ended and waited for, and when we are killed the kernel kills the program (Linux's parent
death signal). Output goes to a file or is kept up to a bound. No shell is involved.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from okd_payload.errors import MissingTool, OkdPayloadError

KEPT_BYTES = 64 * 1024 * 1024
_PR_SET_PDEATHSIG = 1
_GRACE_SECONDS = 5.0

Failure = Callable[[str], OkdPayloadError]
"""Makes the room's own error from a message."""


class Outcome(msgspec.Struct, frozen=True):
    """How a program ended: its exit code and what it printed (standard error apart)."""

    code: int
    output: bytes
    errors: str


def find_program(name: str, *, needed_for: str) -> str:
    """The path of program ``name``. Raises MissingTool, which says how to get it."""
    path = shutil.which(name)
    if path is None:
        raise MissingTool(
            f"{name} is not installed, and {needed_for} needs it",
            hint="`okd-payload doctor` shows the command that installs it",
        )
    return path


async def run(
    command: Sequence[str | Path],
    *,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    log: IO[bytes] | None = None,
    deadline: float | None = None,
) -> Outcome:
    """Run ``command`` to its end and return the outcome, whatever its exit code.

    ``environment`` is added to ours. With ``log``, both outputs go there and the outcome's are
    empty. After ``deadline`` seconds, or when the caller is cancelled, the whole process group
    is ended before the error is raised (TimeoutError, CancelledError).
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        env={**os.environ, **(environment or {})},
        stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
        stdout=log if log is not None else asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT if log is not None else asyncio.subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )
    try:
        async with asyncio.timeout(deadline):
            output, errors = await process.communicate(stdin)
    finally:
        if process.returncode is None:
            await _end_group(process)
    return Outcome(
        process.returncode if process.returncode is not None else -1,
        (output or b"")[:KEPT_BYTES],
        (errors or b"").decode(errors="replace"),
    )


async def _end_group(process: asyncio.subprocess.Process) -> None:
    for kill_signal in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, kill_signal)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await process.wait()
                return


def _load_prctl() -> Callable[..., int] | None:
    try:
        return ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return None


_prctl = _load_prctl()


def _die_with_parent() -> None:
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
