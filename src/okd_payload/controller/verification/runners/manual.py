# SPDX-License-Identifier: Apache-2.0
"""A person decides: the run waits until somebody says how it ended."""

from __future__ import annotations

from okd_payload.controller.model import RunState
from okd_payload.controller.verification.endings import clean_words
from okd_payload.controller.verification.runner import RunContext, RunUpdate

_WAITING = "waiting for somebody to say how it went"


class ManualRunner:
    """Waits; the outcome is written by an action."""

    async def start(self, context: RunContext) -> RunUpdate:
        """Begin to wait, and say what the person is to do."""
        told = clean_words(context.verification.runner.settings.get("instructions", ""))
        message = f"{_WAITING}: {told}" if told else _WAITING
        return RunUpdate(state=RunState.RUNNING, message=message)

    async def poll(self, context: RunContext) -> RunUpdate:
        """Still waiting: an outcome would have ended the run."""
        return RunUpdate(state=context.run.state, message=context.run.message)

    async def cancel(self, context: RunContext) -> None:
        """Nothing runs."""
        del context
