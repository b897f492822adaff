# SPDX-License-Identifier: Apache-2.0
"""Which of two versions of a module is older, by the rules of semantic versions."""

from __future__ import annotations

import re

_VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


def is_older(version: str, other: str) -> bool:
    """Whether ``version`` comes before ``other``; False when one of them is no version."""
    one, two = _VERSION.fullmatch(version), _VERSION.fullmatch(other)
    return bool(one and two and _order(one) < _order(two))


def _order(version: re.Match[str]) -> tuple[object, ...]:
    numbers = tuple(int(version[group]) for group in (1, 2, 3))
    # A release comes after all that lead up to it, and numbers before words.
    words = tuple(
        (0, int(word), "") if word.isdigit() else (1, 0, word)
        for word in (version[4] or "").split(".")
        if word
    )
    return (*numbers, not version[4], words)
