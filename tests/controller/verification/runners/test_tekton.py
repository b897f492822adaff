# SPDX-License-Identifier: Apache-2.0
"""PipelineRuns: made once, told the release, followed to their end, cancelled with tidying up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rig import Rig
from runners_rig import MakeContext, noted

from okd_payload.cluster.kinds import PIPELINE, PIPELINE_RUN
from okd_payload.controller.model import RunState
from okd_payload.controller.verification.printed_artifacts import PRINT_SCRIPT
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.controller.verification.runners.tekton import TektonRunner
from okd_payload.errors import ClusterUnavailable, InputError
from okd_payload.process import run as run_program
from okd_payload.testing.event_clock import EventClock
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.tekton.admission.plugin import add_tekton
from okd_payload.testing.tekton.controllers.node import Node
from okd_payload.testing.tekton.controllers.outcomes import (
    Attempt,
    Fault,
    Outcome,
    StepOutcome,
    fails,
    suffers,
)
from okd_payload.testing.tekton.controllers.pipeline_runs import PipelineRuns
from okd_payload.testing.tekton.controllers.task_runs import TaskRuns

NAME = "4.20.0-0.test-2026-01-02-030405-e2e"
SETTINGS = {"pipeline": "verify", "dashboard": "https://ci.test/{namespace}/runs/{name}"}
PIPELINE_DOCUMENT: dict[str, Any] = {
    "apiVersion": "tekton.dev/v1",
    "kind": "Pipeline",
    "metadata": {"name": "verify"},
    "spec": {
        "params": [{"name": "release-image-latest", "type": "string"}],
        "results": [{"name": "passed", "value": "$(tasks.test.results.passed)"}],
        "tasks": [
            {
                "name": "test",
                "taskSpec": {
                    "params": [{"name": "image", "type": "string"}],
                    "results": [{"name": "passed"}],
                    "steps": [{"name": "run", "image": "quay.test/e2e:1", "script": "e2e"}],
                },
                "params": [{"name": "image", "value": "$(params.release-image-latest)"}],
            }
        ],
        "finally": [
            {
                "name": "tidy",
                "taskSpec": {"steps": [{"name": "down", "image": "quay.test/e2e:1"}]},
            }
        ],
    },
}


class Tekton:
    """A cluster with Tekton, and a runner that makes PipelineRuns in it."""

    def __init__(self, rig: Rig, client: MemoryCluster, clock: EventClock) -> None:
        self.client = client
        self.clock = clock
        self.outcome = Outcome(
            steps=(StepOutcome(results={"passed": "12"}, log="12 tests passed\n"),)
        )
        self.pods: list[str] = []
        surroundings = msgspec.structs.replace(rig.surroundings, cluster=client)
        self.runner = TektonRunner(surroundings)

    def decide(self, attempt: Attempt) -> Outcome:
        """The tests go as the test says, tidying up always works."""
        task = attempt.label("tekton.dev/pipelineTask")
        self.pods.append(task)
        return self.outcome if task == "test" else Outcome()

    async def until_ended(self, context: RunContext) -> RunUpdate:
        """Poll every ten seconds of the cluster's time."""
        for _ in range(1000):
            update = await self.runner.poll(context)
            if update.state is not RunState.RUNNING:
                return update
            await self.clock.wait(10)
        raise AssertionError("it does not end")


@pytest.fixture
async def tekton(rig: Rig) -> AsyncIterator[Tekton]:
    """Tekton at work."""
    async with EventClock() as clock:
        simulated = SimulatedCluster(clock=clock)
        add_tekton(simulated)
        client = MemoryCluster("ci", cluster=simulated)
        made = Tekton(rig, client, clock)
        simulated.controllers += [TaskRuns(), PipelineRuns(), Node(made.decide)]
        await client.create(PIPELINE, msgspec.json.encode(PIPELINE_DOCUMENT))
        async with client:
            yield made


async def test_a_pipeline_is_run_and_its_results_are_kept(
    tekton: Tekton, make_context: MakeContext
) -> None:
    """With the logs of its steps, the link to its page, and what it found."""
    context = make_context("tekton", settings=SETTINGS)
    update = await tekton.runner.start(context)
    assert (update.state, update.handle) == (RunState.RUNNING, f"ci/{NAME}")
    assert update.url == f"https://ci.test/ci/runs/{NAME}"
    again = await tekton.runner.start(context)
    assert (again.state, again.handle) == (update.state, update.handle)
    update = await tekton.until_ended(noted(context, update))
    assert update.state is RunState.SUCCEEDED
    assert "12 tests passed" in (context.folder / update.log).read_text()
    (results,) = update.artifacts
    assert msgspec.json.decode((context.folder / results).read_bytes()) == {"passed": "12"}
    made = msgspec.json.decode(await tekton.client.get(PIPELINE_RUN, NAME))
    parameters = {each["name"]: each["value"] for each in made["spec"]["params"]}
    assert parameters["release-image-latest"] == context.release.pull_spec
    assert parameters["release-name"] == context.release.name


@pytest.mark.parametrize(
    ("outcome", "state", "message"),
    [
        (fails(3, log="no quorum\n"), RunState.FAILED, "Failed: "),
        (suffers(Fault.EVICTED, message="disk pressure"), RunState.ERROR, "PodEvicted: Failed: "),
    ],
)
async def test_a_pipeline_that_fails_says_why(
    tekton: Tekton, make_context: MakeContext, outcome: Outcome, state: RunState, message: str
) -> None:
    """In the words of Tekton; what took its pods away says nothing of the release."""
    tekton.outcome = outcome
    context = make_context("tekton", settings=SETTINGS)
    update = await tekton.until_ended(noted(context, await tekton.runner.start(context)))
    assert update.state is state
    assert update.message.startswith(message)


async def test_what_a_step_prints_of_its_folder_is_kept(
    tekton: Tekton, make_context: MakeContext, tmp_path: Path
) -> None:
    """Beside the results of the pipeline, and also when it failed."""
    (tmp_path / "left").mkdir()
    (tmp_path / "left/junit.xml").write_text("<testsuite/>")
    variables = {"ARTIFACT_DIR": f"{tmp_path}/left", "TMPDIR": f"{tmp_path}"}
    step = await run_program(("/bin/sh", "-c", PRINT_SCRIPT), environment=variables)
    printed = step.output.decode()
    tekton.outcome = fails(3, log=f"no quorum\n{printed}")
    context = make_context("tekton", settings=SETTINGS)
    update = await tekton.until_ended(noted(context, await tekton.runner.start(context)))
    assert update.state is RunState.FAILED
    assert update.artifacts == ("artifacts/junit.xml",)
    assert "[artifacts kept: 1]" in (context.folder / update.log).read_text()


async def test_a_pipeline_that_is_not_there_says_nothing_of_the_release(
    tekton: Tekton, make_context: MakeContext
) -> None:
    """It is an error of the run."""
    context = make_context("tekton", settings={"pipeline": "absent"})
    update = await tekton.until_ended(noted(context, await tekton.runner.start(context)))
    assert update.state is RunState.ERROR
    assert "absent" in update.message


async def test_a_run_that_is_cancelled_tidies_up(tekton: Tekton, make_context: MakeContext) -> None:
    """Its last tasks run; cancelling what never was is no error."""
    tekton.outcome = Outcome(steps=(StepOutcome(seconds=36000),))
    context = make_context("tekton", settings=SETTINGS)
    await tekton.runner.cancel(context)
    context = noted(context, await tekton.runner.start(context))
    await tekton.clock.wait(60)
    await tekton.runner.cancel(context)
    update = await tekton.until_ended(context)
    assert update.state is RunState.ABORTED
    assert tekton.pods == ["test", "tidy"]


async def test_workspaces_and_accounts_are_those_that_are_named(
    tekton: Tekton, make_context: MakeContext
) -> None:
    """Credentials reach a pipeline by these."""
    settings = {
        **SETTINGS,
        "serviceAccount": "tester",
        "workspaces": "cloud=secret:aws, work=claim:scratch, ca=configMap:roots, tmp=empty",
    }
    context = make_context("tekton", settings=settings)
    await tekton.runner.start(context)
    spec = msgspec.json.decode(await tekton.client.get(PIPELINE_RUN, NAME))["spec"]
    assert spec["taskRunTemplate"]["serviceAccountName"] == "tester"
    assert spec["workspaces"] == [
        {"name": "cloud", "secret": {"secretName": "aws"}},
        {"name": "work", "persistentVolumeClaim": {"claimName": "scratch"}},
        {"name": "ca", "configMap": {"name": "roots"}},
        {"name": "tmp", "emptyDir": {}},
    ]


async def test_without_a_cluster_or_with_one_that_is_away(
    rig: Rig, tekton: Tekton, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in the way is said, and the run waits."""
    context = make_context("tekton", settings=SETTINGS)
    with pytest.raises(InputError, match="none is known here"):
        await TektonRunner(rig.surroundings).start(context)
    context = noted(context, await tekton.runner.start(context))

    class Away(MemoryCluster):
        async def get(self, *_: object, **__: object) -> bytes:
            raise ClusterUnavailable("the cluster is away")

    away = Away("ci", cluster=tekton.client.simulated)
    runner = TektonRunner(msgspec.structs.replace(rig.surroundings, cluster=away))
    with pytest.raises(ClusterUnavailable, match="is away"):
        await runner.poll(context)
