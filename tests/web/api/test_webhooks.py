# SPDX-License-Identifier: Apache-2.0
"""Administrators add webhooks, see how they fare, let them be told again, and remove them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from asking import add_release, token_for
from litestar.testing import AsyncTestClient

from okd_payload.controller.records import webhooks
from okd_payload.controller.records.webhooks import Webhook, WebhookProgress, WebhookTry
from okd_payload.web.access.settings import (
    MOST_WEBHOOKS,
    ConfiguredWebhook,
    SiteSettings,
    WebhookSettings,
)
from okd_payload.web.application import make_application

BODY = {"url": "https://ci.test/hook", "secret": "0123456789abcdef", "events": ["release.*"]}


async def test_webhooks_are_kept_without_showing_their_secret(rig, client):
    """Changed by the same name, and taken away again."""
    admin = await token_for(rig, "administrator")
    await add_release(rig, 0)
    answer = await client.post("/api/v2/webhooks/ci", json=BODY, headers=admin)
    assert answer.json()["url"] == "https://ci.test/hook"
    assert answer.json()["position"] == 2, "it hears what happens from this moment on"
    listed = await client.get("/api/v2/webhooks", headers=admin)
    assert [item["name"] for item in listed.json()["items"]] == ["ci"]
    assert "0123456789abcdef" not in answer.text + listed.text
    for wrong in (
        {"url": "file:///etc/passwd"},
        {"url": "https://user:password@ci.test/"},
        {"url": "https://"},
        {"url": "https://a..b/"},
        {"secret": "short"},
        {"events": ["a\nb"]},
    ):
        refused = await client.post("/api/v2/webhooks/ci", json=BODY | wrong, headers=admin)
        assert refused.status_code == 400, wrong
    assert (await client.delete("/api/v2/webhooks/ci", headers=admin)).status_code == 204
    assert (await client.get("/api/v2/webhooks", headers=admin)).json()["items"] == []


async def give_up(rig) -> None:
    """A webhook that a day was tried in vain."""
    webhook = Webhook(name="ci", url="https://ci.test/hook", secret="0123456789abcdef")
    before = WebhookProgress(name="ci", position=1, attempts=27)
    after = msgspec.structs.replace(before, attempts=28, disabled=1_700_000_000.0, message="no")
    tried = WebhookTry(
        name="ci",
        event=2,
        kind="release.phase",
        attempt=28,
        time=1_700_000_000.0,
        seconds=0.25,
        status=500,
        message="it answered 500",
    )

    def unit(connection: Any) -> None:
        webhooks.write(connection, webhook)
        webhooks.write_progress(connection, before)
        assert webhooks.advance(connection, before, after, tried)

    await rig.database.write(unit)


@pytest.mark.parametrize(("after", "position"), [(None, 1), (2, 2)])
async def test_what_was_given_up_is_seen_and_told_again(rig, client, after, position):
    """With what became of the last tries; from where it was, or from another event on."""
    await add_release(rig, 0)
    await give_up(rig)
    admin = await token_for(rig, "administrator")
    (listed,) = (await client.get("/api/v2/webhooks", headers=admin)).json()["items"]
    assert (listed["disabled"], listed["attempts"]) == ("2023-11-14T22:13:20Z", 28)
    tries = (await client.get("/api/v2/webhooks/ci/tries", headers=admin)).json()["items"]
    assert tries == [
        {
            "event": 2,
            "kind": "release.phase",
            "attempt": 28,
            "time": "2023-11-14T22:13:20Z",
            "seconds": 0.25,
            "status": 500,
            "message": "it answered 500",
        }
    ]
    path = "/api/v2/webhooks/ci/resume"
    told = await client.post(path, json={} if after is None else {"after": after}, headers=admin)
    assert (told.status_code, told.json()["position"]) == (200, position)
    assert "disabled" not in told.json()
    for wrong, status in (({"after": 4711}, 400), ({"after": -1}, 400), ({"after": "x"}, 400)):
        assert (await client.post(path, json=wrong, headers=admin)).status_code == status


async def test_another_address_lets_it_be_told_again(rig, client):
    """Whoever mends the address need not say more."""
    await give_up(rig)
    admin = await token_for(rig, "administrator")
    told = await client.post("/api/v2/webhooks/ci", json=BODY, headers=admin)
    assert (told.json()["position"], told.json()["attempts"]) == (1, 0)
    assert "disabled" not in told.json()


async def test_webhooks_that_are_not_there_are_not_found(rig, client):
    """And only administrators see that."""
    admin, manager = await token_for(rig, "administrator"), await token_for(rig, "manager")
    for headers, status in ((admin, 404), (manager, 403), ({}, 401)):
        answer = await client.get("/api/v2/webhooks/nothing/tries", headers=headers)
        assert answer.status_code == status
        path = "/api/v2/webhooks/nothing/resume"
        assert (await client.post(path, json={}, headers=headers)).status_code == status


async def test_there_are_so_many_webhooks_and_no_more(rig, client):
    """Each may hold a connection open; those that are there can still be changed."""
    for number in range(MOST_WEBHOOKS):
        webhook = Webhook(name=f"ci-{number}", url="https://ci.test/", secret="0123456789abcdef")
        await rig.database.write(lambda unit, it=webhook: webhooks.write(unit, it))
    admin = await token_for(rig, "administrator")
    refused = await client.post("/api/v2/webhooks/more", json=BODY, headers=admin)
    assert (refused.status_code, "100 webhooks" in refused.text) == (400, True)
    changed = await client.post("/api/v2/webhooks/ci-7", json=BODY, headers=admin)
    assert changed.status_code == 200


async def test_what_stands_in_the_settings_is_changed_there(rig, site):
    """It can be seen and told again here, and nothing else."""
    hooks = {"ci": ConfiguredWebhook(url="https://ci.test/", secret="0123456789abcdef")}
    settings = SiteSettings(webhooks=WebhookSettings(hooks=hooks))
    configured = msgspec.structs.replace(site, settings=settings)
    admin = await token_for(rig, "administrator")
    async with AsyncTestClient[Any](make_application(configured)) as client:
        (listed,) = (await client.get("/api/v2/webhooks", headers=admin)).json()["items"]
        assert listed["configured"]
        answers = [
            await client.post("/api/v2/webhooks/ci", json=BODY, headers=admin),
            await client.delete("/api/v2/webhooks/ci", headers=admin),
            await client.post("/api/v2/webhooks/ci/resume", json={}, headers=admin),
        ]
        assert [answer.status_code for answer in answers] == [400, 400, 200]
