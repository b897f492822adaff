# SPDX-License-Identifier: Apache-2.0
"""Workflows of a forge: asked for once, found again, followed with patience."""

from __future__ import annotations

from pathlib import Path

import pytest
from rig import Rig
from runners_rig import MakeContext, noted

from okd_payload.controller.model import RunState
from okd_payload.controller.verification.printed_artifacts import PRINT_SCRIPT
from okd_payload.controller.verification.runner import RunContext, RunUpdate
from okd_payload.controller.verification.runners.github import GithubRunner
from okd_payload.controller.verification.runners.github.runner import MARK_INPUT
from okd_payload.errors import (
    ContentError,
    InputError,
    RegistryRefused,
    RegistryUnavailable,
    Unauthorized,
)
from okd_payload.oci.web_requests import WebAnswer, WebRequest
from okd_payload.process import run as run_program
from okd_payload.testing.memory_forge import MemoryForge
from okd_payload.testing.memory_web import MemoryWeb

SETTINGS = {
    "repository": "okd/tests",
    "workflow": "verify.yaml",
    "api": "https://api.forge.test",
    "tokenVariable": "FORGE_TOKEN",
}
PAGE = "https://forge.test/okd/tests/actions/runs/101"


class Forge:
    """A forge, and a runner that uses it."""

    def __init__(self, rig: Rig, *, mark: str = MARK_INPUT) -> None:
        self.clock = rig.clock
        self.forge = MemoryForge("okd/tests", "verify.yaml", token="t0ken", mark=mark)
        self.web = MemoryWeb(self.forge.answer)
        self.runner = GithubRunner(rig.surroundings, self.web)

    async def start(self, context: RunContext) -> RunContext:
        """The run as it is noted after each start, until the forge shows it."""
        for _ in range(3):
            update = await self.runner.start(context)
            context = noted(context, update)
            if update.state is not RunState.QUEUED:
                break
            self.clock.advance(31)
        return context

    async def poll(self, context: RunContext) -> RunUpdate:
        """The run half a minute later."""
        self.clock.advance(31)
        return await self.runner.poll(context)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token of the controller."""
    monkeypatch.setenv("FORGE_TOKEN", "t0ken")


@pytest.fixture
def forge(rig: Rig) -> Forge:
    """A forge whose workflow puts the mark into its name."""
    return Forge(rig)


@pytest.mark.parametrize(
    ("conclusion", "expected"),
    [
        ("success", (RunState.SUCCEEDED, "")),
        ("failure", (RunState.FAILED, "failed: e2e, upgrade")),
        ("cancelled", (RunState.ABORTED, "cancelled")),
        ("timed_out", (RunState.ERROR, "timed out")),
        ("startup_failure", (RunState.ERROR, "startup failure")),
        ("skipped", (RunState.ERROR, "skipped")),
    ],
)
async def test_a_workflow_is_asked_for_followed_and_ends(
    forge: Forge, make_context: MakeContext, conclusion: str, expected: tuple[RunState, str]
) -> None:
    """It knows the releases, its page is told, and its jobs that failed are named."""
    context = await forge.start(
        make_context("github", settings=SETTINGS, environment={"region": "x"}, platform="aws")
    )
    assert (context.run.state, context.run.url) == (RunState.RUNNING, PAGE)
    assert context.run.handle == "okd/tests/101"
    assert forge.forge.inputs == [
        {
            "okd_payload_run": context.run.id,
            "platform": "aws",
            "region": "x",
            "release_image_initial": context.release.pull_spec,
            "release_image_latest": context.release.pull_spec,
        }
    ]
    forge.forge.jobs = [
        {"name": "e2e", "conclusion": "failure"},
        {"name": "lint", "conclusion": "success"},
        {"name": "upgrade", "conclusion": "failure"},
    ]
    assert (await forge.poll(context)).state is RunState.RUNNING
    forge.forge.end(101, conclusion)
    update = await forge.poll(context)
    assert (update.state, update.message) == expected


async def test_logs_and_artifacts_of_a_workflow_are_kept(
    forge: Forge, make_context: MakeContext, tmp_path: Path
) -> None:
    """From where the forge has them, which is not shown the token; what is away is said."""
    (tmp_path / "left").mkdir()
    (tmp_path / "left/junit.xml").write_text("<testsuite/>")
    variables = {"ARTIFACT_DIR": f"{tmp_path}/left", "TMPDIR": f"{tmp_path}"}
    step = await run_program(("/bin/sh", "-c", PRINT_SCRIPT), environment=variables)
    lines = ["12 tests passed", *step.output.decode().splitlines()]
    forge.forge.logs[7] = "".join(f"2026-01-02T03:04:05.1234567Z {line}\n" for line in lines)
    forge.forge.jobs = [
        {"id": 7, "name": "e2e", "conclusion": "success"},
        {"id": 8, "name": "gone", "conclusion": "success"},
    ]
    context = await forge.start(make_context("github", settings=SETTINGS))
    forge.forge.end(101, "success")
    update = await forge.poll(context)
    assert (update.state, update.url) == (RunState.SUCCEEDED, PAGE)
    assert update.artifacts == ("artifacts/junit.xml",)
    log = (context.folder / update.log).read_text().splitlines()
    assert log[:4] == ["==> e2e", "12 tests passed", "", "[artifacts kept: 1]"]
    assert log[4] == "==> gone"
    assert "404" in log[5]
    elsewhere = [each for each in forge.web.requests if "logs.forge.test" in each.url]
    assert [dict(each.headers) for each in elsewhere] == [{}]


async def test_the_forge_is_not_asked_all_the_time(forge: Forge, make_context: MakeContext) -> None:
    """Between two looks the run stays as it is."""
    context = await forge.start(make_context("github", settings=SETTINGS))
    asked = len(forge.web.requests)
    for _ in range(5):
        update = await forge.runner.poll(context)
        assert update.state is RunState.RUNNING
    assert len(forge.web.requests) == asked
    await forge.poll(context)
    assert len(forge.web.requests) == asked + 1


async def test_a_kill_after_asking_makes_no_second_run(
    rig: Rig, forge: Forge, make_context: MakeContext
) -> None:
    """Another process finds the one that was asked for, also where the forge shows it late."""
    context = make_context("github", settings=SETTINGS)
    forge.forge.slow = True
    await forge.runner.start(context)
    for _ in range(3):
        again = GithubRunner(rig.surroundings, forge.web)
        assert (await again.start(context)).state is RunState.QUEUED
    forge.forge.slow = False
    update = await GithubRunner(rig.surroundings, forge.web).start(context)
    assert (update.state, update.handle) == (RunState.RUNNING, "okd/tests/101")
    assert len(forge.forge.inputs) == 1


async def test_an_answer_that_was_lost_makes_no_second_run(
    forge: Forge, make_context: MakeContext
) -> None:
    """Whether it was asked for is not known, so it is looked for."""
    context = make_context("github", settings=SETTINGS)
    real = forge.forge.answer

    def lose(request: WebRequest) -> WebAnswer:
        real(request)
        raise RegistryUnavailable("cut")

    forge.web.answer = lambda request: (
        lose(request) if request.url.endswith("dispatches") else real(request)
    )
    with pytest.raises(RegistryUnavailable, match="cut"):
        await forge.runner.start(context)
    forge.web.answer = real
    forge.clock.advance(31)
    assert (await forge.start(context)).run.handle == "okd/tests/101"
    assert len(forge.forge.inputs) == 1


async def test_a_workflow_without_the_mark_is_an_error_and_not_asked_for_for_ever(
    rig: Rig, make_context: MakeContext
) -> None:
    """The message says what the workflow lacks."""
    forge = Forge(rig, mark="other")
    context = make_context("github", settings=SETTINGS)
    await forge.runner.start(context)
    forge.clock.advance(301)
    update = await forge.runner.start(context)
    assert update.state is RunState.ERROR
    assert "run-name: ${{ inputs.okd_payload_run }}" in update.message
    assert len(forge.forge.inputs) == 1


@pytest.mark.parametrize(
    ("trouble", "seconds"),
    [
        (WebAnswer(status=500), 15),
        (WebAnswer(status=429), 60),
        (WebAnswer(status=429, headers={"retry-after": "120"}), 120),
        (WebAnswer(status=403, headers={"retry-after": "soon"}), 60),
        (
            WebAnswer(
                status=403,
                headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000331"},
            ),
            300,
        ),
        (WebAnswer(status=503, headers={"retry-after": "999999"}), 3600),
    ],
)
async def test_a_forge_that_asks_for_patience_is_left_alone(
    forge: Forge, make_context: MakeContext, trouble: WebAnswer, seconds: int
) -> None:
    """For as long as it says, for all runs; then they go on."""
    context = await forge.start(make_context("github", settings=SETTINGS))
    forge.clock.advance(31 - (forge.clock.monotonic() % 31))
    forge.web.troubles = [trouble]
    before = forge.clock.now()
    with pytest.raises(RegistryUnavailable, match=f"answers {trouble.status}"):
        await forge.runner.poll(context)
    asked = len(forge.web.requests)
    other = make_context("github", settings=SETTINGS, name="other")
    with pytest.raises(RegistryUnavailable, match="asked for patience"):
        await forge.runner.start(other)
    assert len(forge.web.requests) == asked
    forge.clock.advance(seconds - (forge.clock.now() - before))
    forge.clock.advance(31)
    assert (await forge.runner.poll(context)).state is RunState.RUNNING


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (WebAnswer(status=403, body=b"no\x1b[1m"), Unauthorized),
        (WebAnswer(status=422, body=b"Unexpected inputs provided"), RegistryRefused),
    ],
)
async def test_a_forge_that_refuses_is_asked_again_once_it_may_be(
    forge: Forge, make_context: MakeContext, answer: WebAnswer, error: type[Exception]
) -> None:
    """The reason stands beside the run, and nothing was made."""
    context = make_context("github", settings=SETTINGS)
    forge.web.troubles = [WebAnswer(status=200, body=b"{}"), answer]
    with pytest.raises(error, match=str(answer.status)):
        await forge.runner.start(context)
    assert (await forge.start(context)).run.state is RunState.RUNNING


async def test_a_run_that_is_gone_or_no_answer_at_all(
    forge: Forge, make_context: MakeContext
) -> None:
    """A deleted run is an error; nonsense is told and asked about again."""
    context = await forge.start(make_context("github", settings=SETTINGS))
    forge.web.troubles = [WebAnswer(status=200, body=b"<html>")]
    with pytest.raises(ContentError, match="cannot be read"):
        await forge.poll(context)
    del forge.forge.runs[101]
    update = await forge.poll(context)
    assert (update.state, update.message) == (RunState.ERROR, "run 101 of okd/tests is gone")


async def test_cancelling_ends_the_workflow(forge: Forge, make_context: MakeContext) -> None:
    """Also one whose number was never noted; one that has ended is no error."""
    context = make_context("github", settings=SETTINGS)
    await forge.runner.cancel(context)
    await forge.runner.start(context)
    await forge.runner.cancel(context)
    await forge.runner.cancel(await forge.start(context))
    assert forge.forge.cancelled == [101]


async def test_without_a_token_nothing_is_asked(
    forge: Forge, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing is named, and never its value."""
    monkeypatch.delenv("FORGE_TOKEN")
    with pytest.raises(InputError, match="there is no token in FORGE_TOKEN"):
        await forge.runner.start(make_context("github", settings=SETTINGS))
    settings = {**SETTINGS, "tokenVariable": "", "tokenFile": "/no/such"}
    with pytest.raises(InputError, match="cannot read token from /no/such"):
        await forge.runner.start(make_context("github", settings=settings))
    assert not forge.web.requests
