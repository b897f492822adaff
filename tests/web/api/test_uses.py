# SPDX-License-Identifier: Apache-2.0
"""Who uses a release says so, and it stays until that is over."""

from __future__ import annotations

import pytest
from asking import add_release, token_for
from rig import STREAM

from okd_payload.controller.configuration.model import Retention
from okd_payload.controller.model import Phase


async def test_a_release_in_use_does_not_expire(rig, client):
    """Its answer says who uses it, until that is taken back."""
    rig.configure(retention=Retention(expires=60.0, keep_accepted=0))
    release = await add_release(rig, phase=Phase.ACCEPTED)
    rig.clock.advance(3600)
    headers = await token_for(rig, "verifier", name="cluster-a")
    path = f"/api/v2/releases/{release.name}"
    assert (await client.get(path)).json()["expiry"]["step"] == "withdraw"
    answer = await client.post(f"{path}/use", json={"seconds": 7200}, headers=headers)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["reporter"], answer.json()["release"]) == ("cluster-a", release.name)
    expiry = (await client.get(path)).json()["expiry"]
    assert (expiry["step"], expiry["reason"]) == ("stay", "cluster-a uses it")
    for ended in (True, False):
        answer = await client.post(f"{path}/stop-using", json={}, headers=headers)
        assert answer.json() == {"release": release.name, "ended": ended}
    assert (await client.get(path)).json()["expiry"]["step"] == "withdraw"


@pytest.mark.parametrize("body", [{"seconds": 0}, {"seconds": -1}, {"seconds": 1e300}])
async def test_a_time_that_makes_no_sense_is_refused(rig, client, body):
    """And so are a release that nobody has, and somebody without a role."""
    release = await add_release(rig)
    headers = await token_for(rig, "verifier")
    path = f"/api/v2/releases/{release.name}/use"
    assert (await client.post(path, json=body, headers=headers)).status_code == 400
    assert (await client.post(path, json={})).status_code == 401
    unknown = f"/api/v2/releases/{STREAM}-x/stop-using"
    assert (await client.post(unknown, json={}, headers=headers)).status_code == 404
