# SPDX-License-Identifier: Apache-2.0
"""Names of releases: the stream and the moment, as the old controller makes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable


def name_release(stream: str, moment: float, *, is_taken: Callable[[str], bool]) -> str:
    """``STREAM-YYYY-MM-DD-HHMMSS`` in UTC, of the first second from ``moment`` that is free."""
    second = dt.datetime.fromtimestamp(int(moment), tz=dt.UTC)
    while True:
        name = f"{stream}-{second:%Y-%m-%d-%H%M%S}"
        if not is_taken(name):
            return name
        second += dt.timedelta(seconds=1)
