# SPDX-License-Identifier: Apache-2.0
"""Rendered Pipelines in a simulated cluster with Tekton's controllers and a node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from rendered import render_all

from okd_payload.build.plan import Plan
from okd_payload.build.work_graph import work_graph
from okd_payload.cluster.kinds import (
    PIPELINE,
    PIPELINE_RUN,
    SERVICE_ACCOUNT,
    TASK,
)
from okd_payload.engines.manifests import encode_manifest
from okd_payload.testing.event_clock import EventClock
from okd_payload.testing.kubernetes import SimulatedCluster
from okd_payload.testing.tekton.admission.plugin import add_tekton
from okd_payload.testing.tekton.controllers.node import Node
from okd_payload.testing.tekton.controllers.outcomes import Attempt, Outcome, fails, succeeds
from okd_payload.testing.tekton.controllers.pipeline_runs import PipelineRuns
from okd_payload.testing.tekton.controllers.task_runs import TaskRuns, is_done

Planned = Callable[[str], Plan]
_PATIENCE = 60.0
_KINDS = {"Task": TASK, "Pipeline": PIPELINE, "PipelineRun": PIPELINE_RUN}
_DIGEST = "sha256:" + "0" * 64
_RESULTS = {
    "okd-payload-snapshot": {"snapshot": f"r.test/c@{_DIGEST}", "digest": _DIGEST, "stream": "s"},
    "new-release": {"digest": _DIGEST, "name": "4.20.0", "pull-spec": f"r.test/r@{_DIGEST}"},
}
_COMPONENT = {"digest": _DIGEST, "key": "k", "built": "true"}


class Ran(msgspec.Struct):
    """How a run went."""

    started: list[str]
    """Tasks in the order in which their pods were made."""
    run: dict[str, Any]

    @property
    def verdict(self) -> tuple[str, str]:
        """Status and reason of the run."""
        (condition,) = self.run["status"]["conditions"]
        return condition["status"], condition["reason"]

    @property
    def skipped(self) -> set[str]:
        """Tasks that were left out."""
        return {each["name"] for each in self.run["status"].get("skippedTasks", [])}

    @property
    def results(self) -> dict[str, str]:
        """The results of the run."""
        return {each["name"]: each["value"] for each in self.run["status"].get("results", [])}


async def run(
    plan: Plan, *, broken: set[str] = frozenset(), components: tuple[str, ...] = ()
) -> Ran:
    """Run what is rendered of ``plan``; the tasks ``broken`` fail."""
    started: list[str] = []

    def decide(attempt: Attempt) -> Outcome:
        task = attempt.label("tekton.dev/pipelineTask")
        started.append(task)
        if task in broken:
            return fails()
        name = attempt.task_run["spec"]["taskRef"]["name"]
        default = _COMPONENT if "component" in name else {}
        return succeeds(seconds=60, **_RESULTS.get(name, default))

    async with EventClock() as clock:
        cluster = SimulatedCluster(clock=clock)
        add_tekton(cluster)
        cluster.add_namespace("builds")
        account = {"metadata": {"name": "okd-payload-builder"}}
        cluster.create(SERVICE_ACCOUNT, account, namespace="builds")
        cluster.controllers += [TaskRuns(), PipelineRuns(), Node(decide)]
        async with cluster, asyncio.timeout(_PATIENCE):
            for manifest in render_all(plan):
                document = msgspec.json.decode(encode_manifest(manifest))
                if manifest.kind == "PipelineRun":
                    document["metadata"] = {"name": "one"}
                    if components:
                        document["spec"]["params"] = [
                            {"name": "components", "value": list(components)}
                        ]
                cluster.create(_KINDS[manifest.kind], document, namespace="builds")
            async for _, document in cluster.changes(PIPELINE_RUN):
                if is_done(document):
                    return Ran(started, document)
    raise AssertionError("the run never ended")


async def test_every_task_runs_after_what_it_stands_on(planned: Planned) -> None:
    """All of quickstart, base and builder first, the release and the report last."""
    plan = planned("quickstart")
    ran = await run(plan)
    assert ran.verdict == ("True", "Succeeded")
    assert ran.started[0] == "snapshot"
    assert ran.started[-3:] == ["release", "verify", "report"]
    for node, parents in work_graph(plan).waits.items():
        for parent in parents:
            assert ran.started.index(parent) < ran.started.index(node)
    assert ran.results["release-pull-spec"] == f"r.test/r@{_DIGEST}"
    assert set(work_graph(plan).waits) <= set(ran.results)


async def test_a_failed_component_stops_no_other(planned: Planned) -> None:
    """The release fails for what it lacks; the report runs and the run is not a success."""
    plan = planned("quickstart")
    ran = await run(plan, broken={"coredns", "release"})
    assert ran.verdict == ("False", "Failed")
    assert set(work_graph(plan).waits) <= set(ran.started)
    assert ran.started.count("release") == 3  # tried again: the registry might have been away
    assert "verify" not in ran.started
    assert ran.started[-1] == "report"
    assert "coredns" not in ran.results


async def test_a_selection_runs_and_the_rest_is_skipped(planned: Planned) -> None:
    """The release is made all the same, of what the repository has."""
    plan = planned("quickstart")
    ran = await run(plan, components=("cli", "coredns"))
    assert ran.verdict == ("True", "Completed")
    assert set(ran.started) == {"snapshot", "cli", "coredns", "release", "verify", "report"}
    assert ran.skipped == set(work_graph(plan).waits) - {"cli", "coredns"}
