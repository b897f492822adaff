# SPDX-License-Identifier: Apache-2.0
"""Whole streams under everything that goes wrong: failures, and schedulers that are killed."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from mortal_cluster import MortalCluster
from shipyard import Shipyard
from virtual_time import run_virtually
from weather import COUNT, JOBS, Weather, check, many
from workshop import actions

from okd_payload.build.freeze import FrozenPlan

KILLS = 50


def test_189_components_with_failures(tmp_path: Path):
    """Random durations, evictions, lost pods, full memory: every image is built, once."""
    yard = Shipyard(tmp_path)
    yard.change(jobs=JOBS)
    yard.tekton.script = Weather(1, loses_pods=True)

    async def work() -> None:
        async with yard.cluster:
            frozen = await yard.freeze(yard.catalog(many(COUNT, 1)))
            outcome = await yard.build(frozen)
        assert [it.reason for it in outcome.record.components if it.action.value == "failed"] == []
        assert set(actions(outcome).values()) == {"built"}

    run_virtually(work())
    check(yard, yard.kept_lines)


@pytest.mark.parametrize(
    ("count", "kills", "seed"),
    [(20, 8, 3), pytest.param(COUNT, KILLS, 1, marks=pytest.mark.slow)],
)
def test_a_scheduler_that_is_killed_again_and_again(
    tmp_path: Path, count: int, kills: int, seed: int
):
    """Killed at fifty random moments and started again, it ends as if nothing had been."""
    yard = Shipyard(tmp_path)
    yard.change(jobs=JOBS)
    yard.tekton.script = Weather(seed, loses_pods=False)
    chance = random.Random(seed)
    kept: set[str] = set()

    async def live(frozen: FrozenPlan, seconds: float) -> None:
        cluster = MortalCluster(yard.cluster)
        building = asyncio.create_task(yard.build(frozen, cluster=cluster))
        await asyncio.wait([building], timeout=seconds)
        cluster.kill()
        building.cancel()
        await asyncio.wait([building])
        await asyncio.sleep(chance.uniform(0, 100))

    async def work() -> None:
        async with yard.cluster:
            frozen = await yard.freeze(yard.catalog(many(count, seed)))
            for _ in range(kills):
                await live(frozen, chance.expovariate(1 / 60))
                kept.update(yard.kept_lines)
            outcome = await yard.build(frozen)
            kept.update(yard.kept_lines)
        assert set(actions(outcome).values()) <= {"built", "reused"}
        assert outcome.is_complete

    run_virtually(work())
    check(yard, kept, count)
