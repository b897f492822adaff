# SPDX-License-Identifier: Apache-2.0
"""Other people's servers: told with a signature, asked where they say, and nowhere else."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgspec
import pytest
from rig import STREAM, Rig
from runners_rig import MakeContext, noted

from okd_payload.controller.actions.reports import WrongToken, report_run
from okd_payload.controller.model import Phase, RunState
from okd_payload.controller.records import releases, runs, streams
from okd_payload.controller.verification.runner import RunContext
from okd_payload.controller.verification.runners.webhook import RunReport, WebhookRunner
from okd_payload.errors import ContentError, InputError, RegistryRefused, RegistryUnavailable
from okd_payload.oci.web_requests import WebAnswer, WebRequest
from okd_payload.testing.memory_web import MemoryWeb

URL = "https://lab.test/hooks/verify"
SETTINGS = {"url": URL, "secretFile": ""}
SECRET = "s3cret"


class Lab:
    """A server that carries out runs, and checks who tells it of them."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, dict[str, Any]]] = []
        self.report: dict[str, str] = {}

    def answer(self, request: WebRequest) -> WebAnswer:
        headers = request.headers
        signed = headers["X-Okd-Payload-Timestamp"].encode() + b"." + request.body
        expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert headers["X-Okd-Payload-Signature"] == f"sha256={expected}"
        document = msgspec.json.decode(request.body)
        self.told.append((headers["X-Okd-Payload-Event"], request.url, document))
        body = msgspec.json.encode(self.report) if self.report else b""
        return WebAnswer(status=202, body=body)


@pytest.fixture
def lab() -> Lab:
    """A server."""
    return Lab()


@pytest.fixture
def web(lab: Lab) -> MemoryWeb:
    """The way to it."""
    return MemoryWeb(lab.answer)


@pytest.fixture
def runner(rig: Rig, web: MemoryWeb) -> WebhookRunner:
    """A runner that tells it."""
    return WebhookRunner(rig.surroundings, web, base_url="https://releases.test")


@pytest.fixture
def context(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> RunContext:
    """A run for the server."""
    monkeypatch.setenv("LAB_SECRET", SECRET)
    return make_context("webhook", settings={"url": URL, "secretVariable": "LAB_SECRET"})


async def test_a_server_is_told_asked_and_ends_the_run(
    rig: Rig, runner: WebhookRunner, lab: Lab, context: RunContext
) -> None:
    """It learns the contract; its log and results are kept."""
    lab.report = {"state": "queued", "poll": "https://lab.test/runs/7", "url": "https://lab.test/7"}
    update = await runner.start(context)
    assert (update.state, update.url) == (RunState.RUNNING, "https://lab.test/7")
    event, url, document = lab.told[0]
    assert (event, url, document["run"]) == ("verification.start", URL, context.run.id)
    assert document["environment"]["RELEASE_IMAGE_LATEST"] == context.release.pull_spec
    address = f"https://releases.test/api/v2/runs/{context.run.id}/result"
    assert document["result"]["url"] == address
    context = noted(context, update)
    lab.report = {"state": "running", "message": "half way"}
    assert (await runner.poll(context)).message == "half way"
    assert lab.told[1][:2] == ("verification.poll", "https://lab.test/runs/7")
    lab.report = {"state": "Failed", "message": "no\x1bdisk", "log": "all\n", "junit": "<x/>"}
    assert (await runner.poll(context)).state is RunState.RUNNING  # asked only just now
    rig.clock.advance(11)
    update = await runner.poll(context)
    assert (update.state, update.message) == (RunState.FAILED, "no disk")
    assert (context.folder / update.log).read_text() == "all\n"
    assert update.artifacts == ("artifacts/junit.xml",)


@pytest.mark.parametrize(
    "poll",
    [
        "https://elsewhere.test/runs/7",
        "http://lab.test/runs/7",
        "https://lab.test:8443/7",
        "https://lab.test@elsewhere.test/",
        "https://lab.test\\@elsewhere.test/",
        "file:///etc/passwd",
        "https://lab.test/\0",
        "https://lab.test/" + "x" * 5000,
    ],
)
async def test_only_its_own_addresses_are_asked(
    runner: WebhookRunner, lab: Lab, context: RunContext, poll: str
) -> None:
    """Else it could make us look into networks that only we can reach."""
    lab.report = {"state": "running", "poll": poll}
    with pytest.raises(RegistryRefused, match="only its own addresses are asked"):
        await runner.start(context)
    stored = msgspec.structs.replace(context.run, handle=poll)
    if poll.startswith("http"):
        with pytest.raises(RegistryRefused):
            await runner.poll(msgspec.structs.replace(context, run=stored))
    assert len(lab.told) == 1


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://lab.test/\0", "https://lab.test/" + "x" * 5000]
)
async def test_pages_are_led_to_addresses_only(
    runner: WebhookRunner, lab: Lab, context: RunContext, url: str
) -> None:
    """What else it names is left out: no page acts on it, and every database takes the run."""
    lab.report = {"state": "running", "url": url}
    assert (await runner.start(context)).url == ""


@pytest.mark.parametrize(
    "body",
    [
        b'{"message": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"other": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"message": "\xed\xa0\x80"}',
        b'{"message": "\\ud800"}',
        b"\x89PNG",
    ],
)
async def test_an_answer_that_is_rubbish_is_told(
    rig: Rig, context: RunContext, body: bytes
) -> None:
    """However it is rubbish: nested without end, or no text."""
    web = MemoryWeb(lambda _: WebAnswer(status=200, body=body))
    with pytest.raises(ContentError, match="the answer cannot be read"):
        await WebhookRunner(rig.surroundings, web).start(context)


async def test_what_is_no_report_is_told(
    runner: WebhookRunner, lab: Lab, web: MemoryWeb, context: RunContext
) -> None:
    """A state that nobody knows, and a server that is away."""
    lab.report = {"state": "fine"}
    with pytest.raises(RegistryRefused, match="'fine' is no state of a run"):
        await runner.start(context)
    web.troubles = [RegistryUnavailable("lab.test is away")]
    with pytest.raises(RegistryUnavailable):
        await runner.start(context)
    lab.report = {}
    update = await runner.start(context)
    assert (update.state, update.handle) == (RunState.RUNNING, "reported")


async def test_cancelling_tells_the_server(
    runner: WebhookRunner, lab: Lab, context: RunContext
) -> None:
    """It may end what it does."""
    await runner.cancel(context)
    assert lab.told[0] == ("verification.cancel", URL, {"run": context.run.id})


async def test_a_result_may_be_reported(
    rig: Rig, runner: WebhookRunner, lab: Lab, context: RunContext
) -> None:
    """With the token of the run and no other; the same report again changes nothing."""
    rig.configure(verifications=(context.verification,))
    release = msgspec.structs.replace(context.release, phase=Phase.READY)
    run = noted(context, await runner.start(context)).run
    run = msgspec.structs.replace(run, from_release="4.19.0")
    await rig.database.write(lambda unit: releases.create(unit, release, ()))
    await rig.database.write(lambda unit: runs.write(unit, run, time=1.0))
    token = lab.told[0][2]["result"]["token"]
    report = RunReport(state="succeeded", message="all well", log="log\n")
    for wrong in ("", "0" * 64, token.upper() + "x"):
        with pytest.raises(WrongToken, match="token"):
            await report_run(rig.surroundings, run.id, token=wrong, report=report)
    with pytest.raises(WrongToken):
        await report_run(rig.surroundings, "no-such-run", token=token, report=report)
    for _ in range(2):
        ended = await report_run(rig.surroundings, run.id, token=token, report=report)
        assert (ended.state, ended.message) == (RunState.SUCCEEDED, "all well")
        assert ended.log == f"runs/{run.id}/log"
    with pytest.raises(InputError, match="has ended already"):
        await report_run(rig.surroundings, run.id, token=token, report=RunReport(state="failed"))
    edges = await rig.database.read(streams.read_edges)
    assert [(edge.source, edge.state) for edge in edges] == [("4.19.0", RunState.SUCCEEDED)]
    assert rig.streams[STREAM].name == release.stream
