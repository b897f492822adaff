# SPDX-License-Identifier: Apache-2.0
"""A person is told what to do, and is waited for."""

from __future__ import annotations

from runners_rig import MakeContext, noted

from okd_payload.controller.model import RunState
from okd_payload.controller.verification.runners.manual import ManualRunner


async def test_a_person_is_told_what_to_do(make_context: MakeContext) -> None:
    """On one line, whatever the stream's file says; polls change nothing."""
    runner = ManualRunner()
    context = make_context("manual", settings={"instructions": "look at\nthe console\x1b[1m"})
    update = await runner.start(context)
    assert update.state is RunState.RUNNING
    assert update.message.endswith("to say how it went: look at the console [1m")
    context = noted(context, update)
    again = await runner.poll(context)
    assert (again.state, again.message) == (update.state, update.message)
    silent = await runner.start(make_context("manual"))
    assert silent.message.endswith("to say how it went")
