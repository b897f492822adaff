# SPDX-License-Identifier: Apache-2.0
"""What a stream does again and again, as its page tells it: when, and how it went last."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from okd_payload.controller.configuration.durations import format_duration
from okd_payload.controller.configuration.model import Schedule, StreamConfiguration
from okd_payload.controller.records.schedules import ScheduleRun, ScheduleState
from okd_payload.controller.schedules.timing import next_time

_KINDS = {"build": "builds", "verify": "verifies", "promote": "promotes into"}


class ShownSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """One schedule of a stream."""

    name: str
    does: str
    """What it does, for people."""
    at: str
    """When, for people."""
    builds: bool
    due: float | None = None
    """When it is due next; None while it runs, or before the controller has seen it."""
    last: ScheduleRun | None = None


def show_schedules(
    configuration: StreamConfiguration, runs: Iterable[ScheduleRun]
) -> list[ShownSchedule]:
    """The schedules of a stream, whose last runs are among ``runs``."""
    last = {run.schedule: run for run in runs if run.stream == configuration.name}
    return [_show(each, last.get(each.name)) for each in configuration.schedules]


def _show(schedule: Schedule, last: ScheduleRun | None) -> ShownSchedule:
    target = schedule.stream_file or schedule.promote_to or "the newest accepted release"
    due = None
    if last is not None and last.state is not ScheduleState.RUNNING:
        due = next_time(schedule, last.since)
    return ShownSchedule(
        name=schedule.name,
        does=f"{_KINDS.get(schedule.kind, schedule.kind)} {target}",
        at=f"{schedule.cron} {schedule.zone}"
        if schedule.cron
        else f"every {format_duration(schedule.interval)}",
        builds=schedule.kind == "build",
        due=due,
        last=last,
    )
