# SPDX-License-Identifier: Apache-2.0
"""Servers report how runs went that they carry out: by the token of the run, and nothing else."""

from __future__ import annotations

import msgspec
import pytest
from asking import add_release, add_run, token_for
from rig import STREAM

from okd_payload.controller.configuration.model import Runner, Schedule, Verification
from okd_payload.controller.model import Phase, RunState
from okd_payload.controller.records import runs
from okd_payload.controller.verification.secret_settings import result_token

SECRET = "lab"


@pytest.fixture
async def path(rig, monkeypatch):
    """Where the result of a run is reported that a webhook was told of."""
    monkeypatch.setenv("LAB_SECRET", SECRET)
    settings = {"url": "https://lab.test/", "secretVariable": "LAB_SECRET"}
    runner = Runner(kind="webhook", settings=settings)
    rig.configure(verifications=(Verification(name="lab", runner=runner),))
    release = await add_release(rig, phase=Phase.READY)
    run = await add_run(rig, release, verification="lab", runner="webhook", state=RunState.RUNNING)
    return f"/api/v2/runs/{run.id}/result"


def bearer(path, *, secret=SECRET):
    """The token of the run, as its server shows it."""
    return {"Authorization": f"Bearer {result_token(secret, path.split('/')[4])}"}


async def test_a_result_is_reported(rig, client, path):
    """With its log and results, once; the answer is the run."""
    report = {"state": "failed", "message": "no <b>quorum", "log": "all of it\n", "junit": "<x/>"}
    for _ in range(2):
        answer = await client.post(path, json=report, headers=bearer(path))
        assert (answer.status_code, answer.json()["state"]) == (200, "Failed")
    log = await client.get(path.replace("/result", "/log"))
    assert log.text == "all of it\n"
    other = await client.post(path, json={"state": "succeeded"}, headers=bearer(path))
    assert other.status_code == 400
    found = await rig.database.read(lambda unit: runs.find(unit, path.split("/")[4]))
    assert (found.state, found.message) == (RunState.FAILED, "no <b>quorum")


async def test_a_result_of_a_schedule_is_reported_too(rig, client, path):
    """What is verified again and again is carried out by servers as well."""
    lab = rig.streams[STREAM].verifications[0]
    schedule = Schedule(name="lab", kind="verify", interval=3600.0, verification=lab)
    rig.configure(schedules=(schedule,))
    answer = await client.post(path, json={"state": "succeeded"}, headers=bearer(path))
    assert (answer.status_code, answer.json()["state"]) == (200, "Succeeded")


@pytest.mark.parametrize("scheme", ["none", "other", "basic", "administrator", "forgotten"])
async def test_nobody_else_reports_it(rig, client, path, monkeypatch, scheme):
    """No token, that of another secret, a role of people, or a secret that is gone."""
    headers = bearer(path, secret="other")
    if scheme == "none":
        headers = {}
    elif scheme == "basic":
        headers = {"Authorization": bearer(path)["Authorization"].replace("Bearer", "Basic")}
    elif scheme == "administrator":
        headers = await token_for(rig, "administrator")
    elif scheme == "forgotten":
        headers = bearer(path)
        monkeypatch.delenv("LAB_SECRET")
    answer = await client.post(path, json={"state": "succeeded"}, headers=headers)
    assert answer.status_code == 401
    assert "LAB_SECRET" not in answer.text
    found = await rig.database.read(lambda unit: runs.find(unit, path.split("/")[4]))
    assert found.state is RunState.RUNNING


async def test_what_is_no_report_is_refused(rig, client, path):
    """A state that nobody knows, a run that nobody knows, and one of another runner."""
    answer = await client.post(path, json={"state": "fine"}, headers=bearer(path))
    assert answer.status_code == 400
    absent = path.replace("/runs/", "/runs/absent-")
    answer = await client.post(absent, json={"state": "failed"}, headers=bearer(absent))
    assert answer.status_code == 401
    run = await rig.database.read(lambda unit: runs.find(unit, path.split("/")[4]))
    manual = msgspec.structs.replace(run, runner="manual")
    await rig.database.write(lambda unit: runs.write(unit, manual, time=1.0))
    answer = await client.post(path, json={"state": "failed"}, headers=bearer(path))
    assert answer.status_code == 401
