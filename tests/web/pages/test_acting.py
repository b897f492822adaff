# SPDX-License-Identifier: Apache-2.0
"""People act by forms: what was done is said once, and what was not is said with the reason."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from litestar.testing import AsyncTestClient
from page_server import PARTS
from past import BROKEN, MAIN
from prepared import add_manual_run, publish_two, wait_for_approvals

from okd_payload.controller.model import Phase, PublicationState, Release, RunState
from okd_payload.controller.records import releases, runs, streams
from okd_payload.web.access.roles import Role
from okd_payload.web.access.settings import AccessSettings, ProxySettings, SiteSettings
from okd_payload.web.application import make_application
from okd_payload.web.pages.deeds import ON_RELEASES, ON_RUNS, ON_STREAMS

Client = AsyncTestClient[Any]
ADDRESS = "https://releases.test"


@pytest.fixture(
    params=[
        "sqlite_records",
        pytest.param("postgresql_records", marks=pytest.mark.integration),
    ]
)
def records(request: pytest.FixtureRequest) -> str:
    """Those of each database that we support."""
    return str(request.getfixturevalue(request.param))


@contextlib.asynccontextmanager
async def open_as(site: Any, *roles: Role) -> AsyncIterator[Client]:
    """A browser that a listed proxy says is ada, with these roles."""
    proxy = ProxySettings(
        addresses=("127.0.0.1",), group_roles={f"g-{role.value}": role for role in Role}
    )
    settings = SiteSettings(access=AccessSettings(proxy=proxy))
    application = make_application(msgspec.structs.replace(site, settings=settings), parts=PARTS)

    async def from_proxy(scope: Any, receive: Any, send: Any) -> None:
        scope["client"] = ("127.0.0.1", 1234)
        await application(scope, receive, send)

    async with AsyncTestClient[Any](from_proxy, base_url=ADDRESS) as client:
        client.headers["origin"] = ADDRESS
        if roles:
            client.headers["x-forwarded-user"] = "ada"
            client.headers["x-forwarded-groups"] = ",".join(f"g-{role.value}" for role in roles)
        yield client


def offered(page: str) -> set[str]:
    """The deeds that have a form on ``page``."""
    return set(re.findall(r'<form class="sheet" method="post" action="[^"]*/([a-z-]+)"', page))


async def find(rig: Any, name: str) -> Release:
    """The release as it is now."""
    found = await rig.database.read(lambda unit: releases.find(unit, name))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("roles", "deeds"),
    [
        ((), set()),
        ((Role.READER,), set()),
        ((Role.VERIFIER,), {"approve"}),
        ((Role.PUBLISHER,), {"publish"}),
        ((Role.MANAGER,), {"reject", "retry", "keep", "withdraw"}),
        (
            (Role.ADMINISTRATOR,),
            {"reject", "retry", "keep", "withdraw", "approve", "publish"},
        ),
    ],
)
async def test_only_who_may_has_a_form(site, past, rig, roles, deeds) -> None:
    """For others the page is the same without; who comes by no listed proxy is nobody."""
    wait_for_approvals(rig)
    async with open_as(site, *roles) as client:
        page = (await client.get(f"/releasetag/{past.names[MAIN][-3]}")).text
        assert offered(page) == deeds
        name = past.names[MAIN][-3]
        for deed in ON_RELEASES:
            answer = await client.post(f"/releasetag/{name}/{deed.word}", data={})
            permitted = deed.role in roles or Role.ADMINISTRATOR in roles
            assert (answer.status_code in (401, 403)) is not permitted


async def test_a_verdict_is_done_said_once_and_on_record(site, past, rig) -> None:
    """Post, redirect, get: the page says it, and says it no more when it is loaded again."""
    name = past.names[MAIN][-1]
    async with open_as(site, Role.MANAGER) as client:
        answer = await client.post(f"/releasetag/{name}/reject", data={"reason": "etcd <b>lost"})
        assert answer.history[0].status_code == 303
        assert str(answer.url) == f"{ADDRESS}/releasetag/{name}"
        assert "It is rejected, for the reason that you gave." in answer.text
        assert "etcd &lt;b&gt;lost" in answer.text
        again = await client.get(f"/releasetag/{name}")
        assert "It is rejected, for" not in again.text
        assert "accept" in offered(again.text)
    steps = await rig.database.read(lambda unit: releases.read_transitions(unit, name))
    assert (steps[-1].actor, steps[-1].message) == ("ada", "etcd <b>lost")


async def test_what_is_refused_keeps_what_was_typed(site, past, rig) -> None:
    """The page says why and what to do, its form is open, and nothing has changed."""
    name = past.names[MAIN][-3]
    async with open_as(site, Role.ADMINISTRATOR) as client:
        answer = await client.post(f"/releasetag/{name}/reject", data={"reason": "  "})
        assert answer.status_code == 400
        assert "is not rejected without a reason" in answer.text
        assert '<details id="act-reject" name="act" open>' in answer.text
        answer = await client.post(f"/releasetag/{name}/withdraw", data={"reason": 'too " old'})
        assert answer.status_code == 400
        assert "the box is not ticked" in answer.text
        assert 'value="too &#34; old"' in answer.text
        answer = await client.post(f"/releasetag/{name}/publish", data={"publication": "nowhere"})
        assert answer.status_code == 404
        assert "Unknown publication" in answer.text
        assert (await client.post("/releasetag/nothing/keep", data={})).status_code == 404
    found = await find(rig, name)
    assert (found.phase, found.withdrawn) == (Phase.ACCEPTED, None)


async def test_releases_are_kept_withdrawn_and_restored(site, past, rig) -> None:
    """Each offers its opposite afterwards."""
    name = past.names[MAIN][-3]
    async with open_as(site, Role.MANAGER) as client:
        page = f"/releasetag/{name}"
        told = (await client.post(f"{page}/keep", data={})).text
        assert "It is kept until" in told
        assert "stays: it is kept" in told
        assert (await find(rig, name)).kept
        assert "stop-keeping" in offered((await client.get(page)).text)
        told = (await client.post(f"{page}/stop-keeping", data={})).text
        assert "not kept any more" in told
        assert "stays: it is kept" not in told
        told = (await client.post(f"{page}/withdraw", data={"sure": "yes"})).text
        assert "It is withdrawn." in told
        assert offered(told) == {"restore"}
        assert "It is back." in (await client.post(f"{page}/restore", data={})).text
        told = (await client.post(f"{page}/retry", data={"sure": "yes"})).text
        assert "tried again from the beginning" in told
        assert (await find(rig, name)).phase is Phase.READY
        told = (await client.post(f"{page}/accept", data={"reason": "a flake"})).text
        assert "It is accepted." in told
        assert (await find(rig, name)).phase is Phase.ACCEPTED


async def test_teams_approve_and_publishers_publish(site, past, rig) -> None:
    """Who approved stands on the page; what was asked for stands in the log of publications."""
    wait_for_approvals(rig)
    name = past.names[MAIN][-3]
    async with open_as(site, Role.VERIFIER, Role.PUBLISHER) as client:
        form = {"team": "Storage <i>", "reason": "looked at it"}
        told = (await client.post(f"/releasetag/{name}/approve", data=form)).text
        assert "Your approval is written down." in told
        assert "Storage &lt;i&gt;" in told
        form = {"publication": "fast", "reason": "wanted"}
        told = (await client.post(f"/releasetag/{name}/publish", data=form)).text
        assert "It is published as soon as its gate allows" in told
        stream = (await client.get(f"/releasestream/{MAIN}")).text
        assert re.search(rf"ada asked for</span> <a[^>]*>{re.escape(name)}<", stream)
    lines = await rig.database.read(lambda unit: streams.read_publications(unit, names=[name]))
    assert (lines[-1].name, lines[-1].state, lines[-1].actor) == (
        "fast", PublicationState.WAITING, "ada",
    )  # fmt: skip


async def test_streams_are_paused_and_go_on(site, past, rig) -> None:
    """With the reason on the page, for whoever wonders why nothing is new."""
    async with open_as(site, Role.MANAGER) as client:
        page = f"/releasestream/{BROKEN}"
        answer = await client.post(f"{page}/pause", data={})
        assert answer.status_code == 400
        assert "is not paused without a reason" in answer.text
        told = (await client.post(f"{page}/pause", data={"reason": "the disk is full"})).text
        assert "The stream is paused." in told
        assert "Paused by ada: the disk is full" in told
        assert offered(told) == {"resume", "rebuild"}
        told = (await client.post(f"{page}/resume", data={})).text
        assert "The stream goes on." in told
        told = (await client.post(f"{page}/rebuild", data={})).text
        assert "A release is made" in told
        assert offered(told) == {"pause"}
        assert (await client.post("/releasestream/nothing/rebuild", data={})).status_code == 404


async def test_publications_are_rolled_back(site, past, rig) -> None:
    """To what stood there before, which the form names; where nothing did, it is not offered."""
    older, newer = past.names[MAIN][-4], past.names[MAIN][-3]
    await publish_two(rig, older, newer)
    async with open_as(site, Role.PUBLISHER) as client:
        page = (await client.get(f"/releasestream/{MAIN}")).text
        assert f"next: {newer} back to {older}" in page
        assert '<option value="signatures"' not in page  # nobody takes signatures back
        release = (await client.get(f"/releasestream/{MAIN}/release/{newer}")).text
        assert 'data-label="Says"><span> (instead of ' in release  # phones hide cells with a dash
        form = {"publication": "next", "reason": "loses members", "sure": "yes"}
        told = (await client.post(f"/releasestream/{MAIN}/roll-back", data=form)).text
        assert "It is rolled back with the next pass" in told
        assert re.search(rf"returns to</span> <a[^>]*>{re.escape(older)}<", told)


async def test_people_say_how_manual_runs_went(site, past, rig) -> None:
    """Those of other runners end by themselves."""
    name = past.names[MAIN][-1]
    manual = await add_manual_run(rig, name)
    async with open_as(site, Role.VERIFIER) as client:
        assert offered((await client.get(f"/run/{name}-aws-e2e-0")).text) == set()
        page = f"/run/{manual}"
        assert offered((await client.get(page)).text) == {"finish"}
        answer = await client.post(f"{page}/finish", data={"outcome": "perhaps"})
        assert answer.status_code == 400
        form = {"outcome": "failed", "reason": "the console is blank"}
        told = (await client.post(f"{page}/finish", data=form)).text
        assert "The outcome is written down." in told
        assert "the console is blank" in told
        assert offered(told) == set()
    found = await rig.database.read(lambda unit: runs.find(unit, manual))
    assert found.state is RunState.FAILED


async def test_only_our_own_sentences_are_said(site, past) -> None:
    """A cookie of anybody's making says nothing."""
    async with open_as(site) as client:
        for word in ("<script>", "You are hacked", ""):
            headers = {"Cookie": f'okd-payload-done="{word}"'}
            answer = await client.get(f"/releasetag/{past.names[MAIN][-3]}", headers=headers)
            assert 'class="notice good"' not in answer.text


def test_no_two_deeds_share_a_word() -> None:
    """What is said afterwards is found by the word alone."""
    words = [deed.word for deed in (*ON_RELEASES, *ON_STREAMS, *ON_RUNS)]
    assert len(words) == len(set(words))
