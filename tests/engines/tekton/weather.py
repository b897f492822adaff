# SPDX-License-Identifier: Apache-2.0
"""Large streams, builds that go wrong by chance, and what must hold whatever happened."""

from __future__ import annotations

import random
from collections import Counter

from pretend_tekton import Script
from shipyard import Shipyard

from okd_payload.testing.kubernetes import JsonObject

COUNT = 189
JOBS = 16


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
