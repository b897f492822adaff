# SPDX-License-Identifier: Apache-2.0
"""Administrators see why a webhook is told nothing, have it told again, or pass over an event."""

from __future__ import annotations

import pytest
from asking import token_for
from prepared import NASTY, give_up_a_webhook

from okd_payload.controller.records import audit, webhooks
from okd_payload.controller.records.webhooks import WebhookProgress
from okd_payload.web.pages.deeds import ON_WEBHOOKS
from okd_payload.web.pages.webhook_pages import judge


@pytest.fixture(
    params=["sqlite_records", pytest.param("postgresql_records", marks=pytest.mark.integration)]
)
def records(request: pytest.FixtureRequest) -> str:
    """Those of each database that we support."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def given_up(rig) -> None:
    """A webhook that took nothing for a day, and one that is new."""
    await give_up_a_webhook(rig)


async def test_what_was_given_up_is_shown_and_told_again(rig, client, given_up):
    """With the last tries and why they failed; the button does what it says."""
    client.headers.update(await token_for(rig, "administrator"))
    listed = (await client.get("/webhooks")).text
    assert "Given up" in listed
    assert 'href="/webhooks/ci"' in listed
    page = (await client.get("/webhooks/ci")).text
    assert "It took nothing for a day" in page
    assert "2 h ago" in page
    assert NASTY not in listed + page
    assert "0123456789abcdef" not in listed + page
    assert "Tell it again" not in (await client.get("/webhooks/new")).text
    answer = await client.post("/webhooks/ci/tell-again")
    assert "It is told again" in answer.text
    assert "Tell it again" not in answer.text
    progress = (await rig.database.read(webhooks.read_progress))["ci"]
    assert (progress.position, progress.disabled, progress.attempts) == (1, None, 0)


async def test_an_event_that_is_never_taken_is_passed_over(rig, client, given_up):
    """Once, with a yes and on record; an event that does not stand in its way is none to leave."""
    client.headers.update(await token_for(rig, "administrator"))
    page = (await client.get("/webhooks/ci")).text
    assert "Pass over event 2" in page
    assert "Pass over" not in (await client.get("/webhooks/new")).text
    path, sure = "/webhooks/ci/pass-over", {"sure": "yes"}
    for form, complaint in (
        ({"event": "2"}, "the box is not ticked"),
        (sure | {"event": "3"}, "event 3 does not stand in the way of ci"),
        (sure | {"event": "two"}, "names no event"),
        (sure, "names no event"),
    ):
        refused = await client.post(path, data=form)
        assert (refused.status_code, complaint in refused.text) == (400, True), form
    assert (await rig.database.read(webhooks.read_progress))["ci"].position == 1
    done = await client.post(path, data=sure | {"event": "2"})
    assert "That is passed over, and it is told what follows." in done.text
    assert "Pass over" not in done.text
    progress = (await rig.database.read(webhooks.read_progress))["ci"]
    assert (progress.position, progress.disabled, progress.attempts) == (2, None, 0)
    again = await client.post(path, data=sure | {"event": "2"})
    assert (again.status_code, "does not stand in the way" in again.text) == (400, True)
    noted = [each for each in await rig.database.read(audit.read_last) if each.status == 303]
    assert [(each.actor, each.action) for each in noted] == [("somebody", f"POST {path}")]


async def test_only_administrators_see_webhooks(rig, client, given_up):
    """Addresses may have secrets in them; nobody else has a link that leads nowhere."""
    for headers, status in (({}, 401), (await token_for(rig, "manager"), 403)):
        for path in ("/webhooks", "/webhooks/ci", "/webhooks/nothing"):
            assert (await client.get(path, headers=headers)).status_code == status
        for deed in ON_WEBHOOKS:
            answer = await client.post(f"/webhooks/ci/{deed.word}", headers=headers)
            assert answer.status_code == status
        assert "/webhooks" not in (await client.get("/", headers=headers)).text
    client.headers.update(await token_for(rig, "administrator"))
    assert 'href="/webhooks"' in (await client.get("/")).text
    assert (await client.get("/webhooks/nothing")).status_code == 404
    assert (await client.post("/webhooks/nothing/tell-again")).status_code == 404
    form = {"event": "2", "sure": "yes"}
    assert (await client.post("/webhooks/nothing/pass-over", data=form)).status_code == 404


async def test_no_webhook_is_no_fault(rig, client):
    """The page says how one is added."""
    headers = await token_for(rig, "administrator")
    assert "No webhook is told" in (await client.get("/webhooks", headers=headers)).text


@pytest.mark.parametrize(
    ("progress", "word"),
    [
        (None, "New"),
        (WebhookProgress(name="ci"), "Good"),
        (WebhookProgress(name="ci", attempts=1, retry_at=5.0), "Trouble"),
        (WebhookProgress(name="ci", attempts=28, disabled=5.0), "Given up"),
    ],
)
def test_each_has_a_word(progress, word):
    """By how far it is."""
    assert judge(progress) == word
