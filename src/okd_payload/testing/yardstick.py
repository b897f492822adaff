# SPDX-License-Identifier: Apache-2.0
"""What work costs in processor time, told so that a bound holds on a crowded machine, too.

A second of processor time does less where neighbours take the caches and the other half of the
core: the same work was seen to cost one to five times as much within a minute. So what seems too
dear is held against a fixed piece of work that is done right after it, and counts in seconds of a
quiet machine. It is tried some times, for a neighbour may have come in between; what is really
slow stays so. Wall time is not measured here: nothing can be learnt from it beside others.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator

_ATTEMPTS = 5
_PIECES = 10
_QUIET_SECONDS = 0.012
"""What a piece costs on the machine on which the bounds were chosen, while it does nothing else."""


class Cost:
    """Counts the processor time of what is done within ``with cost:``, once or several times."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.seconds = 0.0
        self._clock = clock

    def __enter__(self) -> None:
        self._start()

    def __exit__(self, *_: object) -> None:
        self.seconds += self._stop()

    @contextlib.contextmanager
    def deducting(self) -> Iterator[None]:
        """Take off what is done here: it would have to be done anyway."""
        self._start()
        try:
            yield
        finally:
            self.seconds -= self._stop()

    def _start(self) -> None:
        # Counting lines for coverage takes longer than the lines.
        self._counting = sys.gettrace()
        sys.settrace(None)
        self._began = self._clock()

    def _stop(self) -> float:
        spent = self._clock() - self._began
        sys.settrace(self._counting)
        return spent


def attempt_below(
    bound: float, *, clock: Callable[[], float] = time.process_time
) -> Iterator[Cost]:
    """Costs to count the same work with, until it once is below ``bound`` seconds.

    ``clock`` says how many seconds were used so far. Raises AssertionError after the last attempt.
    """
    found = []
    for _ in range(_ATTEMPTS):
        cost = Cost(clock)
        yield cost
        if cost.seconds < bound:
            return
        found.append(cost.seconds / _measure_slowness())
        if found[-1] < bound:
            return
    message = f"at best {min(found):.3g} s of a quiet machine's processor time, not {bound:g} s"
    raise AssertionError(message)


def count_children() -> float:
    """The processor time of all programs that were started and have ended, in seconds."""
    used = os.times()
    return used.children_user + used.children_system


def _measure_slowness() -> float:
    """How many times as long as on a quiet machine work takes now."""
    cost = Cost(time.process_time)
    with cost:
        for _ in range(_PIECES):
            _do_piece()
    return max(1.0, cost.seconds / _PIECES / _QUIET_SECONDS)


def _do_piece() -> int:
    """Make, hash, write, read and sort some thousand small things, as most of our code does."""
    names = [f"image-{number}" for number in range(5000)]
    rows = {hashlib.sha256(name.encode()).hexdigest(): {"name": name} for name in names}
    again = json.loads(json.dumps(rows))
    return sum(len(again[digest]["name"]) for digest in sorted(again))
