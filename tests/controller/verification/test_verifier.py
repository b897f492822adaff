# SPDX-License-Identifier: Apache-2.0
"""Runs are queued, started, followed and ended; a kill between any two steps costs nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from rig import STREAM, Rig

from okd_payload.controller.configuration.model import Runner as RunnerSettings
from okd_payload.controller.configuration.model import (
    StreamConfiguration,
    UpgradeOrigin,
    Verification,
)
from okd_payload.controller.model import Phase, Release, RunState, VerificationRun
from okd_payload.controller.records import releases, runs, streams
from okd_payload.controller.verification.judging import judge
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.controller.verification.runners.manual import ManualRunner
from okd_payload.controller.verification.verifier import RunnerVerifier
from okd_payload.errors import ClusterUnavailable


class ScriptedRunner:
    """A runner whose runs are as a test wants them."""

    def __init__(self) -> None:
        self.updates: dict[str, RunUpdate] = {}
        self.error: Exception | None = None
        self.calls: list[tuple[str, str]] = []

    async def start(self, context: RunContext) -> RunUpdate:
        """Begin, once however often it is asked for."""
        self.calls.append(("start", context.run.id))
        return self._answer(context)

    async def poll(self, context: RunContext) -> RunUpdate:
        """As the test says."""
        self.calls.append(("poll", context.run.id))
        return self._answer(context)

    async def cancel(self, context: RunContext) -> None:
        """Remembered."""
        self.calls.append(("cancel", context.run.id))
        if self.error:
            raise self.error

    def _answer(self, context: RunContext) -> RunUpdate:
        if self.error:
            raise self.error
        running = RunUpdate(state=RunState.RUNNING, handle=f"job/{context.run.id}")
        return self.updates.get(context.run.verification, running)


@pytest.fixture
def runner() -> ScriptedRunner:
    """A runner of the test."""
    return ScriptedRunner()


@pytest.fixture
def verifier(rig: Rig, runner: ScriptedRunner) -> RunnerVerifier:
    """What brings runs on."""
    return RunnerVerifier(rig.surroundings, {"scripted": runner}, write=rig.database.write)


def verification(name: str, **fields: Any) -> Verification:
    """A verification that the scripted runner carries out."""
    return Verification(name=name, runner=RunnerSettings(kind="scripted"), **fields)


async def ready(rig: Rig, name: str = "r", **fields: Any) -> Release:
    """A release whose payload is made."""
    values = {"phase": Phase.READY, "created": rig.clock.now(), "changed": rig.clock.now()}
    release = Release(
        name=name, stream=STREAM, input_hash=name, pull_spec=f"q/{name}", **(values | fields)
    )
    await rig.database.write(lambda unit: releases.create(unit, release, ()))
    return release


async def runs_of(rig: Rig, release: Release) -> dict[str, VerificationRun]:
    """The runs of a release by verification; the newest attempt counts."""
    found = await rig.database.read(lambda unit: runs.list_of(unit, [release.name]))
    return {run.verification: run for run in found[release.name]}


async def test_a_run_is_queued_started_followed_and_ended(
    rig: Rig, verifier: RunnerVerifier, runner: ScriptedRunner
) -> None:
    """Its times, place and artifacts are on record."""
    configuration = rig.configure(verifications=(verification("e2e", platform="aws"),))
    release = await ready(rig)
    began = rig.clock.now()
    await verifier.advance(configuration, release)
    run = (await runs_of(rig, release))["e2e"]
    assert (run.state, run.started, run.handle, run.platform) == (
        RunState.RUNNING,
        began,
        "job/r-e2e",
        "aws",
    )
    rig.clock.advance(60)
    runner.updates["e2e"] = RunUpdate(
        state=RunState.SUCCEEDED, url="https://ci.test/1", log="log", artifacts=("junit.xml",)
    )
    await verifier.advance(configuration, release)
    run = (await runs_of(rig, release))["e2e"]
    assert (run.state, run.started, run.ended) == (RunState.SUCCEEDED, began, began + 60)
    assert (run.log, run.artifacts) == ("runs/r-e2e/log", ("runs/r-e2e/junit.xml",))
    await verifier.advance(configuration, release)
    assert runner.calls == [("start", "r-e2e"), ("poll", "r-e2e")]


async def test_a_runner_that_does_not_answer_is_waited_for_and_given_up(
    rig: Rig, verifier: RunnerVerifier, runner: ScriptedRunner
) -> None:
    """The reason is on record all the while; at the end of its time the run is an error."""
    configuration = rig.configure(verifications=(verification("e2e", timeout=3600.0),))
    release = await ready(rig)
    runner.error = ClusterUnavailable("the cluster is away")
    await verifier.advance(configuration, release)
    run = (await runs_of(rig, release))["e2e"]
    assert (run.state, run.message) == (RunState.QUEUED, "the cluster is away")
    runner.error = None
    await verifier.advance(configuration, release)
    runner.error = ClusterUnavailable("away again")
    rig.clock.advance(3599)
    await verifier.advance(configuration, release)
    assert (await runs_of(rig, release))["e2e"].state is RunState.RUNNING
    rig.clock.advance(2)
    await verifier.advance(configuration, release)
    run = (await runs_of(rig, release))["e2e"]
    assert (run.state, run.message) == (
        RunState.ERROR,
        "it did not end within 1h: away again",
    )
    assert runner.calls[-1] == ("cancel", "r-e2e")


async def test_a_fault_of_a_runner_ends_no_run_but_its_own(
    rig: Rig, verifier: RunnerVerifier, runner: ScriptedRunner, caplog: pytest.LogCaptureFixture
) -> None:
    """The others go on, it is told on the page and in the log, and it ends with its time."""
    manual = msgspec.structs.replace(verification("other"), runner=RunnerSettings(kind="manual"))
    verifier = RunnerVerifier(
        rig.surroundings,
        {"scripted": runner, "manual": ManualRunner()},
        write=rig.database.write,
    )
    configuration = rig.configure(verifications=(verification("e2e", timeout=60.0), manual))
    release = await ready(rig)
    runner.error = LookupError("unknown encoding: \x1b")
    await verifier.advance(configuration, release)
    found = await runs_of(rig, release)
    assert found["other"].state is RunState.RUNNING
    assert (found["e2e"].state, found["e2e"].message) == (
        RunState.QUEUED,
        "unexpected LookupError: unknown encoding:",
    )
    assert "r-e2e: the runner scripted failed" in caplog.text
    rig.clock.advance(61)
    await verifier.advance(configuration, release)
    assert (await runs_of(rig, release))["e2e"].state is RunState.ERROR


async def test_of_many_runs_those_that_never_end_count_when_their_time_is_over(
    rig: Rig, verifier: RunnerVerifier, runner: ScriptedRunner
) -> None:
    """Two of three are needed: with two that hang the attempt is decided then, and not before."""
    many = verification("many", runs=3, required=2, timeout=3600.0, error_retries=0)
    configuration = rig.configure(verifications=(many,))
    release = await ready(rig)
    await verifier.advance(configuration, release)
    made = (await rig.database.read(lambda unit: runs.list_of(unit, ["r"])))["r"]
    done = msgspec.structs.replace(made[0], state=RunState.SUCCEEDED, ended=rig.clock.now())
    await rig.database.write(lambda unit: runs.write(unit, done, time=rig.clock.now()))
    rig.clock.advance(3599)
    await verifier.advance(configuration, release)
    made = (await rig.database.read(lambda unit: runs.list_of(unit, ["r"])))["r"]
    assert judge(configuration, made).phase is None
    rig.clock.advance(2)
    await verifier.advance(configuration, release)
    made = (await rig.database.read(lambda unit: runs.list_of(unit, ["r"])))["r"]
    assert [run.state for run in made].count(RunState.ERROR) == 2
    verdict = judge(configuration, made)
    assert (verdict.phase, verdict.message) == (
        Phase.REJECTED,
        "many broke: it did not end within 1h",
    )


@pytest.mark.parametrize("jump", [-7 * 86400.0, 7 * 86400.0])
async def test_a_clock_that_is_set_ends_no_run_for_ever(
    rig: Rig, verifier: RunnerVerifier, runner: ScriptedRunner, jump: float
) -> None:
    """Set on, a run seems late and is made again; set back, it is followed all the same."""
    configuration = rig.configure(
        verifications=(verification("e2e", timeout=3600.0, error_retries=1),)
    )
    release = await ready(rig)
    await verifier.advance(configuration, release)
    rig.clock.jump(jump)
    for _ in range(3):
        await verifier.advance(configuration, release)
    runner.updates["e2e"] = RunUpdate(state=RunState.SUCCEEDED)
    for _ in range(2):
        await verifier.advance(configuration, release)
    made = (await rig.database.read(lambda unit: runs.list_of(unit, ["r"])))["r"]
    assert judge(configuration, made).phase is Phase.ACCEPTED
    assert len(made) == (2 if jump > 0 else 1)


async def test_a_retry_after_the_clock_was_set_back_is_made_once(
    rig: Rig, verifier: RunnerVerifier, runner: ScriptedRunner
) -> None:
    """It is from before its release was ready, as it seems, and counts all the same."""
    configuration = rig.configure(verifications=(verification("e2e", max_retries=1),))
    release = await ready(rig)
    await verifier.advance(configuration, release)
    rig.clock.jump(-86400.0)
    runner.updates["e2e"] = RunUpdate(state=RunState.FAILED, message="broke")
    await verifier.advance(configuration, release)
    del runner.updates["e2e"]
    for _ in range(4):
        await verifier.advance(configuration, release)
    assert runner.calls[2:] == [("start", "r-e2e-1"), *[("poll", "r-e2e-1")] * 3]
    runner.updates["e2e"] = RunUpdate(state=RunState.FAILED, message="broke again")
    await verifier.advance(configuration, release)
    made = (await rig.database.read(lambda unit: runs.list_of(unit, ["r"])))["r"]
    verdict = judge(configuration, made, since=release.changed)
    assert (verdict.phase, verdict.message) == (Phase.REJECTED, "e2e failed 2 times: broke again")


async def test_an_update_starts_from_an_accepted_release_and_is_an_edge(
    rig: Rig, verifier: RunnerVerifier, runner: ScriptedRunner
) -> None:
    """What the run says of it is what the graph knows."""
    configuration = rig.configure(
        verifications=(verification("up", upgrade=UpgradeOrigin(rule="Previous")),)
    )
    before = await ready(rig, "before", phase=Phase.ACCEPTED)
    rig.clock.advance(60)
    release = await ready(rig, "after")
    await verifier.advance(configuration, release)
    run = (await runs_of(rig, release))["up"]
    assert (run.from_release, run.from_pull_spec) == (before.name, before.pull_spec)
    runner.updates["up"] = RunUpdate(state=RunState.SUCCEEDED, url="https://ci.test/1")
    await verifier.advance(configuration, release)
    edges = await rig.database.read(lambda unit: streams.read_edges(unit, target="after"))
    assert ("before", RunState.SUCCEEDED) in [(edge.source, edge.state) for edge in edges]
    assert not any(edge.state is RunState.RUNNING for edge in edges)


async def test_an_update_without_an_origin_holds_nothing_up(
    rig: Rig, verifier: RunnerVerifier, runner: ScriptedRunner
) -> None:
    """The first release of a stream has nothing to update from: that is said, and counts."""
    configuration = rig.configure(
        verifications=(verification("up", upgrade=UpgradeOrigin(rule="Previous")),)
    )
    release = await ready(rig)
    await verifier.advance(configuration, release)
    run = (await runs_of(rig, release))["up"]
    assert run.state is RunState.SUCCEEDED
    assert "no release that an update could start from" in run.message
    assert runner.calls == []


async def test_what_nobody_waits_for_is_ended(
    rig: Rig, verifier: RunnerVerifier, runner: ScriptedRunner
) -> None:
    """By a decision over the release, and by a verification that is taken away."""
    configuration = rig.configure(verifications=(verification("a"), verification("b")))
    release = await ready(rig)
    await verifier.advance(configuration, release)
    fewer: StreamConfiguration = rig.configure(verifications=(verification("a"),))
    await verifier.advance(fewer, release)
    assert (await runs_of(rig, release))["b"].state is RunState.ABORTED
    await verifier.abort(release, reason="the release is rejected")
    run = (await runs_of(rig, release))["a"]
    assert (run.state, run.message) == (RunState.ABORTED, "the release is rejected")
    assert ("cancel", "r-a") in runner.calls


async def test_a_kind_that_is_not_there_is_an_error_of_the_run(
    rig: Rig, verifier: RunnerVerifier
) -> None:
    """A stream that asks for a runner which this controller lacks says so on its page."""
    other = msgspec.structs.replace(verification("x"), runner=RunnerSettings(kind="tekton"))
    configuration = rig.configure(verifications=(other,))
    release = await ready(rig)
    await verifier.advance(configuration, release)
    run = (await runs_of(rig, release))["x"]
    assert run.state is RunState.ERROR
    assert "no runner of the kind tekton" in run.message
