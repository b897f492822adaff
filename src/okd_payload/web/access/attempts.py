# SPDX-License-Identifier: Apache-2.0
"""How often an address has failed to log in: who tries too often is refused unheard.

Kept in memory and bounded: an instance that is started again forgives, and nobody fills it.
"""

from __future__ import annotations

from collections import OrderedDict

from okd_payload.clock import Clock

WINDOW = 60.0
_ADDRESSES = 4096


class Attempts:
    """Failures by address within the last minute."""

    def __init__(self, clock: Clock, *, limit: int) -> None:
        self._clock = clock
        self._limit = limit
        self._failed: OrderedDict[str, list[float]] = OrderedDict()

    def wait_of(self, address: str) -> float:
        """Seconds until ``address`` is heard again; 0 while it is."""
        failed = self._recent(address)
        if len(failed) < self._limit:
            return 0.0
        return max(1.0, failed[-self._limit] + WINDOW - self._clock.monotonic())

    def note_failure(self, address: str) -> None:
        """Remember one more failure."""
        self._failed[address] = [*self._recent(address), self._clock.monotonic()][-self._limit :]
        self._failed.move_to_end(address)
        while len(self._failed) > _ADDRESSES:
            self._failed.popitem(last=False)

    def _recent(self, address: str) -> list[float]:
        since = self._clock.monotonic() - WINDOW
        return [moment for moment in self._failed.get(address, ()) if moment > since]
