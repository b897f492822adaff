# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between a client and an API server, as values that a test hands to it.

A fault waits for the requests that it is meant for and happens to them ``times`` times, to every
``every``-th of them. ``Faults.scatter`` lets faults happen by chance: which ones is decided by a
seed and the order of requests, and there is an end to them, so that whoever tries again long
enough comes through.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import msgspec

from okd_payload.testing.kubernetes import statuses
from okd_payload.testing.kubernetes.statuses import Details, Refusal


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all faults: which requests it happens to."""

    method: str = ""
    """Empty for all methods; several stand with ``|`` between them."""
    path: str = ""
    """A regular expression searched in path and query."""
    times: int = 1
    """How often it happens; -1 for ever."""
    every: int = 1

    def fits(self, method: str, path: str) -> bool:
        """Whether this fault is meant for such a request."""
        if self.method and method not in self.method.split("|"):
            return False
        return re.search(self.path, path) is not None


class Refuse(Fault, frozen=True, kw_only=True):
    """Answer with a failure instead of doing what was asked."""

    code: int
    reason: str = ""
    message: str = "the server is broken"
    details: Details | None = None

    def refusal(self) -> Refusal:
        """The answer."""
        return Refusal(self.code, self.reason, self.message, details=self.details)


class Proxy(Fault, frozen=True, kw_only=True):
    """Answer as a load balancer that cannot reach the server does: a page, no ``Status``."""

    code: int = 502
    page: str = "<html><body><h1>502 Bad Gateway</h1></body></html>"


class Reset(Fault, frozen=True, kw_only=True):
    """Break the connection before anything is done."""


class LoseAnswer(Fault, frozen=True, kw_only=True):
    """Do what was asked, and break the connection instead of saying so."""


class Slow(Fault, frozen=True, kw_only=True):
    """Let ``seconds`` pass before anything is done."""

    seconds: float


class CutStream(Fault, frozen=True, kw_only=True):
    """Break a watch or a log off after so many bytes, in the middle of a line if it falls so."""

    after: int


class EndStream(Fault, frozen=True, kw_only=True):
    """End a watch or a log as if it were over, after the line with the ``after``-th byte."""

    after: int


class Compact(Fault, frozen=True, kw_only=True):
    """Forget the history first: whoever watches or pages from before gets a 410."""


def overloaded(
    *, seconds: int = 1, method: str = "", path: str = "", times: int = 1, every: int = 1
) -> Refuse:
    """429 with ``Retry-After``."""
    refusal = statuses.too_many_requests(seconds)
    return Refuse(
        code=refusal.code,
        reason=refusal.reason,
        message=refusal.message,
        details=refusal.details,
        method=method,
        path=path,
        times=times,
        every=every,
    )


def broken(
    code: int = 503, *, method: str = "", path: str = "", times: int = 1, every: int = 1
) -> Refuse:
    """A failure of the server itself."""
    reasons = {500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}
    return Refuse(
        code=code,
        reason=reasons.get(code, ""),
        message="the server is currently unable to handle the request",
        method=method,
        path=path,
        times=times,
        every=every,
    )


_UNREACHABLE = (
    'Post "https://tekton-pipelines-webhook.tekton-pipelines.svc:443/defaulting?timeout=10s": '
    "dial tcp 192.0.2.1:443: connect: connection refused"
)


def webhook_down(
    webhook: str = "webhook.pipeline.tekton.dev",
    *,
    why: str = _UNREACHABLE,
    method: str = "POST",
    path: str = "",
    times: int = 1,
) -> Refuse:
    """An admission webhook that cannot be reached."""
    refusal = statuses.webhook_unreachable(webhook, why)
    return Refuse(
        code=refusal.code,
        reason=refusal.reason,
        message=refusal.message,
        details=refusal.details,
        method=method,
        path=path,
        times=times,
    )


def lost_race(*, method: str = "PUT|PATCH", path: str = "", times: int = 1) -> Refuse:
    """A write that comes too late: somebody changed the object meanwhile."""
    return Refuse(
        code=409,
        reason="Conflict",
        message="Operation cannot be fulfilled: the object has been modified; please apply your "
        "changes to the latest version and try again",
        method=method,
        path=path,
        times=times,
    )


class Faults:
    """The faults that are still to happen."""

    def __init__(self) -> None:
        self._pending: list[_Pending] = []
        self._scattered: _Scattered | None = None
        self.happened: list[tuple[str, Fault]] = []
        """What went wrong so far: method and path, and the fault."""

    def add(self, *faults: Fault) -> None:
        """Let ``faults`` happen; where several fit a request, the first added comes first."""
        self._pending += [_Pending(fault) for fault in faults]

    def scatter(self, *, seed: int, chance: float, most: int, faults: Sequence[Fault] = ()) -> None:
        """Let one of ``faults`` happen to each request with ``chance``, ``most`` times in all.

        Without ``faults`` it is everything that a client must get over. ``times`` and ``every``
        of the faults do not count here.
        """
        self._scattered = _Scattered(seed, chance, most, faults=tuple(faults) or _EVERYTHING)

    def clear(self) -> None:
        """From now on nothing goes wrong."""
        self._pending.clear()
        self._scattered = None

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that happens to this request, if any."""
        fault = self._take(method, path)
        if fault is not None:
            self.happened.append((f"{method} {path}", fault))
        return fault

    def _take(self, method: str, path: str) -> Fault | None:
        for pending in self._pending:
            if pending.left and pending.fault.fits(method, path):
                pending.seen += 1
                if pending.seen % pending.fault.every == 0:
                    pending.left -= 1
                    return pending.fault
        return self._scattered.take(method, path) if self._scattered else None


_EVERYTHING: tuple[Fault, ...] = (
    overloaded(seconds=1),
    broken(500),
    broken(503),
    Proxy(),
    Reset(),
    LoseAnswer(),
    CutStream(after=0, path="watch=|follow="),
    CutStream(after=700, path="watch=|follow="),
    EndStream(after=1, path="watch="),
    Compact(path="watch=|continue="),
)


class _Pending:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.left = fault.times
        self.seen = 0


class _Scattered:
    """Faults by chance."""

    def __init__(self, seed: int, chance: float, most: int, *, faults: tuple[Fault, ...]) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the same faults for the same seed
        self._chance = chance
        self._left = most
        self._faults = faults

    def take(self, method: str, path: str) -> Fault | None:
        if not self._left or self._random.random() >= self._chance:
            return None
        fitting = [fault for fault in self._faults if fault.fits(method, path)]
        if not fitting:
            return None
        self._left -= 1
        return self._random.choice(fitting)
