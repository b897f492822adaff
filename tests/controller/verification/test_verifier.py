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
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.controller.verification.verifier import RunnerVerifier
from okd_payload.errors import ClusterUnavailable


class ScriptedRunner:
    """A runner whose runs are as a test wants them."""

    def __init__(self) -> None:
        self.updates: dict[str, RunUpdate] = {}
        self.error: ClusterUnavailable | None = None
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
    assert (run.state, run.message) == (RunState.ERROR, "it did not end within 1h")
    assert runner.calls[-1] == ("cancel", "r-e2e")


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
