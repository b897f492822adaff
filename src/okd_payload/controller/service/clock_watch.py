# SPDX-License-Identifier: Apache-2.0
"""Noticing that the clock was set: by a counter that nobody sets.

Nothing waits for a clock that is wrong, and nothing is lost by one: releases keep their order,
leases that seem to last too long are over. But ages, schedules and times in phases go by it, so
whoever looks at them is told.
"""

from __future__ import annotations

import logging

from okd_payload.clock import Clock
from okd_payload.controller.configuration.durations import format_duration

_log = logging.getLogger(__name__)

LEAST_SECONDS = 10.0
"""What is less is the work of whoever keeps the clock right."""
TOLD_SECONDS = 6 * 3600.0


class ClockWatch:
    """Compares the clock with the counter each time it is told to look."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._difference = clock.now() - clock.monotonic()
        self._noticed = 0.0
        self._words = ""
        self.jumps = 0
        """How often the clock was set since this began."""

    @property
    def words(self) -> str:
        """How the clock was set last; empty when that is some hours ago."""
        is_news = self._clock.monotonic() - self._noticed < TOLD_SECONDS
        return self._words if is_news else ""

    def look(self) -> None:
        """Notice whether the clock was set since the last look."""
        difference = self._clock.now() - self._clock.monotonic()
        jump, self._difference = difference - self._difference, difference
        if abs(jump) < LEAST_SECONDS:
            return
        self.jumps += 1
        self._noticed = self._clock.monotonic()
        way = "on" if jump > 0 else "back"
        self._words = f"the clock was set {way} by {format_duration(float(round(abs(jump))))}"
        _log.warning("%s: ages, schedules and time-outs go by it", self._words)
