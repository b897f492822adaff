# SPDX-License-Identifier: Apache-2.0
"""Running other programs: git, buildah and what a stream file names.

Every program runs below a ``supervisor`` that holds the reading end of a pipe, the lifeline,
whose writing end is ours alone. Closing it (cancellation, a deadline) or dying (also by SIGKILL)
ends the program and everything it started, daemons included; so does the program's own end.
That costs some 15 ms a program, and is why ``preexec_fn`` is not used: it would fork this whole
process, threads and all, which takes longer from 300 MB on and which Python 3.12 warns about.

Programs have no terminal, so none can stop to ask. No shell is involved. Output goes to a file,
or is kept up to a bound.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from okd_payload.errors import MissingTool, StorageError

KEPT_BYTES = 64 * 1024 * 1024
KEPT_ERROR_BYTES = 256 * 1024
_CHUNK_BYTES = 256 * 1024
_SUPERVISOR = Path(__file__).with_name("supervisor.py")


class Outcome(msgspec.Struct, frozen=True):
    """How a program ended: its exit code and what it printed (standard error apart).

    Of the output the first ``KEPT_BYTES`` are kept, of the errors the last
    ``KEPT_ERROR_BYTES``. A program ended by a signal has the code 128 plus its number.
    """

    code: int
    output: bytes
    errors: str
    truncated: bool = False
    """Whether the program printed more output than was kept."""


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
    environment: Mapping[str, str | None] | None = None,
    stdin: bytes | None = None,
    log: IO[bytes] | None = None,
    output: IO[bytes] | None = None,
    deadline: float | None = None,
    held: Sequence[int] = (),
) -> Outcome:
    """Run ``command`` to its end and return the outcome, whatever its exit code.

    ``environment`` is added to ours; None takes a variable out. With ``log``, both outputs go
    there and the outcome's are empty; with ``output``, standard output goes to that file
    instead. The files ``held`` (descriptors of locks) stay open until nothing of the command
    runs any more, even when we are killed.

    After ``deadline`` seconds, or when the caller is cancelled, everything the command started
    is ended before the error is raised (TimeoutError, CancelledError). Raises MissingTool when
    there is no such program, StorageError when ``directory`` cannot be entered.
    """
    variables = {**os.environ, **(environment or {})}
    surroundings = _Surroundings(
        directory=directory,
        environment={name: value for name, value in variables.items() if value is not None},
        held=tuple(held),
    )
    surroundings.check(str(command[0]))
    lifeline, ours = os.pipe()
    conversation = asyncio.ensure_future(
        _converse(
            command, surroundings, lifeline=lifeline, stdin=stdin, log=log, output=output or log
        )
    )
    conversation.add_done_callback(lambda _: os.close(lifeline))
    try:
        async with asyncio.timeout(deadline):
            return await asyncio.shield(conversation)
    finally:
        os.close(ours)
        await asyncio.wait([conversation])


class _Surroundings(msgspec.Struct, frozen=True):
    """What a program finds when it starts."""

    directory: Path | None
    environment: dict[str, str]
    held: tuple[int, ...]

    def check(self, program: str) -> None:
        """Raise MissingTool now: later the supervisor could only print it."""
        path = str((self.directory or Path()) / program) if "/" in program else program
        if shutil.which(path, path=self.environment.get("PATH")) is None:
            raise MissingTool(
                f"there is no program {program}",
                hint="`okd-payload doctor` shows the command that installs what is missing",
            )


async def _converse(
    command: Sequence[str | Path],
    surroundings: _Surroundings,
    *,
    lifeline: int,
    stdin: bytes | None,
    log: IO[bytes] | None,
    output: IO[bytes] | None,
) -> Outcome:
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", _SUPERVISOR, str(lifeline), *command),
            cwd=surroundings.directory,
            env=surroundings.environment,
            pass_fds=(lifeline, *surroundings.held),
            stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
            stdout=output if output is not None else asyncio.subprocess.PIPE,
            stderr=log if log is not None else asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise StorageError(f"cannot start {command[0]}: {error}") from error
    head, tail = _Head(), _Tail()
    code, *_ = await asyncio.gather(
        process.wait(),
        _feed(process.stdin, stdin or b""),
        _drain(process.stdout, head),
        _drain(process.stderr, tail),
    )
    return Outcome(code, bytes(head.kept), tail.kept.decode(errors="replace"), head.truncated)


async def _feed(pipe: asyncio.StreamWriter | None, content: bytes) -> None:
    if pipe is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        pipe.write(content)
        await pipe.drain()
    pipe.close()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        await pipe.wait_closed()


async def _drain(pipe: asyncio.StreamReader | None, sink: _Head | _Tail) -> None:
    while pipe is not None and (chunk := await pipe.read(_CHUNK_BYTES)):
        sink.take(chunk)


class _Head:
    """Keeps the first bytes, and knows whether there were more."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.truncated = False

    def take(self, chunk: bytes) -> None:
        room = KEPT_BYTES - len(self.kept)
        self.kept += chunk[:room]
        self.truncated = self.truncated or len(chunk) > room


class _Tail:
    """Keeps the last bytes: programs say at the end why they failed."""

    def __init__(self) -> None:
        self.kept = bytearray()

    def take(self, chunk: bytes) -> None:
        self.kept += chunk
        del self.kept[:-KEPT_ERROR_BYTES]
