# SPDX-License-Identifier: Apache-2.0
"""Trying again: which failures may pass, how long to wait, and when to give up.

Patience is measured from the first failure since the last progress, not from the beginning: a
transfer of an hour may be cut every ten minutes as long as it gets on, while a step that only
fails ends at the deadline. Waiting goes through the ``Clock``.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

from okd_payload.clock import Clock
from okd_payload.errors import RegistryUnavailable

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
_NOTICED_DELAY = 1.0

_logger = logging.getLogger(__name__)


class Transient(RegistryUnavailable):
    """One try failed, and the next may not."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        retry_after: float | None = None,
        overload: bool = False,
        doubtful: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
        """Seconds that the host asked us to wait."""
        self.overload = overload
        """Whether the host showed that it has too much to do."""
        self.doubtful = doubtful
        """Whether the next try will probably end in the same way."""


class Patience:
    """The tries of one step: waits between them, and ends them at the deadline."""

    def __init__(self, what: str, *, clock: Clock, deadline: float) -> None:
        self._what = what
        self._clock = clock
        self._deadline = deadline
        self._failures = 0
        self._failures_in_a_row = 0
        self._began = clock.monotonic()
        self._trouble_since: float | None = None

    def note_progress(self) -> None:
        """Something got further: the deadline begins anew with the next failure."""
        self._trouble_since = None
        self._failures_in_a_row = 0

    async def endure(
        self,
        trouble: Transient,
        *,
        deadline: float | None = None,
        tell: Callable[[], None] = lambda: None,
    ) -> None:
        """Wait until the next try. Raises RegistryUnavailable when there shall be none.

        ``deadline`` may only shorten the patience that was stated at first. ``tell`` is called
        before a wait that people would notice.
        """
        now = self._clock.monotonic()
        if self._trouble_since is None:
            self._trouble_since = now
        self._failures += 1
        self._failures_in_a_row += 1
        delay = self._delay(trouble)
        limit = self._deadline if deadline is None else min(deadline, self._deadline)
        if now - self._trouble_since + delay > limit:
            raise self._exhausted(trouble, now) from trouble
        _logger.info("%s: %s; next try in %.1f s", self._what, trouble, delay)
        if delay >= _NOTICED_DELAY:
            tell()
        await self._clock.wait(delay)

    def _delay(self, trouble: Transient) -> float:
        """Exponential back-off with jitter, and never sooner than the host asked for."""
        growth = 2.0 ** min(self._failures_in_a_row - 1, 16)
        delay = min(_LONGEST_DELAY, _FIRST_DELAY * growth)
        jittered = delay * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing
        return max(jittered, trouble.retry_after or 0.0)

    def _exhausted(self, trouble: Transient, now: float) -> RegistryUnavailable:
        tries = "1 try" if self._failures == 1 else f"{self._failures} tries"
        asked = trouble.retry_after
        pause = f" and asks to wait {asked:.0f} s" if asked and asked > self._deadline else ""
        return RegistryUnavailable(
            f"{self._what}: given up after {tries} in {now - self._began:.1f} s: {trouble}{pause}",
            hint=trouble.hint or "check the network and the registry's status page, then run again",
        )
