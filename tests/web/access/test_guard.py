# SPDX-License-Identifier: Apache-2.0
"""Nothing is written without a role, and nobody is taken for somebody else."""

from __future__ import annotations

import logging
import re
from typing import Any

import msgspec
import pytest
from asking import add_release, handlers_of, token_for
from litestar import post
from litestar.testing import AsyncTestClient
from rig import STREAM, Rig

from okd_payload.controller.records import audit, tokens
from okd_payload.web.access.guard import role_of
from okd_payload.web.access.roles import Role, permits
from okd_payload.web.access.settings import AccessSettings, ProxySettings, SiteSettings
from okd_payload.web.access.tokens import mint_token, recognise, revoke_token
from okd_payload.web.application import PARTS, make_application
from okd_payload.web.site import Site

READING = {"GET", "HEAD"}


def site_of(rig: Rig, **access: Any) -> Site:
    """A site with these settings of access."""
    settings = SiteSettings(access=AccessSettings(**access))
    return Site(surroundings=rig.surroundings, base_url="https://releases.test", settings=settings)


def fill(path: str) -> str:
    """``path`` with the name of nothing in each of its places."""
    return re.sub(r"{[^}]+}", "nobody", re.sub(r"{\w+:int}", "1", path))


async def test_every_route_that_writes_refuses_everybody_without_its_role(rig):
    """Each route, asked by nobody and with each role, opens for exactly the roles it names."""
    application = make_application(site_of(rig))
    shown = {role: await token_for(rig, role.value) for role in Role}
    written = 0
    async with AsyncTestClient[Any](application) as client:
        for path, method, handler in handlers_of(application):
            if method in READING:
                continue
            written += 1
            needed = role_of(handler)
            answer = await client.request(method, fill(path), json={})
            assert answer.status_code in (401, 403), f"{method} {path}: {answer.status_code}"
            for role, headers in shown.items():
                answer = await client.request(method, fill(path), json={}, headers=headers)
                opens = needed is not None and permits([role], needed)
                refused = answer.status_code in (401, 403)
                assert refused != opens, f"{method} {path} for {role}: {answer.status_code}"
    assert written > 15


async def test_every_route_that_reads_can_be_closed(rig):
    """Without anonymous reading, all but probes and what judges by itself asks for a token."""
    application = make_application(site_of(rig, anonymous_reading=False))
    async with AsyncTestClient[Any](application) as client:
        for path, method, handler in handlers_of(application):
            if method != "GET" or role_of(handler) is None:
                continue
            answer = await client.get(fill(path), headers={"Accept": "application/json"})
            assert answer.status_code == 401, path
        headers = await token_for(rig, "reader")
        assert (await client.get("/api/v2/streams", headers=headers)).status_code == 200


async def test_a_route_that_writes_and_names_no_role_is_closed(rig, monkeypatch):
    """Somebody who forgets the role opens nothing, not even for administrators."""

    @post("/forgotten")
    async def forgotten() -> None:
        raise AssertionError

    application = make_application(site_of(rig), parts=())
    application.register(forgotten)
    headers = await token_for(rig, "administrator")
    async with AsyncTestClient[Any](application) as client:
        assert (await client.post("/forgotten", headers=headers)).status_code == 403


async def test_tokens_are_known_until_they_end(rig):
    """By their whole text only, not after they expired or were revoked, with their last use."""
    minted = await mint_token(rig.surroundings, "ci", roles=["manager"], seconds=60, actor="me")
    known = await recognise(rig.surroundings, minted.text)
    assert known is not None
    assert known.name == "ci"
    last = minted.text[-1]
    for wrong in (
        minted.text[:-1] + ("a" if last != "a" else "b"),
        minted.text[:-1],
        "",
        "x" * 9000,
    ):
        assert await recognise(rig.surroundings, wrong) is None
    stored = await rig.database.read(tokens.list_all)
    assert stored[0].used == rig.clock.now()
    assert minted.text not in repr(stored)
    rig.clock.advance(61)
    assert await recognise(rig.surroundings, minted.text) is None
    other = await mint_token(rig.surroundings, "ci", roles=["manager"], seconds=None, actor="me")
    rig.clock.advance(1e9)
    assert await recognise(rig.surroundings, other.text) is not None
    await revoke_token(rig.surroundings, other.token.id)
    assert await recognise(rig.surroundings, other.text) is None


async def test_who_guesses_is_not_heard_any_more(rig):
    """After ten wrong tokens even a right one is refused, for a minute, with word of how long."""
    right = await token_for(rig, "administrator")
    async with AsyncTestClient[Any](make_application(site_of(rig))) as client:
        for _ in range(10):
            answer = await client.get("/api/v2/audit", headers={"Authorization": "Bearer wrong"})
            assert answer.status_code == 401
        answer = await client.get("/api/v2/audit", headers=right)
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 61
        rig.clock.advance(61)
        assert (await client.get("/api/v2/audit", headers=right)).status_code == 200


PROXY = ProxySettings(
    addresses=("127.0.0.0/8", "10.0.0.0/8"),
    group_roles={"team": Role.MANAGER},
    user_roles={"ada": Role.MANAGER},
)
SAID = {"X-Forwarded-User": "eve", "X-Forwarded-Groups": "others,team"}


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("10.1.2.3", SAID | {"Origin": "https://releases.test"}, 200),
        ("10.1.2.3", SAID | {"Sec-Fetch-Site": "same-origin"}, 200),
        ("10.1.2.3", SAID | {"Origin": "https://evil.test"}, 403),
        ("10.1.2.3", SAID | {"Origin": "null"}, 403),
        ("10.1.2.3", SAID | {"Sec-Fetch-Site": "cross-site"}, 403),
        ("10.1.2.3", SAID, 403),
        ("10.1.2.3", {"X-Forwarded-User": "eve", "Origin": "https://releases.test"}, 403),
        ("10.1.2.3", {"X-Forwarded-User": "ada", "Origin": "https://releases.test"}, 200),
        ("192.0.2.7", SAID | {"Origin": "https://releases.test"}, 401),
        (
            "192.0.2.7",
            SAID | {"X-Forwarded-For": "10.1.2.3", "Origin": "https://releases.test"},
            401,
        ),
    ],
)
async def test_only_listed_proxies_say_who_asks(rig, peer, headers, status):
    """And only a page of this site, seen by its origin, may make a browser write through them."""
    release = await add_release(rig)
    application = make_application(site_of(rig, proxy=PROXY))

    async def from_peer(scope: Any, receive: Any, send: Any) -> None:
        scope["client"] = (peer, 1234)
        await application(scope, receive, send)

    async with AsyncTestClient[Any](from_peer) as client:
        answer = await client.post(
            f"/api/v2/releases/{release.name}/accept", json={"reason": "fine"}, headers=headers
        )
    assert answer.status_code == status


async def test_cookies_open_nothing(rig):
    """What a browser sends by itself is not looked at."""
    release = await add_release(rig)
    shown = (await token_for(rig, "administrator"))["Authorization"].removeprefix("Bearer ")
    async with AsyncTestClient[Any](make_application(site_of(rig))) as client:
        for cookie in (shown, f"token={shown}", f"session={shown}"):
            answer = await client.post(
                f"/api/v2/releases/{release.name}/accept", json={}, headers={"Cookie": cookie}
            )
            assert answer.status_code == 401


async def test_whoever_writes_is_on_record(rig, caplog):
    """Done and refused, by name and address; and no token stands in answers, logs or records."""
    caplog.set_level(logging.DEBUG)
    release = await add_release(rig)
    headers = await token_for(rig, "manager", name="alice")
    path = f"/api/v2/releases/{release.name}/accept"
    async with AsyncTestClient[Any](make_application(site_of(rig))) as client:
        answers = [
            await client.post(path, json={"reason": "fine"}, headers=headers),
            await client.post(path, json={}),
            await client.post(
                path, json={}, headers={"Authorization": headers["Authorization"] + "x"}
            ),
            await client.post(f"/api/v2/streams/{STREAM}/pause", json={}, headers=headers),
        ]
    entries = await rig.database.read(audit.read_last)
    told = [(each.actor, each.action, each.status) for each in reversed(entries)]
    assert told == [
        ("alice", f"POST {path}", 200),
        ("", f"POST {path}", 401),
        ("", f"POST {path}", 401),
        ("alice", f"POST /api/v2/streams/{STREAM}/pause", 400),
    ]
    secret = headers["Authorization"].removeprefix("Bearer ")
    assert secret not in caplog.text
    assert all(secret not in answer.text for answer in answers)
    assert secret not in msgspec.json.encode(entries).decode()


def test_every_part_is_served():
    """The parts that exist are the ones that are in the table, so that the matrix sees them."""
    assert {"health", "api", "events"} <= set(PARTS)
