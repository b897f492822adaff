# SPDX-License-Identifier: Apache-2.0
"""Browsers sign in with a token, act for some hours from pages of this site, and sign out."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from asking import add_release
from litestar.testing import AsyncTestClient

from okd_payload.controller.model import Phase
from okd_payload.controller.records import audit, tokens
from okd_payload.controller.records.tables import tokens as table
from okd_payload.web.access.sessions import SESSION_SECONDS
from okd_payload.web.access.settings import AccessSettings, ProxySettings, SiteSettings
from okd_payload.web.access.tokens import MintedToken, mint_token, revoke_token
from okd_payload.web.application import make_application
from okd_payload.web.pages.sign_in_pages import page_of
from okd_payload.web.site import Site

ADDRESS = "https://releases.test"
OURS = {"Origin": ADDRESS}
Client = AsyncTestClient[Any]


@pytest.fixture(
    params=[
        "sqlite_records",
        pytest.param("postgresql_records", marks=pytest.mark.integration),
    ]
)
def records(request: pytest.FixtureRequest) -> str:
    """Those of each database that we support."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[Client]:
    """Keeps cookies, and follows nothing by itself."""
    application = make_application(site)
    async with AsyncTestClient[Any](application, base_url=ADDRESS) as client:
        client.follow_redirects = False
        yield client


async def mint(rig: Any, *roles: str) -> MintedToken:
    """A token of ada's."""
    return await mint_token(rig.surroundings, "ada", roles=roles, seconds=None, actor="tests")


async def sign_in(client: Client, text: str, **headers: str) -> Any:
    """Send the form."""
    form = {"token": text, "next": "/compare"}
    return await client.post("/sign-in", data=form, headers=OURS | headers)


async def roles_seen(client: Client) -> bool:
    """Whether the pages know who asks."""
    return "Sign out" in (await client.get("/compare")).text


async def test_a_token_signs_a_browser_in_until_it_signs_out(rig, browser):
    """It goes back to where it was; the cookie is out of reach of scripts and other sites."""
    assert not await roles_seen(browser)
    answer = await sign_in(browser, (await mint(rig, "manager")).text)
    assert (answer.status_code, answer.headers["location"]) == (303, "/compare")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-okd-payload=")
    for attribute in ("HttpOnly", "Secure", "SameSite=strict", "Path=/", "Max-Age=28800"):
        assert attribute in cookie
    assert "Domain" not in cookie
    assert await roles_seen(browser)
    kept = dict(browser.cookies)
    answer = await browser.post("/sign-out", headers=OURS)
    assert answer.status_code == 303
    assert not await roles_seen(browser)
    browser.cookies.update(kept)  # whoever copied it has nothing
    assert not await roles_seen(browser)


async def test_a_session_ends_with_its_token_and_with_the_day(rig, browser):
    """Revoking a token signs out every browser of it; nothing lasts longer than eight hours."""
    minted = await mint(rig, "manager")
    await sign_in(browser, minted.text)
    rig.clock.advance(SESSION_SECONDS - 1)
    assert await roles_seen(browser)
    rig.clock.advance(2)
    assert not await roles_seen(browser)
    await sign_in(browser, minted.text)
    stored = await rig.database.read(lambda unit: unit.execute(table.select()).all())
    assert len(stored) == 2  # what had ended is forgotten
    await revoke_token(rig.surroundings, minted.token.id)
    assert not await roles_seen(browser)


async def test_a_session_opens_what_its_token_opens_to_pages_of_this_site_only(rig, browser):
    """Without the word of the browser that a page of ours asks, nothing is written."""
    release = await add_release(rig)
    await sign_in(browser, (await mint(rig, "manager")).text)
    path = f"/api/v2/releases/{release.name}/keep"
    for headers in ({}, {"Origin": "https://evil.test"}, {"Origin": "null"}):
        assert (await browser.post(path, json={}, headers=headers)).status_code == 403
        form = await browser.post(f"/releasetag/{release.name}/keep", data={}, headers=headers)
        assert form.status_code == 403
        assert (await browser.post("/sign-out", headers=headers)).status_code == 403
    assert (await browser.post(path, json={}, headers=OURS)).status_code == 200
    answer = await browser.post(
        f"/api/v2/releases/{release.name}/publish", json={"publication": "x"}, headers=OURS
    )
    assert answer.status_code == 403
    assert "has not the role publisher" in answer.text


async def test_sessions_and_tokens_are_not_each_other(rig, browser):
    """The one is no bearer of the interface, the other no cookie; neither is in the records."""
    minted = await mint(rig, "administrator")
    await sign_in(browser, minted.text)
    session = browser.cookies["__Host-okd-payload"]
    assert minted.text not in session
    browser.cookies.clear()
    headers = {"Authorization": f"Bearer {session}"}
    assert (await browser.get("/api/v2/audit", headers=headers)).status_code == 401
    browser.cookies.set("__Host-okd-payload", minted.text)
    assert not await roles_seen(browser)
    stored = repr(await rig.database.read(lambda unit: unit.execute(table.select()).all()))
    assert session not in stored
    assert session.partition(".")[2] not in stored
    assert [each.name for each in await rig.database.read(tokens.list_all)] == ["ada"]


async def test_who_guesses_at_the_form_is_not_heard_any_more(rig, browser):
    """Ten wrong tokens, and then not even a right one for a minute."""
    right = (await mint(rig, "manager")).text
    for _ in range(10):
        answer = await sign_in(browser, "okdp_wrong")
        assert answer.status_code == 401
        assert "not known, revoked or expired" in answer.text
    answer = await sign_in(browser, right)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    rig.clock.advance(61)
    assert (await sign_in(browser, right)).status_code == 303


async def test_nobody_is_signed_in_by_another_site(rig, browser):
    """Not even with a right token: what is done then would be done as somebody else."""
    text = (await mint(rig, "manager")).text
    for origin in ("https://evil.test", "null", ""):
        answer = await browser.post("/sign-in", data={"token": text}, headers={"Origin": origin})
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


async def test_signing_in_is_on_record_and_no_secret_is(rig, browser, caplog):
    """By name where it is known; neither the token nor the session stands in a log."""
    caplog.set_level(logging.DEBUG)
    text = (await mint(rig, "manager")).text
    await sign_in(browser, text[:-4] + "AAAA")
    await sign_in(browser, text)
    session = browser.cookies["__Host-okd-payload"]
    await browser.post("/sign-out", headers=OURS)
    entries = list(reversed(await rig.database.read(audit.read_last)))
    assert [(each.actor, each.action, each.status) for each in entries] == [
        ("", "POST /sign-in", 401),
        ("ada", "POST /sign-in", 303),
        ("ada", "POST /sign-out", 303),
    ]
    for secret in (text, session):
        assert secret not in caplog.text
        assert secret not in msgspec.json.encode(entries).decode()


async def test_a_closed_site_lets_people_in_by_its_form(rig):
    """The form and what it looks like are open, a page says where to sign in, and then all is."""
    settings = SiteSettings(access=AccessSettings(anonymous_reading=False))
    site = Site(surroundings=rig.surroundings, base_url=ADDRESS, settings=settings)
    async with AsyncTestClient[Any](make_application(site), base_url=ADDRESS) as client:
        refused = await client.get("/compare?from=a")
        assert refused.status_code == 401
        assert 'href="/sign-in?next=/compare%3Ffrom%3Da"' in refused.text
        form = await client.get("/sign-in?next=/compare")
        assert form.status_code == 200
        for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', form.text):
            assert (await client.get(path)).status_code == 200
        await sign_in(client, (await mint(rig, "reader")).text)
        assert (await client.get("/compare")).status_code == 200
        assert (await client.get("/api/v2/streams")).status_code == 200


@pytest.mark.parametrize(
    ("base_url", "peer", "said", "secure"),
    [
        ("", "192.0.2.1", "", False),
        ("", "192.0.2.1", "https", False),
        ("", "10.0.0.1", "https", True),
        ("", "10.0.0.1", "http", False),
        ("https://releases.test", "192.0.2.1", "", True),
    ],
)
async def test_cookies_are_for_encrypted_lines_where_there_is_one(
    rig, base_url, peer, said, secure
):
    """By our own address, or by the word of a listed proxy; else the form warns who types."""
    proxy = ProxySettings(addresses=("10.0.0.0/8",))
    settings = SiteSettings(access=AccessSettings(proxy=proxy))
    site = Site(surroundings=rig.surroundings, base_url=base_url, settings=settings)
    application = make_application(site)

    async def from_peer(scope: Any, receive: Any, send: Any) -> None:
        scope["client"] = (peer, 1234)
        await application(scope, receive, send)

    headers = {"X-Forwarded-Proto": said} if said else {}
    text = (await mint(rig, "manager")).text
    async with AsyncTestClient[Any](from_peer, base_url="http://releases.test") as client:
        form = await client.get("/sign-in", headers=headers)
        assert ("is not encrypted" in form.text) is not secure
        headers["Origin"] = base_url or "http://releases.test"
        client.follow_redirects = False
        answer = await client.post("/sign-in", data={"token": text}, headers=headers)
    cookie = answer.headers["set-cookie"]
    assert ("Secure" in cookie) is secure
    assert cookie.startswith("__Host-") is secure


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("/releasetag/4.20.0~a?b=c#d", "/releasetag/4.20.0~a?b=c#d"),
        ("//evil.test", "/"),
        ("/\\evil.test", "/"),
        ("https://evil.test", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("/" + "a" * 3000, "/"),
        (None, "/"),
    ],
)
def test_who_signs_in_stays_on_this_site(text, page):
    """Whatever the address says that the form was opened with."""
    assert page_of(text) == page


async def test_a_reader_is_offered_nothing_to_do(rig, browser):
    """Only who has the role of a deed sees its form."""
    release = await add_release(rig, phase=Phase.REJECTED)
    await sign_in(browser, (await mint(rig, "reader")).text)
    page = (await browser.get(f"/releasetag/{release.name}")).text
    assert "Sign out" in page
    assert f'action="/releasetag/{release.name}/' not in page
