# SPDX-License-Identifier: Apache-2.0
"""How much processor time commands take before they do anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from real_program import Program

from okd_payload.testing.yardstick import attempt_below, count_children

pytestmark = pytest.mark.integration


def must_cost_less(bound: float, program: Program, *arguments: str | Path) -> None:
    """The program ends well, and once in some runs within ``bound`` seconds."""
    for cost in attempt_below(bound, clock=count_children):
        with cost:
            ended = program.run(*arguments)
        assert ended.code == 0


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_what_the_program_is_is_told_at_once(program, option) -> None:
    """Its version, and its help that names every command, take less than 0.15 seconds."""
    must_cost_less(0.15, program, option)


def test_a_plan_of_what_is_there_is_quick(built) -> None:
    """Planning what is built takes half a second."""
    must_cost_less(0.5, built.program, "plan", built.stream)


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
