# SPDX-License-Identifier: Apache-2.0
"""Spans of time as Go programs write them (``72h``, ``1h30m``), and days besides."""

from __future__ import annotations

import re

PATTERN = r"(?:[0-9]+(?:\.[0-9]+)?(?:d|h|m|s|ms))+|0"
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|d|h|m|s)")
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def parse_duration(text: str) -> float:
    """``text`` in seconds. Raises ValueError."""
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"{text!r} is no duration: write it as 72h or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def format_duration(seconds: float) -> str:
    """``seconds`` as people read it, in its two greatest units."""
    left = round(seconds)
    words = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            words.append(f"{count}{unit}")
    return " ".join(words[:2]) or "0s"
