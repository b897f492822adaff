# SPDX-License-Identifier: Apache-2.0
"""What administrators do: tokens, webhooks, and reading who did what.

A token is shown when it is made and never again; the secret of a webhook is never shown at all.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import msgspec
from litestar import delete, get
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from okd_payload.controller.records import audit, tokens, webhooks
from okd_payload.controller.records.tokens import Token
from okd_payload.controller.records.webhooks import Webhook, WebhookProgress
from okd_payload.errors import InputError
from okd_payload.web.access.guard import actor_of, takes
from okd_payload.web.access.roles import Role
from okd_payload.web.access.tokens import mint_token, revoke_token
from okd_payload.web.api.actions import Asked, writes
from okd_payload.web.api.parameters import Limit, Name, Number
from okd_payload.web.api.problems import READING, WRITING
from okd_payload.web.api.values import Answer, known_moment, moment
from okd_payload.web.events.webhooks import read_webhooks
from okd_payload.web.site import Site

_DAY = 86400.0
_LONGEST_DAYS = 3650
_WEBHOOK_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SECURED: list[dict[str, list[str]]] = [{"token": []}]


class TokenAnswer(Answer, frozen=True, kw_only=True):
    """A token, without what it opens doors with."""

    id: str
    name: str
    roles: tuple[str, ...]
    created: dt.datetime
    created_by: str
    expires: dt.datetime | UnsetType = UNSET
    used: dt.datetime | UnsetType = UNSET
    revoked: dt.datetime | UnsetType = UNSET


class TokenList(Answer, frozen=True, kw_only=True):
    """All tokens, the oldest first."""

    items: tuple[TokenAnswer, ...]


class NewToken(Answer, frozen=True, kw_only=True):
    """A token that was just made."""

    token: TokenAnswer
    text: str
    """What is shown to the interface; it is not kept here, so keep it there."""


class TokenBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a new token is for."""

    name: str
    roles: tuple[Role, ...]
    days: int = 90
    """After how many days it ends; 0 is never."""


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
    dropped: int


class WebhookList(Answer, frozen=True, kw_only=True):
    """All webhooks, by name."""

    items: tuple[WebhookAnswer, ...]


class WebhookBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whom to tell of what."""

    url: str
    secret: str
    events: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()


class AuditAnswer(Answer, frozen=True, kw_only=True):
    """One request that would have changed something."""

    number: int
    time: dt.datetime
    actor: str
    address: str
    action: str
    status: int
    message: str


class AuditPage(Answer, frozen=True, kw_only=True):
    """Some of these, the newest first."""

    items: tuple[AuditAnswer, ...]
    before: int | UnsetType = UNSET


def routes(site: Site) -> list[Any]:
    """Everything for administrators."""
    return [*_on_tokens(site), *_on_webhooks(site), _on_audit(site)]


def _on_tokens(site: Site) -> list[Any]:
    @get(
        "/tokens",
        opt=takes(Role.ADMINISTRATOR),
        responses=READING,
        tags=["administration"],
        operation_id="listTokens",
        security=_SECURED,
    )
    async def list_tokens() -> TokenList:
        """All tokens. Needs the role administrator."""
        return TokenList(items=tuple(map(_tell_token, await site.ask(tokens.list_all))))

    @writes(
        "/tokens",
        Role.ADMINISTRATOR,
        tag="administration",
        name="createToken",
        description="Make a token; its text is in the answer and nowhere else.",
    )
    async def create(*, request: Asked, data: JSONBody[TokenBody]) -> NewToken:
        if not 0 <= data.days <= _LONGEST_DAYS:
            raise InputError(f"a token lasts at most {_LONGEST_DAYS} days", hint="0 is for ever")
        minted = await mint_token(
            site.surroundings,
            data.name,
            roles=data.roles,
            seconds=data.days * _DAY or None,
            actor=actor_of(request),
        )
        return NewToken(token=_tell_token(minted.token), text=minted.text)

    @writes(
        "/tokens/{token_id:str}/revoke",
        Role.ADMINISTRATOR,
        tag="administration",
        name="revokeToken",
        description="End a token at once.",
    )
    async def revoke(token_id: Name) -> TokenAnswer:
        return _tell_token(await revoke_token(site.surroundings, token_id))

    return [list_tokens, create, revoke]


def _on_webhooks(site: Site) -> list[Any]:
    @get(
        "/webhooks",
        opt=takes(Role.ADMINISTRATOR),
        responses=READING,
        tags=["administration"],
        operation_id="listWebhooks",
        security=_SECURED,
    )
    async def list_webhooks() -> WebhookList:
        """All webhooks, and how far each has been told. Needs the role administrator."""
        progress = await site.ask(webhooks.read_progress)
        known = await read_webhooks(site)
        return WebhookList(
            items=tuple(_tell_webhook(site, each, progress.get(each.name)) for each in known)
        )

    @writes(
        "/webhooks/{name:str}",
        Role.ADMINISTRATOR,
        tag="administration",
        name="putWebhook",
        description="Tell an address of events from now on, or change what it is told.",
    )
    async def put(*, request: Asked, name: Name, data: JSONBody[WebhookBody]) -> WebhookAnswer:
        webhook = _check(site, name, data, actor=actor_of(request))
        await site.surroundings.database.write(lambda unit: webhooks.write(unit, webhook))
        progress = await site.ask(webhooks.read_progress)
        return _tell_webhook(site, webhook, progress.get(name))

    @delete(
        "/webhooks/{name:str}",
        status_code=204,
        opt=takes(Role.ADMINISTRATOR),
        responses=WRITING,
        tags=["administration"],
        operation_id="deleteWebhook",
        security=_SECURED,
    )
    async def remove(name: Name) -> None:
        """Tell an address of nothing any more. Needs the role administrator."""
        _require_changeable(site, name)
        await site.surroundings.database.write(lambda unit: webhooks.remove(unit, name))

    return [list_webhooks, put, remove]


def _on_audit(site: Site) -> Any:
    @get(
        "/audit",
        opt=takes(Role.ADMINISTRATOR),
        responses=READING,
        tags=["administration"],
        operation_id="listAudit",
        security=_SECURED,
    )
    async def list_audit(*, before: Number = None, limit: Limit = 50) -> AuditPage:
        """Who asked for which change, from where, and how it ended. Needs administrator."""
        found = await site.ask(audit.read_last, before=before, limit=limit + 1)
        shown = found[:limit]
        return AuditPage(
            items=tuple(
                AuditAnswer(
                    number=each.number,
                    time=moment(each.time),
                    actor=each.actor,
                    address=each.address,
                    action=each.action,
                    status=each.status,
                    message=each.message,
                )
                for each in shown
            ),
            before=shown[-1].number if len(found) > limit else UNSET,
        )

    return list_audit


def _check(site: Site, name: str, body: WebhookBody, *, actor: str) -> Webhook:
    """The webhook that ``body`` describes. Raises InputError."""
    from okd_payload.oci.registry.messages import parse_target

    _require_changeable(site, name)
    if not _WEBHOOK_NAME.fullmatch(name):
        raise InputError(f"{name!r} is no name for a webhook", hint="use a-z, 0-9 and -")
    parse_target(body.url)
    if len(body.secret) < 16:
        raise InputError("the secret is too short", hint="use 16 characters or more")
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


def _tell_token(token: Token) -> TokenAnswer:
    return TokenAnswer(
        id=token.id,
        name=token.name,
        roles=token.roles,
        created=moment(token.created),
        created_by=token.created_by,
        expires=known_moment(token.expires),
        used=known_moment(token.used),
        revoked=known_moment(token.revoked),
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
        dropped=progress.dropped if progress is not None else 0,
    )
