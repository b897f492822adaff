# SPDX-License-Identifier: Apache-2.0
"""Whole streams under everything that goes wrong: failures, and schedulers that are killed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest
from mortal_cluster import MortalCluster
from pretend_tekton import Script
from shipyard import Shipyard
from virtual_time import run_virtually
from workshop import actions

from okd_payload.build.freeze import FrozenPlan
from okd_payload.testing.kubernetes import JsonObject

COUNT = 189
JOBS = 16
KILLS = 50


def many(count: int, seed: int) -> dict[str, str]:
    """A stream of ``count`` components in a few waves, like that of OKD."""
    chance = random.Random(seed)
    names = [f"component-{number}" for number in range(count)]
    dockerfiles = {names[0]: "FROM scratch\nLABEL number=0\n"}
    for number in range(1, count):
        base = names[0] if number < 8 else names[chance.randrange(min(number, 40))]
        dockerfiles[names[number]] = f"FROM {base}\nLABEL number={number}\n"
    return dockerfiles


class Weather:
    """Scripts by chance: most builds end well, none fails too often."""

    ENDS = ("PodEvicted", "killed", "StepOOM", "TaskRunImagePullFailed")

    def __init__(self, seed: int, *, loses_pods: bool) -> None:
        self._chance = random.Random(seed)
        self._failures: Counter[str] = Counter()
        self._loses_pods = loses_pods

    def __call__(self, document: JsonObject) -> Script:
        chance = self._chance
        component = document["metadata"]["annotations"]["okd-payload.io/component-name"]
        end, message = "succeed", ""
        if chance.random() < 0.3 and self._failures[component] < 2:
            self._failures[component] += 1
            end, message = chance.choice(self.ENDS), "dial tcp: i/o timeout"
        elif self._loses_pods and chance.random() < 0.05:
            end = "vanish"
        return Script(
            waits=chance.uniform(0, 20),
            seconds=chance.expovariate(1 / 300),
            lines=chance.randrange(12),
            end=end,
            message=message,
        )


def check(yard: Shipyard, kept: set[str], count: int = COUNT) -> None:
    """What must hold at the end, whatever happened."""
    assert set(yard.tekton.built.values()) == {1}
    assert len(yard.tekton.built) == count
    assert (yard.task_runs, yard.pods) == ([], [])
    assert yard.tekton.most_running <= JOBS
    assert yard.tekton.faults == []
    printed = {line for lines in yard.tekton.printed.values() for line in lines}
    assert printed - kept == set()


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
