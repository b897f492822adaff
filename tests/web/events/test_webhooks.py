# SPDX-License-Identifier: Apache-2.0
"""Webhooks are told everything, in order, signed, and never where they may not lead."""

from __future__ import annotations

import asyncio
import collections
import hashlib
import hmac
import logging
import re
import traceback
from pathlib import Path
from typing import Any

import msgspec
import pytest
from asking import add_release
from rig import STREAM, Rig

from okd_payload.controller.model import Event, Phase
from okd_payload.controller.records import events, tables, webhooks
from okd_payload.controller.records.leases import LeaseLost
from okd_payload.controller.records.webhooks import Webhook
from okd_payload.controller.service.leadership import Leadership
from okd_payload.errors import RecordsError, RegistryUnavailable
from okd_payload.testing.memory_messenger import MemoryMessenger
from okd_payload.web.access.settings import ConfiguredWebhook, SiteSettings, WebhookSettings
from okd_payload.web.events.delivering import KEPT_EVENTS, forget_old
from okd_payload.web.events.telling import WebhookDelivery
from okd_payload.web.events.webhooks import ATTEMPTS, wants
from okd_payload.web.site import Site

SECRET = "0123456789abcdef"
HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "use-the-api.md"


class Told:
    """A site with a webhook, and the server that it is at."""

    def __init__(self, rig: Rig, site: Site) -> None:
        self.rig = rig
        self.messenger = MemoryMessenger()
        self.leadership = Leadership(rig.surroundings)
        self.delivery = WebhookDelivery(site, self.leadership, self.messenger)

    async def begin(self, **fields: Any) -> None:
        """Add the webhook, and let it know where it begins."""
        webhook = Webhook(name="ci", url="https://ci.test/hook", secret=SECRET, **fields)
        await self.rig.database.write(lambda unit: webhooks.write(unit, webhook))
        await self.leadership.renew()
        await self.advance()

    async def advance(self) -> None:
        """Tell what is due, and wait for it."""
        await self.delivery.advance()
        await self.delivery.settle()

    async def progress(self) -> webhooks.WebhookProgress:
        """How far it is."""
        return (await self.rig.database.read(webhooks.read_progress))["ci"]

    def numbers(self) -> list[int]:
        """The numbers of the events that arrived, repeated ones too."""
        return [msgspec.json.decode(each.body)["number"] for each in self.messenger.messages]


@pytest.fixture
def told(rig, site) -> Told:
    """The webhook is not there yet."""
    return Told(rig, site)


async def test_events_are_told_in_order_and_signed(rig, told):
    """Only those since it was added; whoever has the secret can tell that they are ours."""
    await add_release(rig, 0)
    await told.begin()
    await add_release(rig, 1, phase=Phase.ACCEPTED)
    await told.advance()
    assert told.numbers() == [3, 4, 5]
    for message in told.messenger.messages:
        moment = message.headers["X-Okd-Payload-Timestamp"]
        expected = hmac.new(
            SECRET.encode(), moment.encode() + b"." + message.body, hashlib.sha256
        ).hexdigest()
        assert message.headers["X-Okd-Payload-Signature"] == f"sha256={expected}"
        assert SECRET not in str(message.headers) + message.body.decode()
    await told.advance()
    assert len(told.messenger.messages) == 3
    assert (await told.progress()).delivered == 3


async def test_what_is_not_taken_is_told_again_before_the_rest(rig, told):
    """With the same delivery id, later each time, and nothing overtakes it."""
    await told.begin()
    await add_release(rig, 0, phase=Phase.ACCEPTED)
    told.messenger.answers = [500, RegistryUnavailable("silent"), 302]
    for pause in (5, 30, 120):
        await told.advance()
        await told.advance()
        assert (await told.progress()).retry_at == rig.clock.now() + pause
        rig.clock.advance(pause)
        await told.leadership.renew()
    assert "302" in (await told.progress()).message
    await told.advance()
    assert told.numbers() == [1, 1, 1, 1, 2, 3]
    identities = [each.headers["X-Okd-Payload-Delivery"] for each in told.messenger.messages]
    assert set(identities[:4]) == {f"ci-1-{1_700_000_000 - 3600}"}
    progress = await told.progress()
    assert (progress.position, progress.attempts, progress.message) == (3, 0, "")


async def fail_for_a_day(rig: Rig, told: Told) -> None:
    """Let it take nothing until it is given up."""
    told.messenger.answers = [500] * ATTEMPTS
    for _ in range(ATTEMPTS):
        await told.advance()
        rig.clock.advance(3600)
        await told.leadership.renew()


async def test_what_takes_nothing_for_a_day_is_given_up_until_somebody_says_so(rig, told):
    """Then it goes on from where it was: nothing was skipped."""
    await told.begin()
    await add_release(rig, 0)
    await fail_for_a_day(rig, told)
    await told.advance()
    progress = await told.progress()
    assert told.numbers() == [1] * ATTEMPTS
    assert (progress.position, progress.delivered, progress.message) == (0, 0, "it answered 500")
    assert progress.disabled is not None
    await rig.database.write(lambda unit: webhooks.resume(unit, "ci"))
    await told.advance()
    progress = await told.progress()
    assert (progress.position, progress.delivered, progress.disabled) == (2, 2, None)


async def test_what_is_never_taken_can_be_passed_over(rig, told):
    """One event that its receiver cannot bear holds up the others no longer than people want."""
    await told.begin()
    await add_release(rig, 0)
    await fail_for_a_day(rig, told)
    await rig.database.write(lambda unit: webhooks.resume(unit, "ci", after=1))
    await told.advance()
    assert told.numbers() == [1] * ATTEMPTS + [2]


async def test_the_last_tries_are_kept(rig, told):
    """Which event, when, for how long, and what came of it; not for ever."""
    await told.begin()
    await add_release(rig, 0)
    told.messenger.answers = [500, RegistryUnavailable("ci.test does not answer")]
    for pause in (5, 30, 0):
        await told.advance()
        rig.clock.advance(pause)
        await told.leadership.renew()
    tries = await rig.database.read(lambda unit: webhooks.read_tries(unit, "ci"))
    assert [(each.event, each.attempt, each.status, each.message) for each in tries] == [
        (2, 1, 200, ""),
        (1, 3, 200, ""),
        (1, 2, None, "ci.test does not answer"),
        (1, 1, 500, "it answered 500"),
    ]

    def unit(connection):
        for _ in range(webhooks.KEPT_TRIES):
            events.add(connection, Event(time=1.0, kind="test"))

    await rig.database.write(unit)
    await told.advance()
    tries = await rig.database.read(lambda unit: webhooks.read_tries(unit, "ci"))
    assert len(tries) == webhooks.KEPT_TRIES
    assert tries[0].event == (await told.progress()).position


async def test_a_silent_address_holds_up_no_other(rig, told):
    """Each is told by itself: the others have everything while it still is waited for."""
    told.messenger.silent.add("https://silent.test/hook")
    for name in ("silent", "other"):
        webhook = Webhook(name=name, url=f"https://{name}.test/hook", secret=SECRET)
        await rig.database.write(lambda unit, it=webhook: webhooks.write(unit, it))
    await told.begin()
    await add_release(rig, 0, phase=Phase.ACCEPTED)
    await told.delivery.advance()
    async with asyncio.timeout(60):
        await told.messenger.until(7)
    urls = collections.Counter(each.url.split("/")[2] for each in told.messenger.messages)
    assert urls == {"ci.test": 3, "other.test": 3, "silent.test": 1}
    await told.delivery.advance()
    await told.delivery.stop()
    positions = await rig.database.read(webhooks.read_progress)
    assert {name: each.position for name, each in positions.items()} == {
        "ci": 3,
        "other": 3,
        "silent": 0,
    }


async def test_what_was_not_noted_before_a_restart_is_told_again(rig, site, told):
    """With the same delivery id; the next instance goes on from there."""
    await told.begin()
    await add_release(rig, 0)
    told.messenger.silent.add("https://ci.test/hook")
    await told.delivery.advance()
    async with asyncio.timeout(60):
        await told.messenger.until(1)
    await told.delivery.stop()
    told.messenger.silent.clear()
    told.delivery = WebhookDelivery(site, told.leadership, told.messenger)
    await told.advance()
    assert told.numbers() == [1, 1, 2]
    first, again, _ = (each.headers["X-Okd-Payload-Delivery"] for each in told.messenger.messages)
    assert first == again


@pytest.mark.parametrize("change", ["removed", "replaced", "moved"])
async def test_what_is_changed_while_it_is_told_wins(rig, told, change):
    """The answer of the old address says nothing of the new one."""
    await told.begin()
    await add_release(rig, 0)
    told.messenger.silent.add("https://ci.test/hook")
    await told.delivery.advance()
    async with asyncio.timeout(60):
        await told.messenger.until(1)
    webhook = Webhook(name="ci", url="https://new.test/hook", secret=SECRET)
    changes = {
        "removed": lambda unit: webhooks.remove(unit, "ci"),
        "replaced": lambda unit: webhooks.write(unit, webhook),
        "moved": lambda unit: webhooks.resume(unit, "ci", after=2),
    }
    await rig.database.write(changes[change])
    told.messenger.release()
    await told.delivery.settle()
    found = (await rig.database.read(webhooks.read_progress)).get("ci")
    assert (found.position if found else None) == {"removed": None, "replaced": 0, "moved": 2}[
        change
    ]
    assert await rig.database.read(lambda unit: webhooks.read_tries(unit, "ci")) == []


async def test_a_clock_that_was_set_back_holds_up_nothing(rig, told):
    """A pause is over when it would last longer than any pause does."""
    await told.begin()
    await add_release(rig, 0)
    told.messenger.answers = [500]
    await told.advance()
    await told.advance()
    assert told.numbers() == [1]
    rig.clock.jump(-30 * 86400)
    await told.leadership.renew()
    await told.advance()
    assert told.numbers() == [1, 1, 2]


async def test_what_stands_in_the_settings_no_more_is_forgotten(rig, site, told):
    """So that nobody is warned for ever of an address that is gone."""
    hooks = {"old": ConfiguredWebhook(url="https://old.test/", secret=SECRET)}
    settings = SiteSettings(webhooks=WebhookSettings(hooks=hooks))
    await told.leadership.renew()
    before = msgspec.structs.replace(site, settings=settings)
    await WebhookDelivery(before, told.leadership, told.messenger).advance()
    assert set(await rig.database.read(webhooks.read_progress)) == {"old"}
    await told.begin()
    assert set(await rig.database.read(webhooks.read_progress)) == {"ci"}


async def test_the_lines_of_the_documents_tell_what_is_ours(rig, told):
    """A receiver that takes them over refuses what is forged, changed or old."""
    await told.begin()
    await add_release(rig, 0)
    await told.advance()
    message = told.messenger.messages[0]
    found = re.search(r"```python\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    receiver: dict[str, Any] = {}
    exec(found.group(1), receiver)
    is_ours, now = receiver["is_ours"], rig.clock.now()
    assert is_ours(SECRET, message.headers, message.body, now=now)
    assert not is_ours("another secret!!", message.headers, message.body, now=now)
    assert not is_ours(SECRET, message.headers, message.body + b" ", now=now)
    assert not is_ours(SECRET, message.headers, message.body, now=now + 3600)
    assert not is_ours(SECRET, {}, message.body, now=now)


async def test_secrets_are_in_no_error_of_the_database(rig):
    """A statement that is refused is told without what it carried."""
    incomplete = tables.webhooks.insert().values(name="ci", secret=SECRET)
    with pytest.raises(RecordsError) as caught:
        await rig.database.write(lambda unit: unit.execute(incomplete))
    told = "".join(traceback.format_exception(caught.value))
    assert "webhooks" in told
    assert SECRET not in told


async def test_secrets_are_in_no_log(rig, told, caplog):
    """Whatever goes wrong, and even in an error that nobody expected."""
    caplog.set_level(logging.DEBUG)
    await told.begin()
    await add_release(rig, 0)
    told.messenger.answers = [ValueError("unexpected"), RegistryUnavailable("silent")]
    for _ in range(3):
        await told.advance()
    assert "webhook ci is told nothing until a restart" in caplog.text
    assert told.numbers() == [1]
    assert SECRET not in caplog.text


async def test_an_instance_that_does_not_act_tells_nobody_anything_new(rig, site, told):
    """What it would note is refused, so the other one goes on from where it was."""
    await told.begin()
    await told.leadership.give_up()
    await add_release(rig, 0)
    await told.advance()
    with pytest.raises(LeaseLost, match="does not act"):
        await told.advance()
    assert (await told.progress()).position == 0


async def test_old_events_go_and_numbers_go_on(rig, told):
    """The newest stays, so that a number never means two events."""
    await add_release(rig, 0, phase=Phase.ACCEPTED)
    await told.leadership.renew()
    await forget_old(told.leadership, now=rig.clock.now())
    assert len(await rig.database.read(events.read_last)) == 3
    rig.clock.advance(KEPT_EVENTS)
    await told.leadership.renew()
    await forget_old(told.leadership, now=rig.clock.now())
    left = await rig.database.read(events.read_last)
    assert [event.sequence for event in left] == [3]


@pytest.mark.parametrize(
    ("kinds", "streams", "expected"),
    [
        ((), (), True),
        (("release.*",), (), True),
        (("verification.*", "release.phase"), (STREAM,), True),
        (("verification.*",), (), False),
        ((), ("other",), False),
    ],
)
def test_webhooks_choose(kinds, streams, expected):
    """By globs of kinds, and by streams."""
    webhook = Webhook(name="x", url="", secret="", kinds=kinds, streams=streams)
    assert wants(webhook, Event(time=0.0, kind="release.phase", stream=STREAM)) is expected
