# SPDX-License-Identifier: Apache-2.0
"""A scheduled build is a process that ends well or badly; one that was cut off is begun again."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path

import pytest

from okd_payload.cli.serving.building import KEPT, ProcessBuilder, build_command
from okd_payload.errors import InputError, StorageError
from okd_payload.locations import find_locations

PROGRAM = (
    "import sys, pathlib; print('building'); code = int(open(sys.argv[1]).read());"
    "print('error: etcd is \\x1b[31mnot\\x1b[0m there'); print('hint: look'); sys.exit(code)"
)
HANGING = "import time; print('begun', flush=True); time.sleep(600)"


def builder(folder: Path, program: str = PROGRAM, **options) -> ProcessBuilder:
    """Builds by a program of the test."""
    return ProcessBuilder(folder / "builds", command=(sys.executable, "-c", program), **options)


@pytest.fixture
def stream(tmp_path: Path) -> str:
    """A stream file that is built well."""
    path = tmp_path / "stream.yaml"
    path.write_text("0")
    return str(path)


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "succeeded"), (3, "failed with code 3: error: etcd is not there; its log is")],
)
async def test_a_build_ends_as_its_program_does(tmp_path: Path, code: int, words: str) -> None:
    """And says why; its log is kept, and looking at it again begins nothing."""
    stream = tmp_path / "stream.yaml"
    stream.write_text(str(code))
    builds = builder(tmp_path)
    for _ in range(2):
        assert not (await builds.advance(str(stream), "nightly-1")).ended
    assert await builds.wait()
    for each in (builds, builder(tmp_path)):
        progress = await each.advance(str(stream), "nightly-1")
        assert (progress.ended, progress.succeeded) == (True, code == 0)
        assert words in progress.message
    assert (tmp_path / "builds" / "nightly-1" / "log").read_text().count("building") == 1


async def test_a_build_that_was_cut_off_is_begun_again(tmp_path: Path, stream: str) -> None:
    """By whoever looks at it next, in another process."""
    hanging = builder(tmp_path, HANGING)
    assert not (await hanging.advance(stream, "nightly-1")).ended
    await hanging.close()
    again = builder(tmp_path)
    assert not (await again.advance(stream, "nightly-1")).ended
    await again.wait()
    assert (await again.advance(stream, "nightly-1")).succeeded


async def test_two_processes_never_run_one_build(tmp_path: Path, stream: str) -> None:
    """The second waits as long as anything of the first runs, and finds how it ended."""
    first, second = builder(tmp_path, HANGING), builder(tmp_path)
    await first.advance(stream, "nightly-1")
    assert "another process" in (await second.advance(stream, "nightly-1")).message
    assert not await second.wait()
    await first.close()
    await second.advance(stream, "nightly-1")
    assert await second.wait()
    assert (await first.advance(stream, "nightly-1")).succeeded


async def test_whoever_acts_no_longer_builds_no_longer(tmp_path: Path, stream: str) -> None:
    """Another instance goes on with it, perhaps on another machine."""
    lost = asyncio.Event()

    async def until_lost() -> None:
        await lost.wait()

    builds = builder(tmp_path, HANGING, until_lost=until_lost)
    await builds.advance(stream, "nightly-1")
    lost.set()
    await builds.wait()
    assert not (tmp_path / "builds" / "nightly-1" / "ended.json").exists()


async def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    """A stream file that is not there, and a folder that cannot be written to."""
    with pytest.raises(InputError, match="there is no stream file"):
        await builder(tmp_path).advance(str(tmp_path / "nothing.yaml"), "x")
    (tmp_path / "builds").write_text("no folder")
    with pytest.raises(StorageError):
        await builder(tmp_path).advance(str(tmp_path / "builds"), "x")


async def test_logs_of_old_builds_go(tmp_path: Path, stream: str) -> None:
    """A build every night fills no disk."""
    for number in range(KEPT + 2):
        folder = tmp_path / "builds" / f"nightly-{number:02}"
        folder.mkdir(parents=True)
        (folder / "ended.json").write_text("{}")
        os.utime(folder / "ended.json", (number, number))
    builds = builder(tmp_path)
    await builds.advance(stream, "nightly-new")
    await builds.close()
    left = sorted(path.name for path in (tmp_path / "builds").iterdir())
    assert len(left) == KEPT + 1
    assert (left[0], left[-1]) == ("nightly-02", "nightly-new")


def test_builds_go_where_the_server_looks_for_them(tmp_path: Path) -> None:
    """Into the state and the cache that the server was started with."""
    command = build_command(find_locations(cache=tmp_path / "c", state=tmp_path / "s"))
    assert command[-1] == "build"
    assert ("--state", str(tmp_path / "s")) in itertools.pairwise(command)
    assert ("--cache", str(tmp_path / "c")) in itertools.pairwise(command)
