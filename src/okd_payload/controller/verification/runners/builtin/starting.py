# SPDX-License-Identifier: Apache-2.0
"""Whether a program of an image starts: it is started, and what becomes of it is judged.

It is asked for help behind the command that its containers have, because nearly every program
answers that and ends. Whatever it says then, it has started, and so has one that goes on; one
that the system refuses, that a signal ends, or that misses a library has not. No exit code but
those of shells and loaders counts: without a cluster most programs are right to end with an error.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

import msgspec

from okd_payload.controller.verification.endings import CANNOT_START, clean_words
from okd_payload.controller.verification.runners.builtin import sandbox
from okd_payload.oci.config import ContainerConfig
from okd_payload.process import run

SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where a runtime looks for programs in an image that does not say."""
_QUESTION = "--help"
_GRACE_SECONDS = 20.0
_FAULTS = frozenset({"SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP"})
_SHELLS = 128
"""A shell ends with this and the number of the signal that ended what it ran."""
_LOADER = re.compile(
    r"error while loading shared libraries|version [`'][^']*' not found \(required by"
    r"|symbol lookup error|Error loading shared library|Error relocating|exec format error",
    re.IGNORECASE,
)
"""What loaders say before the program itself says anything; some end with 1."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is started, and within which bounds."""

    command: tuple[str, ...]
    environment: dict[str, str]
    folder: str
    seconds: float
    memory: int
    """Mebibytes."""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How it went; with ``trouble`` nothing was started, because this machine cannot."""

    trouble: str = ""
    refused: str = ""
    """Why the system did not start the program."""
    late: bool = False
    code: int = 0
    output: str = ""

    @property
    def problem(self) -> str:
        """Why the program has not started; empty when it has."""
        if self.refused:
            return f"cannot be started: {clean_words(self.refused)}"
        if self.late:
            return ""
        last = self._words(self.output.splitlines())
        told = next((line for line in self.output.splitlines() if _LOADER.search(line)), "")
        if told:
            return f"does not load: {clean_words(told)}"
        if name := self._signal:
            return f"was ended by {name}{last}"
        if self.code in CANNOT_START:
            return f"ended with {self.code}{last}"
        return ""

    @property
    def word(self) -> str:
        """How a program went that has started."""
        return "goes on when its time is over" if self.late else f"ended with {self.code}"

    @property
    def _signal(self) -> str:
        number = -self.code if self.code < 0 else self.code - _SHELLS
        try:
            name = signal.Signals(number).name
        except ValueError:
            return ""
        return name if self.code < 0 or name in _FAULTS else ""

    @staticmethod
    def _words(lines: list[str]) -> str:
        told = (clean_words(line) for line in reversed(lines))
        words = next((each for each in told if each), "")
        return f": {words}" if words else ""


def order_for(config: ContainerConfig, *, seconds: float, memory: int) -> Order:
    """How a container of an image with ``config`` is started, and asked for help."""
    variables = [text.partition("=") for text in config.env]
    environment = {name: value for name, _, value in variables if name}
    return Order(
        command=(*config.entrypoint, *config.cmd, _QUESTION),
        environment={"PATH": SEARCHED, "HOME": "/tmp", **environment},  # noqa: S108 - its own
        folder=config.working_dir or "/",
        seconds=seconds,
        memory=memory,
    )


async def start(root: Path, order: Order) -> Ended:
    """Start what ``order`` says in the file system ``root``. Raises StorageError."""
    try:
        outcome = await run(
            (sys.executable, "-I", "-S", Path(sandbox.__file__)),
            directory=root,
            environment=dict.fromkeys(os.environ),  # nothing of ours is anything to an image
            stdin=msgspec.json.encode(order),
            deadline=order.seconds + _GRACE_SECONDS,
        )
    except TimeoutError:
        return Ended(trouble="the sandbox did not end in its time")
    try:
        return msgspec.json.decode(outcome.output, type=Ended)
    except msgspec.MsgspecError:
        words = clean_words(outcome.errors[-1000:]) or f"exit code {outcome.code}"
        return Ended(trouble=f"the sandbox ended without a word: {words}")
