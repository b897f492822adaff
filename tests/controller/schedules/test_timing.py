# SPDX-License-Identifier: Apache-2.0
"""Schedules are due when people on the spot expect it, whatever their clocks do."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.controller.configuration.model import Schedule
from okd_payload.controller.schedules.timing import next_time

PRAGUE = ZoneInfo("Europe/Prague")


def moments(cron: str, start: dt.datetime, count: int, zone: str = "Europe/Prague") -> list[str]:
    """The next so many moments after ``start``, on the clock of the zone."""
    schedule = Schedule(name="s", kind="verify", cron=cron, zone=zone)
    now = start.timestamp()
    found = []
    for _ in range(count):
        due = next_time(schedule, now)
        assert due is not None
        now = due
        found.append(f"{dt.datetime.fromtimestamp(now, tz=ZoneInfo(zone)):%m-%d %H:%M%z}")
    return found


def test_a_time_that_spring_skips_is_due_once_right_after() -> None:
    """And the day after it is as always."""
    assert moments("30 2 * * *", dt.datetime(2026, 3, 28, 12, tzinfo=PRAGUE), 2) == [
        "03-29 03:00+0200",
        "03-30 02:30+0200",
    ]


def test_a_time_that_autumn_repeats_is_due_once() -> None:
    """Not in both of the hours that have its name."""
    assert moments("30 2 * * *", dt.datetime(2026, 10, 24, 12, tzinfo=PRAGUE), 2) == [
        "10-25 02:30+0200",
        "10-26 02:30+0100",
    ]


def test_the_zone_decides() -> None:
    """The same line is another moment elsewhere."""
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert moments("0 9 * * 1", start, 1, "Europe/Prague") == ["01-05 09:00+0100"]
    assert moments("0 9 * * 1", start, 1, "America/New_York") == ["01-05 09:00-0500"]


@pytest.mark.parametrize("name", ["@hourly", "@daily", "@weekly", "@monthly", "@yearly"])
def test_named_times_are_known(name: str) -> None:
    """As cron knows them."""
    assert moments(name, dt.datetime(2026, 1, 1, 0, 30, tzinfo=dt.UTC), 1, "UTC")


@given(
    st.sampled_from(["30 2 * * *", "0 * * * *", "*/15 1-4 * * *", "15 2 25 10 *"]),
    st.integers(0, 400 * 86400),
)
def test_the_next_time_is_always_later(cron: str, after: int) -> None:
    """Also within the hours that are skipped or repeated: no schedule runs in circles."""
    schedule = Schedule(name="s", kind="verify", cron=cron, zone="Europe/Prague")
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp() + after
    due = next_time(schedule, start)
    assert due is not None
    assert due > start


def test_intervals_count_from_the_last_time() -> None:
    """And without a time nothing is ever due."""
    assert next_time(Schedule(name="s", kind="verify", interval=60.0), 100.0) == 160.0
    assert next_time(Schedule(name="s", kind="verify"), 100.0) is None
