# SPDX-License-Identifier: Apache-2.0
"""The seam between planning runs and whoever carries them out.

A runner starts a run and gives a handle by which it finds the run again, also in another process
after a restart; it is polled, never waited for. Every runner gives the same ``RunUpdate``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration, Verification
from okd_payload.controller.model import Release, RunState, VerificationRun


class RunContext(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a runner needs to know of a run."""

    configuration: StreamConfiguration
    verification: Verification
    release: Release
    run: VerificationRun
    folder: Path
    """Where its log and artifacts belong; made when the first of them is written."""


class RunUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What a runner knows of a run now."""

    state: RunState
    message: str = ""
    url: str = ""
    handle: str = ""
    log: str = ""
    """Relative to the folder of the run."""
    artifacts: tuple[str, ...] = ()


class Runner(Protocol):
    """Carries out the verifications of one kind."""

    async def start(self, context: RunContext) -> RunUpdate:
        """Begin the run, or find that it was begun: a kill may have come between.

        Raises OkdPayloadError when it cannot be begun; then it is tried again in the next pass.
        """
        ...

    async def poll(self, context: RunContext) -> RunUpdate:
        """How far the run is. Raises OkdPayloadError when that cannot be found out now."""
        ...

    async def cancel(self, context: RunContext) -> None:
        """End the run; one that has ended is no error."""
        ...


@runtime_checkable
class LocalRunner(Runner, Protocol):
    """One whose runs are this process's own, and end with it."""

    async def wait(self) -> bool:
        """Wait until the runs that are under way have ended; whether any has an outcome."""
        ...
