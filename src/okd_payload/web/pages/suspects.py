# SPDX-License-Identifier: Apache-2.0
"""Which change may have broken a release: what changed since the last accepted one, ranked.

An image that changed and that a failed job names is suspected before one that nobody names: by
the job's name first, by its message next, then by how early its log mentions it. It is a hint
for people, and the page says so; what did not change is never suspected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from okd_payload.controller.views.release import Alteration, ImageChange

_NAMED_BY_JOB, _NAMED_BY_MESSAGE, _NAMED_BY_LOG, _UNNAMED = range(4)


class FailedRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a failed run says."""

    verification: str
    message: str = ""
    log: str = ""


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """One changed image, and why it is suspected."""

    change: ImageChange
    evidence: str = ""
    """Where a failed job names it; empty where none does."""


def rank_suspects(
    changes: Sequence[ImageChange], failed: Iterable[FailedRun]
) -> tuple[Suspect, ...]:
    """``changes``, the likeliest culprit first."""
    pattern = _pattern(changes)
    best: dict[str, tuple[int, int, str]] = {}
    if pattern is not None:
        for run in failed:
            for grade, words, where in (
                (_NAMED_BY_JOB, run.verification, f"the name of {run.verification}"),
                (_NAMED_BY_MESSAGE, run.message, f"the message of {run.verification}"),
                (_NAMED_BY_LOG, run.log, f"the log of {run.verification}"),
            ):
                for order, tag in enumerate(_mentions(pattern, words)):
                    found = grade, order, where
                    best[tag] = min(best.get(tag, found), found)
    ranked = sorted(changes, key=lambda change: _key(change, best))
    return tuple(
        Suspect(change=change, evidence=best.get(change.tag, (0, 0, ""))[2]) for change in ranked
    )


def _key(change: ImageChange, best: dict[str, tuple[int, int, str]]) -> tuple[int, int, bool, str]:
    grade, order, _ = best.get(change.tag, (_UNNAMED, 0, ""))
    return grade, order, change.alteration is Alteration.REBUILT, change.tag


def _pattern(changes: Sequence[ImageChange]) -> re.Pattern[str] | None:
    """Finds the names of changed images, none of them inside another word."""
    tags = sorted((re.escape(change.tag) for change in changes), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(tags)})(?![\w-])") if tags else None


def _mentions(pattern: re.Pattern[str], text: str) -> list[str]:
    """The names in ``text``, in the order of their first mention."""
    return list(dict.fromkeys(found[0] for found in pattern.finditer(text)))
