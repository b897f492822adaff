# SPDX-License-Identifier: Apache-2.0
"""The page of a stream tells what it does again and again, and that it failed."""

from __future__ import annotations

import msgspec
from past import MAIN

from okd_payload.controller.configuration.model import Schedule
from okd_payload.controller.records import schedules
from okd_payload.controller.records.schedules import ScheduleRun, ScheduleState
from okd_payload.web.pages.schedules import show_schedules

NIGHTLY = Schedule(
    name="nightly", kind="build", cron="0 2 * * *", zone="Europe/Prague", stream_file="okd.yaml"
)
SPRINT = Schedule(name="sprint", kind="promote", interval=3600.0, promote_to="4-stable")


async def test_a_build_that_failed_is_told_on_the_page_of_its_stream(client, rig) -> None:
    """With why, when it was, and when it is tried again; markup in it stays text."""
    rig.streams[MAIN] = msgspec.structs.replace(rig.streams[MAIN], schedules=(NIGHTLY, SPRINT))
    now = rig.clock.now()
    failed = ScheduleRun(
        stream=MAIN,
        schedule="nightly",
        since=now - 600,
        started=now - 600,
        ended=now - 60,
        state=ScheduleState.FAILED,
        identity="nightly-1",
        message="the build failed with code 1: error: <b>etcd</b> is not there",
    )
    await rig.database.write(lambda unit: schedules.write(unit, failed, time=now))
    page = (await client.get(f"/releasestream/{MAIN}")).text
    told = page.split('id="schedules"')[1].split("</section>")[0]
    assert "builds okd.yaml" in told
    assert "0 2 * * * Europe/Prague" in told
    assert "&lt;b&gt;etcd&lt;/b&gt; is not there" in told
    assert "Failed" in told
    assert "promotes into 4-stable" in told
    assert "every 1h" in told
    assert "never yet" in told


def test_what_runs_is_not_due(rig) -> None:
    """And what nobody has looked at yet has no time; runs of others are theirs."""
    rig.streams[MAIN] = msgspec.structs.replace(rig.streams[MAIN], schedules=(NIGHTLY, SPRINT))
    running = ScheduleRun(
        stream=MAIN, schedule="sprint", since=5.0, started=5.0, state=ScheduleState.RUNNING
    )
    idle = ScheduleRun(stream=MAIN, schedule="sprint", since=5.0)
    other = ScheduleRun(stream="another", schedule="nightly", since=5.0)

    def due(*runs: ScheduleRun) -> list[float | None]:
        return [each.due for each in show_schedules(rig.streams[MAIN], runs)]

    assert due(running, other) == [None, None]
    assert due(idle) == [None, 3605.0]
