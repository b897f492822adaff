# SPDX-License-Identifier: Apache-2.0
"""Telling addresses of events: signed, in order, until they say that they know.

The instance that acts reads the log on for each webhook from its own place. A message that is
not taken is tried again, later each time, and those after it wait, so what is told of a stream
is told in order; after a day of trying it is dropped, and counted. A message may come twice (a
kill between sending and writing that down): its delivery id is the same then.
"""

from __future__ import annotations

import fnmatch
import hashlib
import hmac

import msgspec

from okd_payload.controller.model import Event
from okd_payload.controller.records import events, webhooks
from okd_payload.controller.records.webhooks import Webhook, WebhookProgress
from okd_payload.controller.service.leadership import Leadership
from okd_payload.errors import OkdPayloadError
from okd_payload.oci.messages import Messenger, OutgoingMessage
from okd_payload.web.api.answers import tell_event
from okd_payload.web.site import Site

PAUSES = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
ATTEMPTS = 28
"""A day of trying, with these pauses."""
_BATCH = 100


class WebhookDelivery:
    """Tells all webhooks of a site."""

    def __init__(self, site: Site, leadership: Leadership, messenger: Messenger) -> None:
        self._site = site
        self._leadership = leadership
        self._messenger = messenger

    async def advance(self) -> bool:
        """Tell each webhook the next few events; whether any has more to hear at once.

        Raises RecordsError: nothing is lost then.
        """
        known = await read_webhooks(self._site)
        progress = await self._site.ask(webhooks.read_progress)
        more = False
        for webhook in known:
            found = progress.get(webhook.name)
            if found is None:
                await self._begin(webhook)
            elif found.retry_at is None or found.retry_at <= self._site.now():
                more |= await self._tell(webhook, found)
        return more

    async def _begin(self, webhook: Webhook) -> None:
        """A new webhook hears of what happens from now on."""
        last = await self._site.ask(events.last_number)
        await self._note(WebhookProgress(name=webhook.name, position=last))

    async def _tell(self, webhook: Webhook, progress: WebhookProgress) -> bool:
        batch = await self._site.ask(events.read_since, progress.position, limit=_BATCH)
        passed = progress
        for event in batch:
            if not wants(webhook, event):
                passed = msgspec.structs.replace(passed, position=event.sequence)
                continue
            trouble = await self._send(webhook, event)
            passed = after_try(passed, event, trouble, now=self._site.now())
            await self._note(passed)
            if trouble:
                return False
        if passed != progress:
            await self._note(passed)
        return len(batch) == _BATCH

    async def _send(self, webhook: Webhook, event: Event) -> str:
        """Try once; what went wrong, empty when nothing did."""
        message = write_message(webhook, event, now=self._site.now())
        allowed = self._site.settings.webhooks.allowed_networks
        try:
            status = await self._messenger.send(message, allowed=allowed)
        except OkdPayloadError as error:
            return error.message
        return "" if 200 <= status < 300 else f"it answered {status}"

    async def _note(self, progress: WebhookProgress) -> None:
        await self._leadership.write(lambda unit: webhooks.write_progress(unit, progress))


async def read_webhooks(site: Site) -> list[Webhook]:
    """The webhooks of the settings, and those that were added, by name; the settings win."""
    added = {each.name: each for each in await site.ask(webhooks.list_all)}
    configured = {
        name: Webhook(
            name=name, url=hook.url, secret=hook.secret, kinds=hook.events, streams=hook.streams
        )
        for name, hook in site.settings.webhooks.hooks.items()
    }
    every = added | configured
    return [every[name] for name in sorted(every)]


def wants(webhook: Webhook, event: Event) -> bool:
    """Whether the webhook is told of ``event``."""
    kinds, streams = webhook.kinds, webhook.streams
    if streams and event.stream not in streams:
        return False
    return not kinds or any(fnmatch.fnmatchcase(event.kind, kind) for kind in kinds)


def after_try(
    progress: WebhookProgress, event: Event, trouble: str, *, now: float
) -> WebhookProgress:
    """How far the webhook is after one try to tell it of ``event``."""
    if not trouble:
        return msgspec.structs.replace(
            progress,
            position=event.sequence,
            attempts=0,
            retry_at=None,
            message="",
            delivered=progress.delivered + 1,
        )
    attempts = progress.attempts + 1
    if attempts >= ATTEMPTS:
        return msgspec.structs.replace(
            progress,
            position=event.sequence,
            attempts=0,
            retry_at=None,
            message=trouble,
            dropped=progress.dropped + 1,
        )
    pause = PAUSES[min(attempts, len(PAUSES)) - 1]
    return msgspec.structs.replace(
        progress, attempts=attempts, retry_at=now + pause, message=trouble
    )


def write_message(webhook: Webhook, event: Event, *, now: float) -> OutgoingMessage:
    """What the webhook is told: the event as the interface has it, signed with a moment."""
    body = msgspec.json.encode(tell_event(event))
    timestamp = str(int(now))
    return OutgoingMessage(
        url=webhook.url,
        body=body,
        headers={
            "Content-Type": "application/json",
            "User-Agent": "okd-payload",
            "X-Okd-Payload-Event": event.kind,
            "X-Okd-Payload-Delivery": f"{webhook.name}-{event.sequence}",
            "X-Okd-Payload-Timestamp": timestamp,
            "X-Okd-Payload-Signature": f"sha256={sign(webhook.secret, timestamp, body)}",
        },
    )


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The HMAC-SHA256 of moment and body under ``secret``."""
    signed = timestamp.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
