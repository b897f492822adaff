# SPDX-License-Identifier: Apache-2.0
"""When a schedule is due: by cron in its time zone, or every so many seconds.

A time that daylight saving skips is due as soon as the clock is past it, and one that comes twice
is due once, as for cron. However many times were missed, what is due is done once.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from cronsim import CronSim

from okd_payload.controller.configuration.cron import expand_cron
from okd_payload.controller.configuration.model import Schedule


def next_time(schedule: Schedule, after: float) -> float | None:
    """The first moment after ``after`` at which ``schedule`` is due; None when there is none."""
    if not schedule.cron:
        return after + schedule.interval if schedule.interval > 0 else None
    moment = dt.datetime.fromtimestamp(after, tz=ZoneInfo(schedule.zone))
    following = next(CronSim(expand_cron(schedule.cron), moment), None)
    return following.timestamp() if following is not None else None
