# SPDX-License-Identifier: Apache-2.0
"""What to do for one build key: follow an attempt that is there, or make the next.

An attempt that succeeded while nobody looked is as good as one that runs. One that was judged,
or is about to end, is not; and builds that ran out of memory before get more the next time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from okd_payload.engines.pod import labels
from okd_payload.engines.pod.attempt_names import attempt_of
from okd_payload.engines.pod.causes import Reaction

ENLARGED = labels.PREFIX + "enlarged"
"""An annotation: how often builds of this key ran out of memory before."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt at an image that a cluster knows."""

    name: str
    is_over: bool
    is_ending: bool
    """Whether somebody has cancelled or deleted it, and it is not over yet."""
    is_deleted: bool
    reaction: Reaction
    """To the state that it is in."""
    annotations: Mapping[str, str] = {}


class Follow(msgspec.Struct, frozen=True):
    """There is one for it: see how it goes, or went."""

    name: str


class Make(msgspec.Struct, frozen=True):
    """There is none: make the next."""

    attempt: int
    enlarged: int = 0


def choose(present: Iterable[Attempt], *, spent: Collection[str], afresh: bool) -> Follow | Make:
    """What to do for one build key, of which the attempts ``present`` are known.

    Those in ``spent`` were judged already. With ``afresh``, only what still runs is followed.
    """
    attempts = sorted(present, key=lambda it: attempt_of(it.name))
    for attempt in reversed(attempts):
        if attempt.name in spent or attempt.is_deleted:
            continue
        if attempt.is_over:
            if afresh or attempt.reaction is not Reaction.TAKE:
                continue
        elif attempt.is_ending:
            continue
        return Follow(attempt.name)
    if not attempts:
        return Make(1)
    newest = attempts[-1]
    before = newest.annotations.get(ENLARGED, "")
    enlarged = int(before) if before.isdecimal() else 0
    if newest.is_over and newest.reaction is Reaction.ENLARGE:
        enlarged += 1
    return Make(attempt_of(newest.name) + 1, enlarged)
