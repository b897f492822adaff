# SPDX-License-Identifier: Apache-2.0
"""What is read and done is the same on PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest
from asking import add_release, add_run, token_for
from litestar.testing import AsyncTestClient
from rig import STREAM

from okd_payload.controller.model import Phase, RunState
from okd_payload.web.application import make_application
from okd_payload.web.site import Site

pytestmark = pytest.mark.integration


@pytest.fixture
def records(postgresql_records: str) -> str:
    """Those on the server."""
    return postgresql_records


async def test_everything_is_answered(rig):
    """Every route that only reads, about what is there; actions; metrics and feeds."""
    first = await add_release(rig, 0, phase=Phase.ACCEPTED)
    second = await add_release(rig, 60)
    await add_run(rig, first, state=RunState.SUCCEEDED)
    headers = await token_for(rig, "administrator")
    site = Site(surroundings=rig.surroundings)
    parts = ("api", "feeds", "metrics")
    async with AsyncTestClient[Any](make_application(site, parts=parts)) as client:
        for path in (
            "/api/v2/streams",
            "/api/v2/releases?phase=Ready&text=00&limit=1&since=2020-01-01T00:00:00Z",
            f"/api/v2/releases/{first.name}",
            f"/api/v2/releases/{first.name}/lock",
            f"/api/v2/releases/{second.name}/changes",
            "/api/v2/components/etcd",
            "/api/v2/search?q=000000",
            "/api/v2/history?kind=release.phase",
            f"/api/v2/runs/{first.name}-check",
            "/api/v2/tokens",
            "/api/v2/webhooks",
            "/api/v2/audit",
            "/metrics",
            "/feeds/all.atom",
        ):
            answer = await client.get(path, headers=headers)
            assert answer.status_code == 200, f"{path}: {answer.text}"
        assert (
            f'okd_payload_accepted_age_seconds{{stream="{STREAM}"}}'
            in (await client.get("/metrics")).text
        )
        body = {"url": "https://ci.test/hook", "secret": "0123456789abcdef"}
        for path, sent in (
            (f"/api/v2/releases/{second.name}/accept", {"reason": "a\x00b"}),
            (f"/api/v2/releases/{second.name}/approve", {"team": "docs"}),
            (f"/api/v2/streams/{STREAM}/pause", {"reason": "wait"}),
            ("/api/v2/webhooks/ci", body),
        ):
            answer = await client.post(path, json=sent, headers=headers)
            assert answer.status_code == 200, f"{path}: {answer.text}"


@pytest.mark.parametrize("name", ["%00", "a%00b", "%ff", "%ed%a0%80", "'; drop table releases"])
async def test_no_name_breaks_the_database(rig, name):
    """What no text of it can be is refused before it is asked."""
    site = Site(surroundings=rig.surroundings)
    async with AsyncTestClient[Any](make_application(site, parts=("api",))) as client:
        for path in (
            f"/api/v2/releases/{name}",
            f"/api/v2/releases?text={name}",
            f"/api/v2/search?q={name}",
        ):
            answer = await client.get(path)
            assert answer.status_code in (200, 400, 404), f"{path}: {answer.text}"
