# SPDX-License-Identifier: Apache-2.0
"""Runs of local programs: each in a folder of its own, kept by a process of its own.

A program finds the contract of test jobs in its environment and none of the controller's
variables, but for a path, a locale, and what its stream names: credentials reach it on purpose or
not at all. HOME, TMPDIR and the folder it starts in are empty and its own, ARTIFACT_DIR is what
it wants to be kept. What the controller keeps and its user's credentials are hidden from it
(``sandbox``), as far as the machine allows; else it may use what that user may use: whoever
writes stream files is trusted like whoever starts the controller.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from okd_payload.controller.model import RunState
from okd_payload.controller.records import releases
from okd_payload.controller.surroundings import Surroundings
from okd_payload.controller.verification.contract import make_contract
from okd_payload.controller.verification.endings import judge_exit
from okd_payload.controller.verification.run_files import (
    ARTIFACTS,
    LOG,
    RunOutcome,
    read_outcome,
    tell_outcome,
    write_outcome,
)
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.controller.verification.runners.command.kept import Ending, KeptRun, Life
from okd_payload.controller.verification.runners.command.sandbox import (
    Confinement,
    find_credentials,
)
from okd_payload.controller.verification.settings import split_list

_HANDED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables of the controller that every program gets: none of them is a secret."""
_GRACE_SECONDS = 60.0
"""Between the end of a run's time, which the controller sees to, and the keeper's own."""
_CUT_OFF = "it was cut off: the machine it ran on was restarted, or its keeper was killed"


class CommandRunner:
    """Implements ``Runner`` with programs of this machine."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    async def start(self, context: RunContext) -> RunUpdate:
        """Start the program, unless it runs or has ended. Raises StorageError."""
        return await self._bring_on(context, self.command_of(context))

    async def poll(self, context: RunContext) -> RunUpdate:
        """How it ended, or that it runs. Raises StorageError."""
        host, _, _ = context.run.handle.partition("/")
        life = KeptRun(context.folder).look()
        if life is Life.NEW and host and host != socket.gethostname():
            return RunUpdate(
                state=RunState.ERROR, message=f"it was begun on {host}, which does not act any more"
            )
        return await self._bring_on(context, self.command_of(context))

    async def cancel(self, context: RunContext) -> None:
        """End the program and everything it started."""
        KeptRun(context.folder).cancel()

    def command_of(self, context: RunContext) -> Sequence[str]:
        """What is run: the command of the verification."""
        return context.verification.runner.arguments

    def inherited(self, context: RunContext) -> Sequence[str]:
        """Which of the controller's variables the program gets, where these are set."""
        named = split_list(context.verification.runner.settings.get("inherit", ""))
        return (*_HANDED_ON, *named)

    def confinement(self, context: RunContext) -> Confinement:
        """What is hidden from the program."""
        settings = context.verification.runner.settings
        hidden = find_credentials(
            self._surroundings.configurations().values(),
            environment=os.environ,
            kept=split_list(settings.get("inherit", "")),
        )
        return Confinement(
            wish=settings.get("sandbox") or "try",
            network=settings.get("network") or "host",
            state=self._surroundings.state.absolute(),
            run=context.folder.absolute(),
            hidden=hidden,
        )

    async def _bring_on(self, context: RunContext, command: Sequence[str]) -> RunUpdate:
        outcome = read_outcome(context.folder)
        if outcome is not None:
            return tell_outcome(context.folder, outcome)
        kept = KeptRun(context.folder)
        life = kept.look()
        if life is Life.NEW:
            environment = await self._environment(context)
            if shutil.which(command[0], path=environment.get("PATH")) is None:
                return RunUpdate(
                    state=RunState.ERROR, message=f"there is no program {command[0]} here"
                )
            limited = [*limit(context.verification.runner.settings), *command]
            confined = self.confinement(context).command(limited)
            seconds = context.verification.timeout + _GRACE_SECONDS
            life = await kept.start(confined, environment, seconds=seconds)
        if life is Life.ALIVE:
            handle = f"{socket.gethostname()}/{context.run.id}"
            log = LOG if (context.folder / LOG).is_file() else ""
            return RunUpdate(state=RunState.RUNNING, handle=handle, log=log)
        return await asyncio.to_thread(_conclude, context.folder, kept)

    async def _environment(self, context: RunContext) -> dict[str, str]:
        images = await self._surroundings.database.read(
            lambda unit: releases.read_inputs(unit, context.release.name)
        )
        found = {name: os.environ[name] for name in self.inherited(context) if name in os.environ}
        contract = make_contract(context, images)
        named = split_list(context.verification.runner.settings.get("inherit", ""))
        told = {*contract, *(name for name in named if name in found)}
        folder = context.folder.absolute()
        return {
            **found,
            **contract,
            "OKD_PAYLOAD_VARIABLES": " ".join(sorted(told)),
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "ARTIFACT_DIR": str(folder / ARTIFACTS),
        }


def limit(settings: Mapping[str, str]) -> Sequence[str]:
    """What stands before a command so that it stays within the limits that ``settings`` name."""
    kibibytes, blocks = 1024, 2048
    limits = ["ulimit -c 0"]
    if memory := settings.get("memory"):
        limits.append(f"ulimit -v {int(memory) * kibibytes}")
    if cpu := settings.get("cpu"):
        limits.append(f"ulimit -t {int(cpu)}")
    if size := settings.get("fileSize"):
        limits.append(f"ulimit -f {int(size) * blocks}")
    return ("/bin/sh", "-c", " && ".join([*limits, 'exec "$@"']), "sh")


def _conclude(folder: Path, kept: KeptRun) -> RunUpdate:
    """Write down how a run ended that does not run any more."""
    outcome = _judge(folder, kept.ending())
    write_outcome(folder, outcome)
    kept.tidy()
    return tell_outcome(folder, outcome)


def _judge(folder: Path, ending: Ending | None) -> RunOutcome:
    if ending is None:
        return RunOutcome(state=RunState.ERROR, message=_CUT_OFF)
    if ending.why == "time":
        return RunOutcome(state=RunState.ERROR, message="it did not end in its time")
    if ending.why == "cancelled":
        return RunOutcome(state=RunState.ABORTED, message="it was cancelled")
    return judge_exit(folder, ending.code)
