# SPDX-License-Identifier: Apache-2.0
"""Who is told of events over HTTP: added, changed, told again and removed by administrators.

The secret of a webhook is never shown. Those that stand in the settings of the site can be seen
and told again here; everything else about them is changed in the settings.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from litestar import delete, get
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from okd_payload.controller.records import webhooks
from okd_payload.controller.records.webhooks import Webhook, WebhookProgress, WebhookTry
from okd_payload.errors import InputError
from okd_payload.web.access.guard import actor_of, takes
from okd_payload.web.access.roles import Role
from okd_payload.web.access.settings import MOST_WEBHOOKS, SHORTEST_SECRET, WEBHOOK_NAME
from okd_payload.web.api.actions import Asked, writes
from okd_payload.web.api.parameters import Name
from okd_payload.web.api.problems import READING, WRITING
from okd_payload.web.api.values import Answer, known_moment, moment
from okd_payload.web.events.webhooks import find_webhook, join_webhooks, resume_webhook
from okd_payload.web.site import Site

_TAG = "administration"
_SECURED: list[dict[str, list[str]]] = [{"token": []}]


class WebhookAnswer(Answer, frozen=True, kw_only=True):
    """An address that is told of events, and how that goes."""

    name: str
    url: str
    events: tuple[str, ...]
    streams: tuple[str, ...]
    configured: bool
    """Whether it stands in the settings of the site, where alone it can be changed."""
    position: int | UnsetType = UNSET
    """The number of the last event that it knows."""
    attempts: int
    retry_at: dt.datetime | UnsetType = UNSET
    message: str
    """Why the last try failed."""
    delivered: int
    disabled: dt.datetime | UnsetType = UNSET
    """Since when it is told nothing, because a day of trying was in vain."""


class WebhookList(Answer, frozen=True, kw_only=True):
    """All webhooks, by name."""

    items: tuple[WebhookAnswer, ...]


class WebhookTryAnswer(Answer, frozen=True, kw_only=True):
    """One try to tell a webhook of an event."""

    event: int
    """The number of the event."""
    kind: str
    attempt: int
    time: dt.datetime
    seconds: float
    status: int | UnsetType = UNSET
    """What it answered; left out where it did not."""
    message: str
    """Why it failed; empty when it did not."""


class WebhookTryList(Answer, frozen=True, kw_only=True):
    """The last tries, the newest first."""

    items: tuple[WebhookTryAnswer, ...]


class WebhookBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whom to tell of what."""

    url: str
    secret: str
    events: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()


class ResumeBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """From where a webhook is told."""

    after: int | None = None
    """The number of the last event that it need not hear; where it was, without."""


def routes(site: Site) -> list[Any]:
    """Everything about webhooks."""
    return [*_reading(site), *_writing(site)]


def _reading(site: Site) -> list[Any]:
    @get(
        "/webhooks",
        opt=takes(Role.ADMINISTRATOR),
        responses=READING,
        tags=[_TAG],
        operation_id="listWebhooks",
        security=_SECURED,
    )
    async def list_webhooks() -> WebhookList:
        """All webhooks, and how far each has been told. Needs the role administrator."""
        known = await site.ask(webhooks.read_known)
        return WebhookList(
            items=tuple(
                _tell_webhook(site, each, known.progress.get(each.name))
                for each in join_webhooks(site, known.added)
            )
        )

    @get(
        "/webhooks/{name:str}/tries",
        opt=takes(Role.ADMINISTRATOR),
        responses=READING,
        tags=[_TAG],
        operation_id="listWebhookTries",
        security=_SECURED,
    )
    async def list_tries(name: Name) -> WebhookTryList:
        """What became of the last tries to tell a webhook. Needs the role administrator."""
        find_webhook(site, await site.ask(webhooks.read_known), name)
        tries = await site.ask(webhooks.read_tries, name)
        return WebhookTryList(items=tuple(map(_tell_try, tries)))

    return [list_webhooks, list_tries]


def _writing(site: Site) -> list[Any]:
    database = site.surroundings.database

    @writes(
        "/webhooks/{name:str}",
        Role.ADMINISTRATOR,
        tag=_TAG,
        name="putWebhook",
        description="Tell an address of events from now on, or change what it is told.",
    )
    async def put(*, request: Asked, name: Name, data: JSONBody[WebhookBody]) -> WebhookAnswer:
        webhook = _check(site, name, data, actor=actor_of(request))

        def unit(connection: Any) -> WebhookProgress:
            known = webhooks.read_known(connection)
            if len({each.name for each in known.added} | {name}) > MOST_WEBHOOKS:
                raise InputError(
                    f"there are {MOST_WEBHOOKS} webhooks already", hint="remove one that is unused"
                )
            return webhooks.write(connection, webhook)

        return _tell_webhook(site, webhook, await database.write(unit))

    @writes(
        "/webhooks/{name:str}/resume",
        Role.ADMINISTRATOR,
        tag=_TAG,
        name="resumeWebhook",
        description="Tell a webhook again at once, from where it was or from a given event on.",
    )
    async def resume(name: Name, data: JSONBody[ResumeBody]) -> WebhookAnswer:
        return _tell_webhook(site, *await resume_webhook(site, name, after=data.after))

    @delete(
        "/webhooks/{name:str}",
        status_code=204,
        opt=takes(Role.ADMINISTRATOR),
        responses=WRITING,
        tags=[_TAG],
        operation_id="deleteWebhook",
        security=_SECURED,
    )
    async def remove(name: Name) -> None:
        """Tell an address of nothing any more. Needs the role administrator."""
        _require_changeable(site, name)
        await database.write(lambda unit: webhooks.remove(unit, name))

    return [put, resume, remove]


def _check(site: Site, name: str, body: WebhookBody, *, actor: str) -> Webhook:
    """The webhook that ``body`` describes. Raises InputError."""
    from okd_payload.oci.registry.messages import parse_target

    _require_changeable(site, name)
    if not WEBHOOK_NAME.fullmatch(name):
        raise InputError(f"{name!r} is no name for a webhook", hint="use a-z, 0-9 and -")
    parse_target(body.url)
    if len(body.secret) < SHORTEST_SECRET:
        raise InputError(
            "the secret is too short", hint=f"use {SHORTEST_SECRET} characters or more"
        )
    texts = (body.url, body.secret, *body.events, *body.streams)
    if not all(text.isprintable() for text in texts):
        raise InputError("there are control characters in it", hint="leave them out")
    return Webhook(
        name=name,
        url=body.url,
        secret=body.secret,
        kinds=body.events,
        streams=body.streams,
        created=site.now(),
        created_by=actor,
    )


def _require_changeable(site: Site, name: str) -> None:
    if name in site.settings.webhooks.hooks:
        raise InputError(
            f"{name} stands in the settings of this site", hint="change it there, and start anew"
        )


def _tell_webhook(site: Site, webhook: Webhook, progress: WebhookProgress | None) -> WebhookAnswer:
    return WebhookAnswer(
        name=webhook.name,
        url=webhook.url,
        events=webhook.kinds,
        streams=webhook.streams,
        configured=webhook.name in site.settings.webhooks.hooks,
        position=progress.position if progress is not None else UNSET,
        attempts=progress.attempts if progress is not None else 0,
        retry_at=known_moment(progress.retry_at) if progress is not None else UNSET,
        message=progress.message if progress is not None else "",
        delivered=progress.delivered if progress is not None else 0,
        disabled=known_moment(progress.disabled) if progress is not None else UNSET,
    )


def _tell_try(tried: WebhookTry) -> WebhookTryAnswer:
    return WebhookTryAnswer(
        event=tried.event,
        kind=tried.kind,
        attempt=tried.attempt,
        time=moment(tried.time),
        seconds=round(tried.seconds, 3),
        status=UNSET if tried.status is None else tried.status,
        message=tried.message,
    )
