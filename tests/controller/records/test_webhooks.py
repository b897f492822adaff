# SPDX-License-Identifier: Apache-2.0
"""How far webhooks are is written down once, and by whoever knows it."""

from __future__ import annotations

import msgspec

from okd_payload.controller.model import Event
from okd_payload.controller.records import Database, events, webhooks
from okd_payload.controller.records.webhooks import (
    KEPT_TRIES,
    Webhook,
    WebhookProgress,
    WebhookTry,
)

CI = Webhook(name="ci", url="https://ci.test/hook", secret="0123456789abcdef", kinds=("a.*", "b"))


def tried(number: int) -> WebhookTry:
    """A try that was answered."""
    return WebhookTry(
        name="ci", event=number, kind="test", attempt=1, time=1.0, seconds=0.5, status=200
    )


async def test_a_new_webhook_hears_from_now_on_and_a_changed_one_goes_on(database: Database):
    """Whatever was in its way is forgotten."""

    def unit(connection):
        last = events.add(connection, Event(time=1.0, kind="test"))
        begun = webhooks.write(connection, CI)
        late = msgspec.structs.replace(begun, attempts=28, disabled=5.0, message="no")
        webhooks.write_progress(connection, late)
        events.add(connection, Event(time=1.0, kind="test"))
        changed = webhooks.write(connection, msgspec.structs.replace(CI, url="https://new.test/"))
        return last, begun, changed, webhooks.list_all(connection)

    last, begun, changed, known = await database.write(unit)
    assert begun == WebhookProgress(name="ci", position=last)
    assert changed == msgspec.structs.replace(begun, message="no")
    assert [(each.url, each.kinds) for each in known] == [("https://new.test/", ("a.*", "b"))]


async def test_who_knows_an_older_place_writes_nothing(database: Database):
    """Two tasks of one webhook, or a task and an administrator: the first one wins."""
    begun = await database.write(lambda unit: webhooks.write(unit, CI))
    first, second = (
        msgspec.structs.replace(begun, position=begun.position + steps) for steps in (1, 2)
    )

    def unit(connection):
        return [
            webhooks.advance(connection, begun, first, tried(1)),
            webhooks.advance(connection, begun, second, tried(2)),
        ]

    assert await database.write(unit) == [True, False]
    assert (await database.read(webhooks.read_progress))["ci"] == first
    tries = await database.read(lambda unit: webhooks.read_tries(unit, "ci"))
    assert tries == [tried(1)]


async def test_tries_are_bounded_and_go_with_their_webhook(database: Database):
    """Those of others stay."""
    other = msgspec.structs.replace(tried(1), name="other")

    def unit(connection):
        begun = webhooks.write(connection, CI)
        beside = webhooks.write(connection, msgspec.structs.replace(CI, name="other"))
        assert webhooks.advance(connection, beside, beside, other)
        for number in range(KEPT_TRIES + 3):
            assert webhooks.advance(connection, begun, begun, tried(number))
        return [each.event for each in webhooks.read_tries(connection, "ci")]

    assert await database.write(unit) == list(range(KEPT_TRIES + 2, 2, -1))
    await database.write(lambda unit: webhooks.remove(unit, "ci"))
    known = await database.read(webhooks.read_known)
    assert ([each.name for each in known.added], set(known.progress)) == (["other"], {"other"})
    assert await database.read(lambda unit: webhooks.read_tries(unit, "ci")) == []
    assert await database.read(lambda unit: webhooks.read_tries(unit, "other")) == [other]
