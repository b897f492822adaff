# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from okd_payload.cli.loop import run_async
from okd_payload.errors import Interrupted

_STUBBORN = """
import asyncio, sys
from okd_payload.cli.loop import run_async

async def work():
    print("started", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        print("cleaning", flush=True)
        await asyncio.Event().wait()

run_async(work())
"""


def test_the_result_is_returned():
    """What the work returns is what the caller gets."""

    async def work() -> int:
        return 3

    assert run_async(work()) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_and_cleans_up(number):
    """A signal cancels every task, waits for its clean-up, and puts the old handlers back."""
    cleaned = []
    before = signal.getsignal(number)

    async def member(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(cleaned.append, name)

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(member("first"))
            group.create_task(member("second"))
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)

    with pytest.raises(Interrupted):
        run_async(work())
    assert sorted(cleaned) == ["first", "second"]
    assert signal.getsignal(number) is before


def test_cancellation_from_inside_stays_what_it_is():
    """Work that cancels itself was not interrupted by the user."""

    async def work() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run_async(work())


def test_a_second_signal_ends_at_once():
    """Whoever asks twice does not wait for the clean-up."""
    with subprocess.Popen(
        [sys.executable, "-c", _STUBBORN], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "started\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "cleaning\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == -signal.SIGTERM
