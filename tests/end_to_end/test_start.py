# SPDX-License-Identifier: Apache-2.0
"""How much processor time commands take before they do anything."""

from __future__ import annotations

import subprocess
import sys

import pytest
from real_program import Program, cpu_of_children

pytestmark = pytest.mark.integration

RUNS = 5


@pytest.fixture(scope="module")
def nothing() -> float:
    """What this machine takes to start a bare interpreter, in seconds."""

    def start() -> float:
        before = cpu_of_children()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        return cpu_of_children() - before

    return min(start() for _ in range(RUNS))


def least(program: Program, *arguments) -> float:
    """The least processor time of some runs: what the work takes, without the neighbours'."""
    ended = [program.run(*arguments) for _ in range(RUNS)]
    assert {end.code for end in ended} == {0}
    return min(end.cpu for end in ended)


def test_the_version_is_told_at_once(program, nothing) -> None:
    """``--version`` takes less than 0.15 seconds, or on a slow machine as many bare starts."""
    assert least(program, "--version") < max(0.15, 12 * nothing)


def test_help_is_shown_at_once(program, nothing) -> None:
    """``--help``, which names every command, is as quick."""
    assert least(program, "--help") < max(0.15, 12 * nothing)


def test_a_plan_of_what_is_there_is_quick(built, nothing) -> None:
    """Planning what is built takes half a second, or on a busy machine sixty bare starts."""
    assert least(built.program, "plan", built.stream) < max(0.5, 60 * nothing)


@pytest.mark.parametrize("command", ["plan", "build"])
def test_what_is_not_needed_is_not_loaded(built, command) -> None:
    """Without images of elsewhere, a report or a terminal nothing of them is imported."""
    ended = built.program.run(command, built.stream, PYTHONPROFILEIMPORTTIME="1")

    loaded = {line.rpartition("|")[2].strip() for line in ended.err.splitlines()}
    assert "okd_payload.build.planner" in loaded
    assert loaded & {"aiohttp", "jinja2", "rich"} == set()


def test_every_command_has_help(program) -> None:
    """All commands are listed, and the help of each fits a terminal."""
    shown = program.run("--help").out
    names = [line.split()[0] for line in shown.partition("Commands:\n")[2].splitlines()]
    assert {"plan", "build", "release", "publish", "doctor"} <= set(names)
    for name in names:
        ended = program.run(name, "--help")
        assert ended.code == 0
        assert max(len(line) for line in ended.out.splitlines()) <= 100
