# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between a client and a registry, as values that a test hands to the server.

A fault waits for the requests it is meant for and happens to them ``times`` times, to every
``every``-th of them. Faults of the way out keep the answer and spoil how it travels; faults of
the way in end the request before, or while, it is understood.
"""

from __future__ import annotations

import re

import msgspec


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all faults: which requests it happens to."""

    method: str = ""
    """Empty for all methods."""
    path: str = ""
    """A regular expression searched in path and query."""
    times: int = 1
    """How often it happens; -1 for ever."""
    every: int = 1

    def fits(self, method: str, path: str) -> bool:
        """Whether this fault is meant for such a request."""
        return self.method in ("", method) and re.search(self.path, path) is not None


class Reply(Fault, frozen=True, kw_only=True):
    """Answer with this instead of doing what was asked: 429 with Retry-After, 503, a page."""

    status: int
    headers: dict[str, str] = {}
    body: bytes = b""


class Reset(Fault, frozen=True, kw_only=True):
    """Break the connection before anything is done."""


class Silence(Fault, frozen=True, kw_only=True):
    """Take the request and never say anything."""


class LoseAnswer(Fault, frozen=True, kw_only=True):
    """Do what was asked, and break the connection instead of saying so."""


class CutAnswer(Fault, frozen=True, kw_only=True):
    """Break the connection after so many bytes of the body."""

    after: int


class StallAnswer(Fault, frozen=True, kw_only=True):
    """Send so many bytes of the body, then nothing, with the connection open."""

    after: int


class SlowAnswer(Fault, frozen=True, kw_only=True):
    """Send the body in pieces with pauses between them."""

    piece: int
    pause: float


class CorruptAnswer(Fault, frozen=True, kw_only=True):
    """Change one byte of the body."""

    at: int = 0


class CutUpload(Fault, frozen=True, kw_only=True):
    """Keep so many bytes of what is sent, then break the connection."""

    after: int


class StallUpload(Fault, frozen=True, kw_only=True):
    """Take so many bytes of what is sent, then no more."""

    after: int


class Faults:
    """The faults that are still to happen."""

    def __init__(self) -> None:
        self._pending: list[_Pending] = []

    def add(self, *faults: Fault) -> None:
        """Let ``faults`` happen; where several fit a request, the first added comes first."""
        self._pending += [_Pending(fault) for fault in faults]

    def clear(self) -> None:
        """From now on nothing goes wrong."""
        self._pending.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that happens to this request, if any."""
        for pending in self._pending:
            if pending.left and pending.fault.fits(method, path):
                pending.seen += 1
                if pending.seen % pending.fault.every == 0:
                    pending.left -= 1
                    return pending.fault
        return None


class _Pending:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.left = fault.times
        self.seen = 0
