# SPDX-License-Identifier: Apache-2.0
"""Simulated runs against recorded ones: the same states in the same order."""

from __future__ import annotations

from typing import Any

import pytest

from okd_payload.cluster.kinds import PIPELINE_RUN, POD, TASK_RUN
from okd_payload.testing.kubernetes.logs import LogOptions
from okd_payload.testing.kubernetes.statuses import Refusal
from okd_payload.testing.tekton.controllers.outcomes import (
    SUCCEEDED,
    Chance,
    Decide,
    Fault,
    Outcome,
    Script,
    StepOutcome,
    fails,
    runs_out_of_memory,
    succeeds,
    suffers,
)

NAMESPACE = "builds"

_LONG = succeeds(seconds=500)


async def _cancel(world: Any) -> None:
    await world.clock.wait(4)
    world.wish(TASK_RUN, "run", status="TaskRunCancelled", statusMessage="cancelled")


async def _be_away(world: Any) -> None:
    await world.clock.wait(3)
    world.task_runs.pause()
    world.pipeline_runs.pause()
    await world.clock.wait(6)
    world.pipeline_runs.resume()
    world.task_runs.resume()


def _wish(status: str | None, after: float = 4) -> Any:
    async def act(world: Any) -> None:
        await world.clock.wait(after)
        world.wish(PIPELINE_RUN, "run", status=status)

    return act


async def _cancel_child(world: Any) -> None:
    await world.clock.wait(4)
    world.wish(TASK_RUN, "run-a", status="TaskRunCancelled")


async def _delete_child(world: Any) -> None:
    await world.clock.wait(4)
    world.cluster.delete(TASK_RUN, "run-a", namespace=NAMESPACE)


async def _cancel_twice(world: Any) -> None:
    await world.clock.wait(4)
    world.wish(PIPELINE_RUN, "run", status="CancelledRunFinally")
    await world.clock.wait(6)
    world.wish(PIPELINE_RUN, "run", status="Cancelled")


def _second_combination_fails(attempt: Any) -> Outcome:
    return fails() if attempt.name.endswith("-1") else SUCCEEDED


def _steps(*steps: StepOutcome) -> Decide:
    return lambda _: Outcome(steps=steps)


def _always(outcome: Outcome) -> Decide:
    return lambda _: outcome


def _tasks(**outcomes: Outcome) -> Decide:
    def decide(attempt: Any) -> Outcome:
        task = attempt.label("tekton.dev/pipelineTask").replace("-", "_")
        return outcomes.get(task, SUCCEEDED)

    return decide


_TASK_RUNS: dict[str, tuple[Decide | None, Any]] = {
    "tr-success-results": (
        _always(succeeds(digest="sha256:0", tags=["a"], image={"digest": "d", "url": "u"})),
        None,
    ),
    "tr-step-fails": (
        _steps(StepOutcome(results={"before": "one"}), StepOutcome(exit_code=3)),
        None,
    ),
    "tr-onerror-continue": (_always(fails(7)), None),
    "tr-retries-then-success": (
        Script(
            run=[
                Outcome(steps=(StepOutcome(exit_code=1, results={"try": "0"}),)),
                succeeds(**{"try": "1"}),
            ]
        ),
        None,
    ),
    "tr-retries-exhausted": (_always(fails(4)), None),
    "tr-retries-timeout": (_always(_LONG), None),
    "tr-oomkilled": (_always(runs_out_of_memory()), None),
    "tr-image-pull-failure": (_always(suffers(Fault.IMAGE_PULL)), None),
    "tr-image-invalid-name": (_always(suffers(Fault.IMAGE_PULL)), None),
    "tr-image-registry-unreachable": (_always(suffers(Fault.IMAGE_PULL)), None),
    "tr-env-secret-missing": (_always(suffers(Fault.CONFIG_ERROR)), None),
    "tr-unschedulable": (_always(suffers(Fault.UNSCHEDULABLE)), None),
    "tr-workspace-pvc-missing": (_always(suffers(Fault.STUCK)), None),
    "tr-pod-evicted-by-kubelet": (_always(suffers(Fault.EVICTED)), None),
    "tr-pod-deleted": (_always(suffers(Fault.DELETED)), None),
    "tr-pod-deleted-default-grace": (_always(suffers(Fault.DELETED)), None),
    "tr-pod-evicted-api": (_always(suffers(Fault.DELETED)), None),
    "tr-pod-force-deleted": (Script(run=[suffers(Fault.FORCE_DELETED)]), None),
    "tr-pod-deleted-retries": (Script(run=[suffers(Fault.FORCE_DELETED)]), None),
    "tr-timeout": (_always(_LONG), None),
    "tr-result-too-big": (_always(succeeds(big="x" * 5000)), None),
    "tr-result-two-steps-too-big": (
        _steps(StepOutcome(results={"a": "x" * 2500}), StepOutcome(results={"b": "x" * 2500})),
        None,
    ),
    "tr-workspace-vct": (None, None),
    "tr-buildah-push": (_always(succeeds(IMAGE_DIGEST="d")), None),
    "tr-command-missing": (_always(fails(1)), None),
    "tr-command-not-found": (_always(fails(1)), None),
    "tr-step-killed": (_always(fails(255)), None),
    "tr-step-timeout": (_always(fails(255)), None),
    "tr-result-wrong-type": (_always(succeeds(arr="plain")), None),
    "tr-result-object-missing-key": (_always(succeeds(o={"a": "1"})), None),
    "tr-result-3000-bytes": (_always(succeeds(big="x" * 3000)), None),
    "tr-result-newline": (_always(succeeds(nl="x\n", empty="", uni="x")), None),
    "tr-workspace-secret-missing": (_always(suffers(Fault.STUCK)), None),
    "tr-cancel": (_steps(StepOutcome(), StepOutcome(seconds=100)), _cancel),
    **dict.fromkeys(
        (
            *("tr-cancel-at-creation", "tr-taskref-missing", "tr-param-missing", "tr-taskref"),
            *("tr-missing-workspace", "tr-missing-serviceaccount", "tr-param-wrong-type"),
            *("tr-param-extra", "tr-optional-workspace", "tr-unnamed-steps", "tr-sidecar"),
            *("tr-workspace-emptydir", "tr-many-lines", "tr-pod-template"),
            *("tr-limitrange", "tr-workspace-configmap-secret"),
            *("tr-sidecar-fails", "tr-image-entrypoint-lookup", "tr-script-steps"),
            *("tr-steptemplate", "tr-computeresources", "tr-step-computeresources"),
        ),
        (None, None),
    ),
}
"""How pods go, and what somebody does meanwhile, by the recording that must come out."""

_PIPELINE_RUNS: dict[str, tuple[Decide | None, Any]] = {
    "pr-two-tasks-results": (_tasks(first=succeeds(msg="m"), second=succeeds(out="o")), None),
    "pr-finally": (_tasks(good=succeeds(r="ok")), None),
    "pr-failed-finally": (_tasks(bad_end=fails(), good_end=succeeds(seconds=5)), None),
    "pr-when-skip": (_tasks(build=succeeds(seconds=9, r="x")), None),
    "pr-branch-fails": (_tasks(bad=fails(), slow=succeeds(seconds=20)), None),
    "pr-branch-fails-onerror-continue": (
        _tasks(bad=fails(), slow=succeeds(seconds=20)),
        None,
    ),
    "pr-cancelled": (_tasks(short=_LONG, retrying=_LONG), _wish("Cancelled")),
    "pr-stopped-run-finally": (
        _tasks(short=succeeds(seconds=5), retrying=fails(seconds=5)),
        _wish("StoppedRunFinally"),
    ),
    "pr-stopped-run-finally-clean": (
        _tasks(short=succeeds(seconds=5)),
        _wish("StoppedRunFinally"),
    ),
    "pr-timeout-tasks": (_tasks(long=_LONG), None),
    "pr-timeout-pipeline": (_tasks(long=_LONG, other=_LONG), None),
    "pr-timeout-finally": (_tasks(cleanup=_LONG), None),
    "pr-task-timeout": (_tasks(long=_LONG), None),
    "pr-missing-result-at-runtime": (None, None),
    "pr-five-tasks": (
        _tasks(
            a=succeeds(seconds=4),
            b=succeeds(seconds=2, list=["x", "y"]),
            c=succeeds(seconds=2, obj={"k": "v"}),
            d=succeeds(joined="y v"),
        ),
        None,
    ),
    "pr-matrix-include": (_second_combination_fails, None),
    "pr-pod-deleted-retry": (Script(**{"run-a": [fails()]}), None),
    "pr-onerror-continue-result-used": (
        _tasks(bad=Outcome(steps=(StepOutcome(exit_code=1, results={"r": "part"}),))),
        None,
    ),
    "pr-invalid-when-result": (_tasks(a=fails()), None),
    "pr-child-deleted": (_tasks(a=succeeds(seconds=9)), _delete_child),
    "pr-cancelled-run-finally-then-cancelled": (
        _tasks(long=_LONG, cleanup=_LONG),
        _cancel_twice,
    ),
    "pr-timeout-pipeline-with-finally": (_tasks(long=_LONG, cleanup=_LONG, report=_LONG), None),
    "pr-matrix": (_tasks(build=succeeds(digest="d")), None),
    "pr-pending": (None, _wish(None)),
    "pr-child-cancelled": (_tasks(a=_LONG), _cancel_child),
    "pr-controller-restart": (_tasks(first=succeeds(seconds=4, r="x")), _be_away),
    **dict.fromkeys(
        (
            *("pr-missing-taskref", "pr-missing-param", "pr-missing-workspace", "pr-pipelineref"),
            *("pr-missing-pipelineref", "pr-taskrunspecs", "pr-workspace-emptydir"),
            *("pr-pod-limit-long-names", "pr-task-retries", "pr-nested-status-small"),
        ),
        (None, None),
    ),
}


@pytest.mark.parametrize("name", _TASK_RUNS)
async def test_a_task_run_goes_through_the_recorded_states(
    name, live_like, recorded_changes, signatures
):
    """Conditions, reasons and fields come as they were recorded; repetitions do not count."""
    expected = signatures(recorded_changes(name, TASK_RUN))
    decide, act = _TASK_RUNS[name]
    assert signatures(await live_like(name, TASK_RUN, decide, act)) == expected


@pytest.mark.parametrize("name", _PIPELINE_RUNS)
async def test_a_pipeline_run_goes_through_the_recorded_states(
    name, live_like, recorded_changes, signatures
):
    """Children, skipped tasks and counts come as they were recorded, messages included."""
    expected = signatures(recorded_changes(name, PIPELINE_RUN), messages=True)
    decide, act = _PIPELINE_RUNS[name]
    lived = await live_like(name, PIPELINE_RUN, decide, act)
    assert signatures(lived, messages=True) == expected


async def test_a_stop_that_lets_final_tasks_run_cancels_all_children_at_once(
    live_like, recorded_changes, signatures
):
    """Really one child ends before the other; here both do, and one state less is told."""
    name = "pr-cancelled-run-finally"
    expected = signatures(recorded_changes(name, PIPELINE_RUN), messages=True)
    decide, act = _tasks(short=_LONG, retrying=_LONG), _wish("CancelledRunFinally")
    lived = signatures(await live_like(name, PIPELINE_RUN, decide, act), messages=True)
    assert [it for it in expected if it in lived] == lived
    assert len(expected) == len(lived) + 1


def _task_run(name: str, **spec: Any) -> dict[str, Any]:
    steps = [{"name": "build", "image": "quay.test/tool:1", "script": "true"}]
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": {"name": name, "labels": {"component": name}},
        "spec": {"taskSpec": {"results": [{"name": "digest"}], "steps": steps}, **spec},
    }


async def test_a_quota_is_asked_again_after_a_minute(new_world):
    """While the quota is in the way the run waits without a start; then it goes on."""
    said = 'pods "etcd-pod" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0'
    refusals = [Refusal(403, "Forbidden", said)]

    def refuse(_: Any, request: Any) -> None:
        if request.resource.name == "pods" and refusals:
            raise refusals.pop()

    async with new_world() as world:
        world.cluster.validating.append(refuse)
        world.create(TASK_RUN, _task_run("etcd"))
        await world.clock.wait(30)
        waiting = world.cluster.find(TASK_RUN, "etcd", namespace=NAMESPACE)
        condition = waiting["status"]["conditions"][0]
        assert condition["reason"] == "ExceededResourceQuota"
        assert condition["message"] == f"TaskRun Pod exceeded available resources: {said}"
        assert "startTime" not in waiting["status"]
        await world.until_done(TASK_RUN, "etcd")
        assert 60 < world.clock.monotonic() < 70


async def test_a_pod_that_is_not_secure_enough_fails_its_run(new_world):
    """What pod security says is the end of the run, word for word."""
    said = 'pods "etcd-pod" is forbidden: violates PodSecurity "restricted:latest": ...'

    def refuse(_: Any, request: Any) -> None:
        if request.resource.name == "pods":
            raise Refusal(403, "Forbidden", said)

    async with new_world() as world:
        world.cluster.validating.append(refuse)
        world.create(TASK_RUN, _task_run("etcd"))
        await world.until_done(TASK_RUN, "etcd")
        run = world.cluster.find(TASK_RUN, "etcd", namespace=NAMESPACE)
        condition = run["status"]["conditions"][0]
        assert (condition["reason"], condition["message"]) == ("PodAdmissionFailed", said)


async def test_by_chance_everything_ends_and_nothing_is_left_running(new_world):
    """Twenty runs with failures, evictions and lost nodes: each ends, the same way each time."""
    ends = []
    for _ in range(2):
        faults = dict.fromkeys((Fault.EVICTED, Fault.FORCE_DELETED, Fault.NODE_LOST), 0.1)
        chance = Chance(seed=5, seconds=(1, 300), failures=0.2, out_of_memory=0.1, faults=faults)
        async with new_world(chance) as world:
            names = [f"c{number}" for number in range(20)]
            for name in names:
                world.create(TASK_RUN, _task_run(name, retries=1))
            await world.until_done(TASK_RUN, *names)
            runs = world.cluster.objects(TASK_RUN, namespace=NAMESPACE)
            ends.append([it["status"]["conditions"][0]["reason"] for it in runs])
            await world.clock.wait(60)
            assert world.node.running == set()
    assert ends[0] == ends[1]
    assert {"Succeeded", "StepFailed"} <= set(ends[0])


async def test_work_is_really_done_while_a_task_runs(new_world):
    """What the work of a pod says becomes the results, and it can print."""

    async def work(attempt: Any) -> list[StepOutcome]:
        attempt.print("build", f"building {attempt.label('component')}\n")
        return [StepOutcome(results={"digest": f"sha256:{attempt.name}"})]

    async with new_world(_always(Outcome(work=work))) as world:
        world.create(TASK_RUN, _task_run("etcd"))
        await world.until_done(TASK_RUN, "etcd")
        run = world.cluster.find(TASK_RUN, "etcd", namespace=NAMESPACE)
        pod = world.cluster.find(POD, "etcd-pod", namespace=NAMESPACE)
        assert run["status"]["results"] == [
            {"name": "digest", "type": "string", "value": "sha256:etcd"}
        ]
        log = world.cluster.state.logs.open(pod, LogOptions(container="step-build"))
        assert b"".join([it async for it in log]) == b"building etcd\n"


async def test_time_passes_once_for_all_who_wait(new_world):
    """Many runs at once take as long as the longest of them, on the cluster's clock."""
    async with new_world(_always(succeeds(seconds=600))) as world:
        names = [f"c{number}" for number in range(20)]
        for name in names:
            world.create(TASK_RUN, _task_run(name))
        await world.until_done(TASK_RUN, *names)
        assert 600 < world.clock.monotonic() < 620
        assert world.node.most_running == 20


async def test_a_lost_node_makes_the_run_begin_again(new_world):
    """The pod hangs, goes, and is made again: nothing is said to have failed."""
    async with new_world(Script(etcd=[suffers(Fault.NODE_LOST)])) as world:
        world.create(TASK_RUN, _task_run("etcd"))
        await world.until_done(TASK_RUN, "etcd")
        run = world.cluster.find(TASK_RUN, "etcd", namespace=NAMESPACE)
        assert run["status"]["conditions"][0]["reason"] == "Succeeded"
        assert world.clock.monotonic() > 40


async def test_a_run_that_is_deleted_takes_its_pod_along(new_world):
    """Whoever deletes a run has nothing left to clean up."""
    async with new_world(_always(_LONG)) as world:
        world.create(TASK_RUN, _task_run("etcd"))
        await world.clock.wait(10)
        world.cluster.delete(TASK_RUN, "etcd", namespace=NAMESPACE)
        await world.clock.wait(60)
        assert world.cluster.objects(POD) == []
        assert world.node.running == set()
