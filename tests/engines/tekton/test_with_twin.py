# SPDX-License-Identifier: Apache-2.0
"""The engine and the twin of Tekton's own controllers, which imitate the recordings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from shipyard import Shipyard
from virtual_time import VirtualClock, run_virtually
from weather import JOBS, many
from workshop import actions, record

from okd_payload.build.images import StreamImages
from okd_payload.build.records import Action
from okd_payload.engines.pod import outcome
from okd_payload.engines.pod.building import build_step, key_of_step
from okd_payload.engines.pod.step_document import decode_step
from okd_payload.testing.tekton.admission.plugin import add_tekton
from okd_payload.testing.tekton.controllers.node import Node
from okd_payload.testing.tekton.controllers.outcomes import (
    Attempt,
    Chance,
    Decide,
    Fault,
    Outcome,
    StepOutcome,
    suffers,
)
from okd_payload.testing.tekton.controllers.task_runs import TaskRuns

COMPONENT = "okd-payload.io/component"


class TwinYard(Shipyard):
    """A shipyard with the twin in place of our own controller."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, VirtualClock())
        self.built: list[str] = []
        """The build key of every image that a pod built, in order."""
        add_tekton(self.simulated)
        self.node = Node()
        self.tekton_controller = TaskRuns()

    def decide(self, decide: Decide) -> None:
        """Let pods go like this."""
        self.node = Node(decide)
        self.simulated.controllers[:] = [self.tekton_controller, self.node]

    async def work(self, attempt: Attempt) -> Sequence[StepOutcome]:
        """Really build, as ``step build`` does."""
        (parameter,) = attempt.task_run["spec"]["params"]
        step = decode_step(parameter["value"])
        attempt.print("build", f"building in {attempt.pod}\n")
        await asyncio.sleep(30)
        images = StreamImages(self.workshop.content, step.platform)
        built = await build_step(
            step, engine=self.workshop.engine, images=images, log=self.path / "pods.log"
        )
        key = key_of_step(step)
        if not built.reused:
            self.built.append(key)
        return [
            StepOutcome(
                seconds=0,
                results={
                    outcome.DIGEST_RESULT: built.digest,
                    outcome.KEY_RESULT: key,
                    outcome.FORMAT_RESULT: self.workshop.engine.format_version,
                },
            )
        ]


def build(yard: TwinYard, dockerfiles: dict[str, str]) -> Any:
    """Build these components; the outcome."""

    async def work() -> Any:
        async with yard.cluster:
            ended = await yard.build(await yard.freeze(yard.catalog(dockerfiles)))
            await asyncio.sleep(60)  # pods that were deleted have time to stop
            return ended

    return run_virtually(work())


@pytest.mark.parametrize(
    ("fault", "action"),
    [
        (Fault.EVICTED, Action.BUILT),
        (Fault.DELETED, Action.BUILT),
        (Fault.FORCE_DELETED, Action.BUILT),
        (Fault.NODE_LOST, Action.BUILT),
        (Fault.IMAGE_PULL, Action.FAILED),
        (Fault.CONFIG_ERROR, Action.FAILED),
        (Fault.UNSCHEDULABLE, Action.FAILED),
        (Fault.STUCK, Action.FAILED),
    ],
)
def test_each_fault_of_a_pod_once(tmp_path: Path, fault: Fault, action: Action):
    """What passes is got over by another pod; what does not ends the build and leaves nothing."""
    yard = TwinYard(tmp_path)
    suffered: list[str] = []

    def decide(attempt: Attempt) -> Outcome:
        lasts = action is Action.FAILED
        if lasts or not suffered:
            suffered.append(attempt.name)
            return suffers(fault, after=5.0)
        return Outcome(work=yard.work)

    yard.decide(decide)
    built = build(yard, {"base": "FROM scratch\nLABEL base=1\n"})
    assert record(built, "base").action is action
    assert (yard.task_runs, yard.pods) == ([], [])


def test_a_stream_in_bad_weather(tmp_path: Path):
    """Faults by chance in a stream of 60: each image is built once, and nothing is left."""
    yard = TwinYard(tmp_path)
    yard.change(jobs=JOBS)
    faults = {
        Fault.EVICTED: 0.05,
        Fault.DELETED: 0.05,
        Fault.FORCE_DELETED: 0.05,
        Fault.NODE_LOST: 0.02,
    }
    yard.decide(Chance(seed=5, seconds=(1, 600), faults=faults, out_of_memory=0.05, work=yard.work))
    built = build(yard, many(60, 5))
    assert set(actions(built).values()) == {"built"}
    assert len(yard.built) == len(set(yard.built)) == 60
    assert yard.node.most_running <= JOBS
    assert (yard.task_runs, yard.pods) == ([], [])
