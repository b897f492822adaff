# SPDX-License-Identifier: Apache-2.0
"""Spans of time as Go programs write them (``72h``, ``1h30m``), and days besides."""

from __future__ import annotations

import re

PATTERN = r"(?:[0-9]+(?:\.[0-9]+)?(?:d|h|m|s|ms))+|0"
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|d|h|m|s)")
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3}
_SECONDS |= {"us": 1e-6, "\N{MICRO SIGN}s": 1e-6, "\N{GREEK SMALL LETTER MU}s": 1e-6, "ns": 1e-9}
LONGEST = 36525 * 86400.0
"""A century."""
_LONGEST_OF_GO = (2**63 - 1) / 1e9
_NUMBER_OF_GO = r"([0-9]+\.?[0-9]*|\.[0-9]+)"
_UNIT_OF_GO = "(ns|us|\N{MICRO SIGN}s|\N{GREEK SMALL LETTER MU}s|ms|s|m|h)"
_PART_OF_GO = re.compile(_NUMBER_OF_GO + _UNIT_OF_GO)
_OF_GO = re.compile(f"[-+]?(?:{_NUMBER_OF_GO}{_UNIT_OF_GO})+")


def parse_duration(text: str) -> float:
    """``text`` in seconds, a century at most: no calendar has what is later. Raises ValueError."""
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"{text!r} is no duration: write it as 72h or 1h30m")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    return min(seconds, LONGEST)


def parse_go_duration(text: str) -> float:
    """``text``, as Go programs read it, in seconds. Raises ValueError.

    There are no days; there are parts of a millisecond, signs, and points without digits on one
    of their sides.
    """
    if text.lstrip("+-") == "0" and len(text) < 3:
        return 0.0
    if not _OF_GO.fullmatch(text):
        raise ValueError(f"{text!r} is no duration: write it as 72h or 1h30m")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART_OF_GO.findall(text))
    if seconds and text.startswith("-"):
        raise ValueError(f"{text!r} lies in the past")
    if seconds > _LONGEST_OF_GO:
        raise ValueError(f"{text!r} is longer than any duration")
    return seconds


def format_duration(seconds: float) -> str:
    """``seconds`` as people read it, in its two greatest units."""
    left = round(seconds)
    words = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            words.append(f"{count}{unit}")
    return " ".join(words[:2]) or "0s"
