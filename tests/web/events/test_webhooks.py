# SPDX-License-Identifier: Apache-2.0
"""Webhooks are told everything, in order, signed, and never where they may not lead."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgspec
import pytest
from asking import add_release
from rig import STREAM, Rig

from okd_payload.controller.model import Event, Phase
from okd_payload.controller.records import events, webhooks
from okd_payload.controller.records.webhooks import Webhook
from okd_payload.controller.service.leadership import Leadership
from okd_payload.errors import RegistryUnavailable
from okd_payload.testing.memory_messenger import MemoryMessenger
from okd_payload.web.events.delivering import KEPT_EVENTS, forget_old
from okd_payload.web.events.webhooks import ATTEMPTS, WebhookDelivery, wants
from okd_payload.web.site import Site

SECRET = "0123456789abcdef"


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
        await self.delivery.advance()

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
    await told.delivery.advance()
    assert told.numbers() == [3, 4, 5]
    for message in told.messenger.messages:
        moment = message.headers["X-Okd-Payload-Timestamp"]
        expected = hmac.new(
            SECRET.encode(), moment.encode() + b"." + message.body, hashlib.sha256
        ).hexdigest()
        assert message.headers["X-Okd-Payload-Signature"] == f"sha256={expected}"
        assert SECRET not in str(message.headers) + message.body.decode()
    await told.delivery.advance()
    assert len(told.messenger.messages) == 3
    assert (await told.progress()).delivered == 3


async def test_what_is_not_taken_is_told_again_before_the_rest(rig, told):
    """With the same delivery id, later each time, and nothing overtakes it."""
    await told.begin()
    await add_release(rig, 0, phase=Phase.ACCEPTED)
    told.messenger.answers = [500, RegistryUnavailable("silent"), 302]
    for pause in (5, 30, 120):
        await told.delivery.advance()
        await told.delivery.advance()
        assert (await told.progress()).retry_at == rig.clock.now() + pause
        rig.clock.advance(pause)
        await told.leadership.renew()
    assert "302" in (await told.progress()).message
    await told.delivery.advance()
    assert told.numbers() == [1, 1, 1, 1, 2, 3]
    identities = [each.headers["X-Okd-Payload-Delivery"] for each in told.messenger.messages]
    assert identities[:4] == ["ci-1"] * 4
    progress = await told.progress()
    assert (progress.position, progress.attempts, progress.message) == (3, 0, "")


async def test_what_is_never_taken_is_dropped_and_counted(rig, told):
    """After a day, so that the rest is told."""
    await told.begin()
    await add_release(rig, 0)
    told.messenger.answers = [500] * ATTEMPTS
    for _ in range(ATTEMPTS):
        await told.delivery.advance()
        rig.clock.advance(3600)
        await told.leadership.renew()
    await told.delivery.advance()
    progress = await told.progress()
    assert (progress.dropped, progress.delivered, progress.position) == (1, 1, 2)


async def test_an_instance_that_does_not_act_tells_nobody_anything_new(rig, site, told):
    """What it would note is refused, so the other one goes on from where it was."""
    await told.begin()
    await told.leadership.give_up()
    await add_release(rig, 0)
    with pytest.raises(Exception, match="does not act"):
        await told.delivery.advance()
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
