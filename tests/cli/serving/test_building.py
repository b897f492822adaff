# SPDX-License-Identifier: Apache-2.0
"""A scheduled build is a process that ends well or badly; one that was cut off is begun again."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from okd_payload.cli.serving.building import ProcessBuilder
from okd_payload.controller.schedules.builder import BuildProgress
from okd_payload.errors import InputError, StorageError

PROGRAM = "import sys, pathlib; print('building'); sys.exit(int(open(sys.argv[1]).read()))"
HANGING = "import time; print('begun', flush=True); time.sleep(600)"


def builder(folder: Path, program: str = PROGRAM) -> ProcessBuilder:
    """Builds by a program of the test."""
    return ProcessBuilder(folder / "builds", command=(sys.executable, "-c", program))


async def ended(builds: ProcessBuilder, handle: str) -> BuildProgress:
    """How the build ended."""
    await asyncio.gather(*builds._running.values())
    return await builds.poll(handle)


@pytest.mark.parametrize(("code", "words"), [(0, "succeeded"), (3, "failed with code 3")])
async def test_a_build_ends_as_its_program_does(tmp_path: Path, code: int, words: str) -> None:
    """And its log is kept; starting it again finds it."""
    stream = tmp_path / "stream.yaml"
    stream.write_text(str(code))
    builds = builder(tmp_path)
    for _ in range(2):
        handle = await builds.start(str(stream), "nightly-1")
    progress = await ended(builds, handle)
    assert (progress.ended, progress.succeeded) == (True, code == 0)
    assert words in progress.message
    assert (tmp_path / "builds" / "nightly-1" / "log").read_text() == "building\n"


async def test_a_build_that_was_cut_off_is_begun_again(tmp_path: Path) -> None:
    """By whoever looks at it next, in another process."""
    stream = tmp_path / "stream.yaml"
    stream.write_text("0")
    hanging = builder(tmp_path, HANGING)
    handle = await hanging.start(str(stream), "nightly-1")
    assert not (await hanging.poll(handle)).ended
    await hanging.close()
    again = builder(tmp_path)
    assert not (await again.poll(handle)).ended
    assert (await ended(again, handle)).succeeded


async def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    """A stream file, or a build that nobody began."""
    builds = builder(tmp_path)
    with pytest.raises(InputError, match="there is no stream file"):
        await builds.start(str(tmp_path / "nothing.yaml"), "x")
    with pytest.raises(StorageError):
        await builds.poll("nothing")
