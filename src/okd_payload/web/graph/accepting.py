# SPDX-License-Identifier: Apache-2.0
"""Whether a client takes JSON, by its ``Accept`` header (RFC 9110)."""

from __future__ import annotations

_TAKEN = ("application/json", "application/vnd.redhat.cincinnati.v1+json", "application/*", "*/*")


def takes_json(header: str | None) -> bool:
    """Whether ``header`` allows JSON; a client that says nothing takes everything."""
    if header is None or not header.strip():
        return True
    return any(_allows(part) for part in header.split(","))


def _allows(part: str) -> bool:
    media_type, *parameters = (piece.strip() for piece in part.split(";"))
    if media_type.lower() not in _TAKEN:
        return False
    weights = [text.partition("=")[2] for text in parameters if text.lower().startswith("q=")]
    return not any(_is_zero(weight) for weight in weights)


def _is_zero(weight: str) -> bool:
    try:
        return float(weight) <= 0
    except ValueError:
        return False
