# SPDX-License-Identifier: Apache-2.0
"""What a webhook is told, when, and how long it is tried.

A message that is not taken is tried again, later each time, and those after it wait, so what is
told is told in order. After a day of trying the webhook is given up: it is told nothing until
somebody says so, and then goes on from where it was, as far as events are kept. An event that it
never takes is passed over when somebody says that, too.
"""

from __future__ import annotations

import fnmatch
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from okd_payload.controller.model import Event
from okd_payload.controller.records import webhooks
from okd_payload.controller.records.webhooks import (
    KnownWebhooks,
    Webhook,
    WebhookProgress,
    WebhookTry,
)
from okd_payload.errors import InputError, UnknownName
from okd_payload.oci.messages import OutgoingMessage
from okd_payload.web.api.answers import tell_event
from okd_payload.web.site import Site

PAUSES = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
ATTEMPTS = 28
"""A day of trying, with these pauses."""


def join_webhooks(site: Site, added: Iterable[Webhook]) -> list[Webhook]:
    """The webhooks of the settings, and those that were ``added``, by name; the settings win."""
    configured = {
        name: Webhook(
            name=name, url=hook.url, secret=hook.secret, kinds=hook.events, streams=hook.streams
        )
        for name, hook in site.settings.webhooks.hooks.items()
    }
    every = {each.name: each for each in added} | configured
    return [every[name] for name in sorted(every)]


def find_webhook(site: Site, known: KnownWebhooks, name: str) -> Webhook:
    """The webhook called ``name``. Raises UnknownName."""
    every = {each.name: each for each in join_webhooks(site, known.added)}
    if name not in every:
        raise UnknownName("webhook", name, known=list(every))
    return every[name]


async def resume_webhook(
    site: Site, name: str, *, after: int | None = None
) -> tuple[Webhook, WebhookProgress | None]:
    """Let a webhook be told again: from where it was, or from what follows on ``after``.

    Raises UnknownName, InputError for an event that was not yet, and RecordsError.
    """

    def unit(connection: Any) -> tuple[Webhook, WebhookProgress | None]:
        known = webhooks.read_known(connection)
        webhook = find_webhook(site, known, name)
        if after is not None and not 0 <= after <= known.last:
            raise InputError(f"there is no event {after} yet", hint=f"the newest is {known.last}")
        return webhook, webhooks.resume(connection, name, after=after)

    return await site.surroundings.database.write(unit)


async def pass_over(site: Site, name: str, event: int) -> None:
    """Let a webhook be told what follows on ``event``, which it does not take.

    Raises UnknownName, InputError where not that event stands in its way, and RecordsError.
    """

    def unit(connection: Any) -> None:
        known = webhooks.read_known(connection)
        find_webhook(site, known, name)
        refused = find_refused(known.progress.get(name), webhooks.read_tries(connection, name))
        if refused is None or refused.event != event:
            raise InputError(
                f"event {event} does not stand in the way of {name} any more",
                hint="look at its last tries: it may have taken the event meanwhile",
            )
        webhooks.resume(connection, name, after=event)

    await site.surroundings.database.write(unit)


def find_refused(
    progress: WebhookProgress | None, tries: Sequence[WebhookTry]
) -> WebhookTry | None:
    """The last of ``tries``, the newest first, where its event stands in the webhook's way."""
    return tries[0] if progress is not None and progress.attempts and tries else None


def wants(webhook: Webhook, event: Event) -> bool:
    """Whether the webhook is told of ``event``."""
    kinds, streams = webhook.kinds, webhook.streams
    if streams and event.stream not in streams:
        return False
    return not kinds or any(fnmatch.fnmatchcase(event.kind, kind) for kind in kinds)


def is_due(progress: WebhookProgress, *, now: float) -> bool:
    """Whether the webhook may be told now.

    A pause that lasts longer than any is over: the clock was set back meanwhile.
    """
    if progress.disabled is not None:
        return False
    return progress.retry_at is None or not now < progress.retry_at <= now + PAUSES[-1]


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
    is_enough = attempts >= ATTEMPTS
    return msgspec.structs.replace(
        progress,
        attempts=attempts,
        retry_at=None if is_enough else now + PAUSES[min(attempts, len(PAUSES)) - 1],
        message=trouble,
        disabled=now if is_enough else None,
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
            "X-Okd-Payload-Delivery": _identify(webhook, event),
            "X-Okd-Payload-Timestamp": timestamp,
            "X-Okd-Payload-Signature": f"sha256={sign(webhook.secret, timestamp, body)}",
        },
    )


def _identify(webhook: Webhook, event: Event) -> str:
    """The same for every try; another one for each event, also when a backup undid some."""
    return f"{webhook.name}-{event.sequence}-{int(event.time)}"


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The HMAC-SHA256 of moment and body under ``secret``."""
    signed = timestamp.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
