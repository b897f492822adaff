# SPDX-License-Identifier: Apache-2.0
"""Bounds for the cost of work, held on a crowded machine."""

from __future__ import annotations

import sys
import time

import pytest

from okd_payload.testing.yardstick import attempt_below


class PretendClock:
    """Says how much was used, as the test says."""

    used = 0.0

    def __call__(self) -> float:
        return self.used


def test_what_is_below_its_bound_is_done_once() -> None:
    """Work that is cheap enough is not done again, and nothing else is measured."""
    clock, done = PretendClock(), []
    for cost in attempt_below(1.0, clock=clock):
        with cost:
            clock.used += 0.4
        with cost:
            clock.used += 0.5
        done.append(cost.seconds)
    assert done == [0.9]


def test_a_crowded_machine_is_given_another_chance() -> None:
    """One attempt below the bound is enough."""
    clock, costs = PretendClock(), iter([5000.0, 4000.0, 0.5, 0.1])
    for cost in attempt_below(1.0, clock=clock):
        with cost:
            clock.used += next(costs)
    assert next(costs) == 0.1


def test_what_is_really_dear_fails() -> None:
    """The least of all attempts is told, as a quiet machine would have it."""
    clock, done = PretendClock(), 0
    with pytest.raises(AssertionError, match=r"at best \S+ s .* not 1 s"):
        for cost in attempt_below(1.0, clock=clock):
            done += 1
            with cost:
                clock.used += 4000.0
    assert done == 5


def test_what_would_be_done_anyway_is_taken_off() -> None:
    """Work that costs a second more than other work costs a second."""
    clock, found = PretendClock(), []
    for cost in attempt_below(1.5, clock=clock):
        with cost:
            clock.used += 7
        with cost.deducting():
            clock.used += 6
        found.append(cost.seconds)
    assert found == [1.0]


def test_lines_are_not_counted_meanwhile() -> None:
    """Coverage rests while costs are counted, and goes on afterwards."""
    before, meanwhile = sys.gettrace(), []
    for cost in attempt_below(60.0, clock=time.process_time):
        with cost:
            meanwhile.append(sys.gettrace())
    assert meanwhile == [None]
    assert sys.gettrace() is before
