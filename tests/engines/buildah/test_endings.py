# SPDX-License-Identifier: Apache-2.0
"""However a build ends, nothing of it stays: no process, no mount, no file."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

LONELY_BUILD = Path(__file__).with_name("lonely_build.py")
SLEEP = f"sleep 1234{os.getpid()}"
"""Of these tests alone, for others like them may run beside them."""
SLEEPING = f"FROM base\nRUN (setsid {SLEEP} &); echo asleep; {SLEEP}\n"
DEADLINE = 60.0


async def test_a_cancelled_build_leaves_nothing(cold_room) -> None:
    """Cancelling ends what the build started, daemons included, and removes its workspace."""
    build = asyncio.create_task(
        cold_room.engine().build(cold_room.step(SLEEPING), log=cold_room.log)
    )
    await asyncio.to_thread(wait_for, lambda: "\nasleep" in read(cold_room.log))

    build.cancel()
    with pytest.raises(asyncio.CancelledError):
        await build

    assert cold_room.leftovers() == []
    assert processes_of(cold_room.path) == []
    assert mounts_in(cold_room.path) == []


async def test_a_killed_build_is_cleaned_up_by_the_next(filled_room) -> None:
    """After SIGKILL nothing runs and nothing is mounted; the next build removes the files."""
    folder = filled_room.path
    command = [sys.executable, LONELY_BUILD, folder, filled_room.base, SLEEPING, "host"]
    await asyncio.to_thread(kill_asleep, command, folder / "log")
    await asyncio.to_thread(wait_for, lambda: processes_of(folder) == [])
    assert mounts_in(folder) == []
    assert len(filled_room.leftovers()) == 1

    await filled_room.build("FROM base\nRUN true\n")

    assert filled_room.leftovers() == []


def test_a_killed_build_of_an_ordinary_user_is_cleaned_up(stranger) -> None:
    """What the kill leaves belongs to subordinate users, and is removed all the same."""
    kill_asleep(stranger.command(SLEEPING), stranger.home / "log")
    wait_for(lambda: processes_of(stranger.path) == [])
    assert len(list(stranger.workspaces.iterdir())) == 1

    subprocess.run(stranger.command("FROM base\nRUN true\n"), capture_output=True, check=True)

    assert list(stranger.workspaces.iterdir()) == []


def kill_asleep(command: list[str | Path], log: Path) -> None:
    """Start ``command`` and kill it once its build sleeps."""
    with subprocess.Popen(command) as build:
        wait_for(lambda: "\nasleep" in read(log))
        build.kill()


def processes_of(folder: Path) -> list[str]:
    """Command lines of the processes that work in ``folder``, and of the sleepers."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        line = read(path).replace("\0", " ")
        if str(folder) in line or line.startswith(f"{SLEEP} "):
            found.append(line)
    return found


def mounts_in(folder: Path) -> list[str]:
    """What is mounted below ``folder`` for everybody."""
    return [line for line in read(Path("/proc/mounts")).splitlines() if str(folder) in line]


def wait_for(condition: Callable[[], bool]) -> None:
    """Return when ``condition`` holds, or fail."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def read(path: Path) -> str:
    """The content of a file that may not be there."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
