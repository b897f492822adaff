# SPDX-License-Identifier: Apache-2.0
"""Simulated BuildRuns against recorded ones: the same states in the same order."""

from __future__ import annotations

from typing import Any

import pytest

from okd_payload.cluster.kinds import (
    BUILD_STRATEGY,
    SERVICE_ACCOUNT,
    SHIPWRIGHT_BUILD,
    SHIPWRIGHT_BUILD_RUN,
    TASK_RUN,
)
from okd_payload.testing.tekton.controllers.outcomes import (
    Decide,
    Fault,
    Outcome,
    StepOutcome,
    fails,
    runs_out_of_memory,
    succeeds,
    suffers,
)

NAMESPACE = "builds"

_BUILT = succeeds(**{"shp-image-digest": "sha256:0", "shp-image-size": "1234"})
_FAILED_WITH_REASON = Outcome(
    steps=(
        StepOutcome(
            exit_code=9,
            results={"shp-error-reason": "BadDockerfile", "shp-error-message": "line 3 is wrong"},
        ),
    )
)


def _always(outcome: Outcome) -> Decide:
    return lambda _: outcome


def _typed(kind: str) -> dict[str, str]:
    return {"apiVersion": "shipwright.io/v1beta1", "kind": kind}


_STEP = {"name": "build", "image": "quay.test/tool:1", "command": ["build"]}


async def _cancel(world: Any) -> None:
    await world.clock.wait(4)
    world.wish(SHIPWRIGHT_BUILD_RUN, "run", state="BuildRunCanceled")


_SCENARIOS: dict[str, tuple[Decide, Any]] = {
    "sw-success": (_always(_BUILT), None),
    "sw-embedded-build": (_always(_BUILT), None),
    "sw-param-values": (_always(_BUILT), None),
    "sw-generate-service-account": (_always(_BUILT), None),
    "sw-retention-ttl": (_always(_BUILT), None),
    "sw-failure": (_always(fails(7)), None),
    "sw-failure-with-reason": (_always(_FAILED_WITH_REASON), None),
    "sw-timeout": (_always(succeeds(seconds=100)), None),
    "sw-image-pull-failure": (_always(suffers(Fault.STUCK)), None),
    "sw-cancel": (_always(succeeds(seconds=100)), _cancel),
    **dict.fromkeys(
        (
            *("sw-strategy-missing", "sw-strategy-kind-bad", "sw-param-undefined"),
            *("sw-param-undefined-in-run", "sw-param-wrong-type", "sw-param-reserved"),
            *("sw-output-secret-missing", "sw-build-missing", "sw-both-name-and-spec"),
            "sw-serviceaccount-missing",
        ),
        (_always(_BUILT), None),
    ),
}
"""How pods go, and what somebody does meanwhile, by the recording that must come out."""

_ABOUT_PULLING = {"sw-image-pull-failure"}
"""There the time-out is told before the node gives up; here the pod only waits."""


@pytest.mark.parametrize("name", _SCENARIOS)
async def test_a_build_run_goes_through_the_recorded_states(
    name, live_like, recorded_changes, signatures
):
    """Conditions, reasons and fields come as they were recorded; repetitions do not count."""
    expected = signatures(recorded_changes(name, SHIPWRIGHT_BUILD_RUN))
    if name in _ABOUT_PULLING:
        expected = [it for it in expected if it[2] != "PullImageFailed"]
    decide, act = _SCENARIOS[name]
    lived = signatures(await live_like(name, SHIPWRIGHT_BUILD_RUN, decide, act))
    # The server's ADDED, labels and specification may be told in one change or in several.
    assert lived == expected


@pytest.mark.parametrize(
    "name",
    [
        *("sw-success", "sw-strategy-missing", "sw-strategy-kind-bad", "sw-param-undefined"),
        *("sw-param-wrong-type", "sw-param-reserved", "sw-output-secret-missing"),
    ],
)
async def test_a_build_is_registered_as_recorded(name, live_like, recorded_changes):
    """The status of a Build says the same, word for word."""
    seen: list[dict[str, Any]] = []

    async def look(world: Any) -> None:
        async for _, build in world.cluster.changes(SHIPWRIGHT_BUILD):
            seen.append(build.get("status", {}))

    await live_like(name, SHIPWRIGHT_BUILD_RUN, _always(_BUILT), look)
    assert seen[-1] == recorded_changes(name, SHIPWRIGHT_BUILD)[-1][1]["status"]


async def test_the_task_run_is_the_recorded_one(live_like, recorded_changes):
    """Parameters, results, steps, volumes, labels and owner of the executor are as recorded."""
    seen: list[dict[str, Any]] = []

    async def look(world: Any) -> None:
        async for _, run in world.cluster.changes(TASK_RUN):
            seen.append(run)

    await live_like("sw-success", SHIPWRIGHT_BUILD_RUN, _always(_BUILT), look)
    made = seen[-1]
    recorded = recorded_changes("sw-success", TASK_RUN)[-1][1]
    assert made["spec"] == recorded["spec"]
    assert made["metadata"]["labels"] == recorded["metadata"]["labels"]


async def test_failures_say_where_they_were(live_like):
    """The details of a failure have the place, and the reason that the strategy gave."""
    lived = await live_like(
        "sw-failure-with-reason", SHIPWRIGHT_BUILD_RUN, _always(_FAILED_WITH_REASON), None
    )
    status = lived[-1][1]["status"]
    details = status["failureDetails"]
    assert (details["reason"], details["message"]) == ("BadDockerfile", "line 3 is wrong")
    assert details["location"]["container"] == "step-build-push"
    assert f"kubectl --namespace {NAMESPACE} logs" in status["conditions"][0]["message"]


async def test_a_lack_of_memory_is_told_as_such(live_like):
    """A step that is killed for its memory gives a reason of its own."""
    lived = await live_like("sw-success", SHIPWRIGHT_BUILD_RUN, _always(runs_out_of_memory()), None)
    assert lived[-1][1]["status"]["conditions"][0]["reason"] == "StepOutOfMemory"


async def test_a_run_that_has_its_time_deletes_itself(live_like):
    """After its time the run is gone, and its TaskRun with it."""
    lived = await live_like("sw-retention-ttl", SHIPWRIGHT_BUILD_RUN, _always(_BUILT), None)
    assert lived[-1][0] == "DELETED"


async def test_only_so_many_failed_runs_are_kept(new_world, recorded):
    """When another run of the Build fails, the oldest one over the limit goes."""
    assert recorded("sw-two-runs").run.name == "one"
    async with new_world(_always(fails())) as world:
        strategy = {"metadata": {"name": "s"}, "spec": {"steps": [_STEP]}}
        world.create(BUILD_STRATEGY, strategy | _typed("BuildStrategy"))
        spec = {
            "strategy": {"name": "s"},
            "output": {"image": "quay.test/x"},
            "retention": {"failedLimit": 1},
        }
        world.create(SHIPWRIGHT_BUILD, {"metadata": {"name": "b"}, "spec": spec} | _typed("Build"))
        for name in ("one", "two"):
            run = {"metadata": {"name": name}, "spec": {"build": {"name": "b"}}}
            world.create(SHIPWRIGHT_BUILD_RUN, run | _typed("BuildRun"))
            await world.until_done(SHIPWRIGHT_BUILD_RUN, name)
            await world.clock.wait(5)
        left = world.cluster.objects(SHIPWRIGHT_BUILD_RUN, namespace=NAMESPACE)
        assert [it["metadata"]["name"] for it in left] == ["two"]


async def test_an_account_is_made_for_a_run_that_wants_its_own(new_world):
    """``.generate`` makes an account that goes with its run."""
    async with new_world(_always(_BUILT)) as world:
        world.create(
            BUILD_STRATEGY,
            {"metadata": {"name": "s"}, "spec": {"steps": [_STEP]}} | _typed("BuildStrategy"),
        )
        spec = {"strategy": {"name": "s"}, "output": {"image": "quay.test/x"}}
        run = {
            "metadata": {"name": "r"},
            "spec": {"build": {"spec": spec}, "serviceAccount": ".generate"},
        }
        world.create(SHIPWRIGHT_BUILD_RUN, run | _typed("BuildRun"))
        await world.until_done(SHIPWRIGHT_BUILD_RUN, "r")
        assert world.cluster.find(SERVICE_ACCOUNT, "r", namespace=NAMESPACE) is not None
        world.cluster.delete(SHIPWRIGHT_BUILD_RUN, "r", namespace=NAMESPACE)
        assert world.cluster.find(SERVICE_ACCOUNT, "r", namespace=NAMESPACE) is None
