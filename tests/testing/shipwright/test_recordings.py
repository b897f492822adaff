# SPDX-License-Identifier: Apache-2.0
"""Simulated Shipwright against the real one: the same words about the same manifests."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from okd_payload.cluster import kinds
from okd_payload.testing.event_clock import EventClock
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.shipwright import BuildRuns, Builds, add_shipwright
from okd_payload.testing.tekton.admission.plugin import add_tekton
from okd_payload.testing.tekton.controllers.node import Node
from okd_payload.testing.tekton.controllers.outcomes import (
    Attempt,
    Fault,
    Outcome,
    StepOutcome,
    fails,
    succeeds,
    suffers,
)
from okd_payload.testing.tekton.controllers.task_runs import TaskRuns

_DIGEST = f"sha256:{'a' * 64}"
_KINDS = {
    "BuildStrategy": kinds.BUILD_STRATEGY,
    "Build": kinds.SHIPWRIGHT_BUILD,
    "BuildRun": kinds.SHIPWRIGHT_BUILD_RUN,
}
_SCENARIOS = (
    "sw-both-name-and-spec",
    "sw-build-and-run-at-once",
    "sw-build-missing",
    "sw-cancel",
    "sw-embedded-build",
    "sw-failure",
    "sw-failure-with-reason",
    "sw-generate-service-account",
    "sw-image-pull-failure",
    "sw-output-secret-missing",
    "sw-param-reserved",
    "sw-param-undefined",
    "sw-param-undefined-in-run",
    "sw-param-values",
    "sw-param-wrong-type",
    "sw-serviceaccount-missing",
    "sw-strategy-kind-bad",
    "sw-strategy-missing",
    "sw-success",
    "sw-timeout",
)


def _decide(attempt: Attempt) -> Outcome:
    """What the scripts of the recorded strategies do."""
    values = {each["name"]: each["value"] for each in attempt.task_run["spec"]["params"]}
    image = attempt.task_run["spec"]["taskSpec"]["steps"][0]["image"]
    message = values.get("message", "")
    if image.endswith("/nosuch:1"):
        return suffers(Fault.UNSCHEDULABLE)
    if message == "fail":
        return fails(7)
    if message == "sleep":
        return succeeds(seconds=100)
    if message == "report":
        words = {"shp-error-reason": "BadDockerfile", "shp-error-message": "line 3 is wrong"}
        return Outcome(steps=(StepOutcome(exit_code=9, results=words),))
    return succeeds(**{"shp-image-digest": _DIGEST, "shp-image-size": "1234"})


async def _play(folder: Path, definitions: Path) -> SimulatedCluster:
    """Make what the manifest has, and let it live."""
    async with EventClock() as clock:
        simulated = SimulatedCluster(clock=clock)
        add_tekton(simulated)
        simulated.install(definitions)
        add_shipwright(simulated)
        simulated.controllers += [Builds(), BuildRuns(), TaskRuns(), Node(_decide)]
        async with MemoryCluster(folder.name, cluster=simulated):
            for document in yaml.safe_load_all((folder / "manifest.yaml").read_text()):
                kind = _KINDS[document["kind"]]
                simulated.create(kind, document, namespace=folder.name)
                await clock.wait(0.01)
            if folder.name == "sw-cancel":
                await clock.wait(4)
                change = {"spec": {"state": "BuildRunCanceled"}}
                simulated.patch(kinds.SHIPWRIGHT_BUILD_RUN, "run", change, namespace=folder.name)
            await clock.wait(120)
    return simulated


@pytest.mark.parametrize("name", _SCENARIOS)
async def test_the_end_is_as_recorded(shared_data: Path, name: str) -> None:
    """Builds are registered or not, and runs end, with the recorded reasons and sentences."""
    folder = shared_data / "tekton-recordings" / name
    cluster = await _play(folder, shared_data / "crds" / "shipwright")
    for recorded in _read(folder / "final.builds.json"):
        build = cluster.find(kinds.SHIPWRIGHT_BUILD, recorded["metadata"]["name"], namespace=name)
        assert build["status"] == recorded["status"]
    for recorded in _read(folder / "final.buildruns.json"):
        run = cluster.find(kinds.SHIPWRIGHT_BUILD_RUN, recorded["metadata"]["name"], namespace=name)
        assert _told(run) == _told(recorded)
        assert set(run["status"]) | {"output", "startTime"} == set(recorded["status"]) | {
            "output",
            "startTime",
        }


def _read(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text()) if path.exists() else []


def _told(run: dict[str, Any]) -> dict[str, Any]:
    """What a run says, without the names that are made up."""
    status = run["status"]
    (condition,) = status["conditions"]
    text = json.dumps(
        {
            "condition": {key: condition[key] for key in ("status", "reason", "message")},
            "failure": status.get("failureDetails"),
            "size": (status.get("output") or {}).get("size"),
        }
    )
    return json.loads(re.sub(r"run-[a-z0-9]{5}\b", "run-xxxxx", text))


async def test_a_run_removes_itself(shared_data: Path) -> None:
    """A run with a time to live is gone after it, and its TaskRun with it."""
    folder = shared_data / "tekton-recordings" / "sw-retention-ttl"
    cluster = await _play(folder, shared_data / "crds" / "shipwright")
    assert cluster.objects(kinds.SHIPWRIGHT_BUILD_RUN) == []
    assert cluster.objects(kinds.TASK_RUN) == []
