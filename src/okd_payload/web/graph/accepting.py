# SPDX-License-Identifier: Apache-2.0
"""Whether a client takes JSON, by its ``Accept`` header (RFC 9110)."""

from __future__ import annotations

_VERSIONED = "application/vnd.redhat.cincinnati.v1+json"
_RANGES = ("application/json", "application/*", "*/*")
"""What names JSON: the first of them that a client names decides."""


def takes_json(header: str | None) -> bool:
    """Whether ``header`` allows JSON; a client that says nothing takes everything."""
    if header is None or not header.strip():
        return True
    weights = dict(_read(part) for part in header.split(","))
    named = next((weights[each] for each in _RANGES if each in weights), 0.0)
    return max(named, weights.get(_VERSIONED, 0.0)) > 0


def _read(part: str) -> tuple[str, float]:
    """A range of media types, and how much it is wanted."""
    media_type, *parameters = (piece.strip() for piece in part.lower().split(";"))
    for text in parameters:
        if text.startswith("q="):
            return media_type, _weight(text.removeprefix("q="))
    return media_type, 1.0


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0
