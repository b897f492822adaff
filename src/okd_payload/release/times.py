# SPDX-License-Identifier: Apache-2.0
"""Moments as images and releases write them: RFC 3339, in UTC, whole seconds in what we write."""

from __future__ import annotations

from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time(text: str) -> datetime | None:
    """The moment that ``text`` means, None when it means none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def from_seconds(seconds: int) -> datetime:
    """The moment ``seconds`` after the epoch."""
    return datetime.fromtimestamp(seconds, UTC)


def format_time(moment: datetime) -> str:
    """``moment`` as in 2026-01-02T03:04:05Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
