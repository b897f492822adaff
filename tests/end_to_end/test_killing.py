# SPDX-License-Identifier: Apache-2.0
"""Runs that are stopped at any moment: nothing stays behind, and the same command goes on."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time

import pytest
from real_program import Built, Program, digests_of

pytestmark = pytest.mark.integration

DEADLINE = 60.0


def wait_for_silence(program: Program) -> None:
    """Return when no process of ``program`` runs any more, or fail."""
    deadline = time.monotonic() + DEADLINE
    while running := program.processes():
        assert time.monotonic() < deadline, running
        time.sleep(0.05)


def wait_for_a_build(program: Program) -> None:
    """Return when ``program`` has something built, or fail."""
    deadline = time.monotonic() + DEADLINE
    while not any(line.startswith("buildah ") for line in program.processes()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def stop(run: subprocess.Popen[str], number: signal.Signals, *, after: float) -> tuple[int, str]:
    """Send a signal to the group of ``run`` after so many seconds; its code and its errors."""
    try:
        _, errors = run.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, number)
        _, errors = run.communicate()
    return run.returncode, errors


def finish(program: Program, built: Built) -> None:
    """Let the program come to its end, with the digests that it always has."""
    assert digests_of(program.build(built.stream)) == built.digests
    assert program.processes() == []
    assert program.leftovers() == []


@pytest.mark.slow
@pytest.mark.parametrize("times", [8, pytest.param(40, marks=pytest.mark.endurance)])
def test_a_run_may_be_killed_at_any_moment(program, built, times) -> None:
    """After all kills the same command ends with the same digests, and nothing is left."""
    moments = random.Random(20).sample(range(200, 2400), times)
    killed = 0
    for number, moment in enumerate(moments):
        if number % 4 == 3:
            shutil.rmtree(program.state / "streams", ignore_errors=True)
        run = program.start("build", built.stream, "-o", "json", "-q")
        code, errors = stop(run, signal.SIGKILL, after=moment / 1000)
        assert code in (0, -signal.SIGKILL), errors
        killed += code != 0
        wait_for_silence(program)
        assert program.mounts() == []

    assert killed > times / 2
    finish(program, built)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_ends_when_it_is_asked_to(program, built, number) -> None:
    """Control-C and SIGTERM end the run with code 130, at once, leaving nothing."""
    run = program.start("build", built.stream)
    wait_for_a_build(program)
    code, errors = stop(run, number, after=0)

    assert code == 130, errors
    assert errors.splitlines()[-2:] == [
        "error: interrupted",
        "hint: run the same command again to go on",
    ]
    assert program.processes() == []
    assert program.leftovers() == []


@pytest.mark.slow
def test_runs_side_by_side_give_the_same(program, built) -> None:
    """Two runs of the same command in the same folders end with the same digests."""
    runs = [program.start("build", built.stream, "-o", "json", "-q") for _ in range(2)]
    ended = [run.communicate() for run in runs]

    assert [run.returncode for run in runs] == [0, 0], ended
    assert ended[0][0].count(built.digests["release"]) == 2
    finish(program, built)


def test_publishing_may_be_killed_at_any_moment(resumed, built, docker_registry) -> None:
    """A killed publication is finished by the same command, with the same digests."""
    places = ["--content", f"{docker_registry}/killed/content"]
    places += ["--releases", f"{docker_registry}/killed/release"]
    command = ["publish", built.stream, built.printed["release"]["name"], *places]
    for moment in (0.3, 0.45, 0.6, 0.75):
        stop(resumed.start(*command), signal.SIGKILL, after=moment)

    published = resumed.run(*command, "-o", "json").document()

    assert published["digest"] == built.digests["release"]
    assert resumed.processes() == []
    assert resumed.leftovers() == []
