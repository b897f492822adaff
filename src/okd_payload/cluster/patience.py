# SPDX-License-Identifier: Apache-2.0
"""Asking again: which answers of a cluster may pass, how long to wait, and when to give up.

Deciding only, as values; ``Patience`` is the one that waits. A refusal is final, an overload
passes, and in between are failures of the server itself: those that it explains by something
that passes (a webhook that is away, a store without leader) are waited for, those that it
explains by the request (too large for the store) are not, and what it does not explain is tried
a few times. Patience is measured from the first failure since the last success.
"""

from __future__ import annotations

import logging
import random

import msgspec

from okd_payload.clock import Clock
from okd_payload.cluster.refusal import Refusal, read_refusal
from okd_payload.cluster.request import Answer, Request, Unreached

_FIRST_DELAY = 0.25
_LONGEST_DELAY = 20.0
_LONGEST_ASKED = 120.0
"""No server shall keep us waiting for longer by its Retry-After."""
DOUBTFUL_TRIES = 5
LASTING = 10.0
"""Seconds that a stream has to last to count as a success, though nothing came: some are quiet."""

_TOO_LARGE = ("request is too large", "trying to send message larger than max")
_PASSING = (
    "failed calling webhook",
    "failed to call webhook",
    "etcdserver: ",
    "context deadline exceeded",
    "leader changed",
    "connection refused",
    "connection reset",
    "timeout",
    "timed out",
)
_QUOTA_NOT_COUNTED = "status unknown for quota"

_logger = logging.getLogger(__name__)


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not done this time, and may be next time."""

    words: str
    retry_after: float | None = None
    doubtful: bool = False
    """Whether the next try will probably end in the same way."""
    undone: bool = False
    """Whether it is certain that the server did nothing."""


def trouble_of(outcome: Answer | Unreached, request: Request) -> Trouble | None:
    """What stands in the way for now; None when the outcome is final."""
    if isinstance(outcome, Unreached):
        words = f"no answer: {outcome.words}"
        return Trouble(words=words, undone=not outcome.sent) if outcome.mendable else None
    if outcome.status < 400:
        return None
    refusal = read_refusal(outcome)
    words = f"{outcome.status} {refusal.message}".strip()
    wait = outcome.retry_after
    if outcome.status >= 500:
        return _failure(outcome.status, refusal, words, wait)
    if outcome.status == 429 or (outcome.status == 403 and _QUOTA_NOT_COUNTED in refusal.message):
        return Trouble(words=words, retry_after=wait, undone=True)
    if outcome.status == 409 and _overtaken(refusal, request):
        return Trouble(words=words, doubtful=True, undone=True)
    return None


def _failure(status: int, refusal: Refusal, words: str, wait: float | None) -> Trouble | None:
    """What a failure of the server itself means."""
    if is_too_large(refusal):
        return None
    passing = status != 500 or any(sign in refusal.message for sign in _PASSING)
    webhook = "call webhook" in refusal.message or "calling webhook" in refusal.message
    return Trouble(words=words, retry_after=wait, doubtful=not passing, undone=webhook)


def is_too_large(refusal: Refusal) -> bool:
    """Whether the store behind the server cannot take the object, which no retry changes."""
    return any(words in refusal.message for words in _TOO_LARGE)


def _overtaken(refusal: Refusal, request: Request) -> bool:
    """Whether others were quicker, with the object or with a quota, though we named no version."""
    return (
        refusal.reason == "Conflict"
        and not refusal.field_conflicts
        and not refusal.message.startswith("Apply failed")
        and b'"resourceVersion"' not in request.body
        and b'"preconditions"' not in request.body
    )


class Patience:
    """The tries of one piece of work: waits between them, and says when it is enough."""

    def __init__(self, clock: Clock, deadline: float) -> None:
        self._clock = clock
        self._deadline = deadline
        self._since: float | None = None
        self._failures = 0
        self._doubts = 0

    @property
    def tries(self) -> int:
        """How many tries failed since the last success."""
        return self._failures

    def note_progress(self) -> None:
        """It works: the deadline begins anew with the next failure."""
        self._since = None
        self._failures = 0
        self._doubts = 0

    async def endure(self, trouble: Trouble, about: str) -> bool:
        """Wait for the next try; False, and at once, when there shall be none."""
        now = self._clock.monotonic()
        if self._since is None:
            self._since = now
        self._failures += 1
        self._doubts += trouble.doubtful
        delay = self._delay(trouble)
        if self._doubts >= DOUBTFUL_TRIES or now - self._since + delay > self._deadline:
            return False
        _logger.info("%s: %s; next try in %.1f s", about, trouble.words, delay)
        await self._clock.wait(delay)
        return True

    def _delay(self, trouble: Trouble) -> float:
        """Exponential back-off with jitter, and never sooner than the server asked for."""
        delay = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(self._failures - 1, 16))
        jittered = delay * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing
        return max(jittered, min(trouble.retry_after or 0.0, _LONGEST_ASKED))
