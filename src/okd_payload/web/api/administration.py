# SPDX-License-Identifier: Apache-2.0
"""What administrators do: tokens, and reading who did what.

A token is shown when it is made and never again.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from litestar import get
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from okd_payload.controller.records import audit, tokens
from okd_payload.controller.records.tokens import Token
from okd_payload.errors import InputError
from okd_payload.web.access.guard import actor_of, takes
from okd_payload.web.access.roles import Role
from okd_payload.web.access.tokens import mint_token, revoke_token
from okd_payload.web.api.actions import Asked, writes
from okd_payload.web.api.parameters import Limit, Name, Number
from okd_payload.web.api.problems import READING
from okd_payload.web.api.values import Answer, known_moment, moment
from okd_payload.web.site import Site

_DAY = 86400.0
_LONGEST_DAYS = 3650
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
    """Everything for administrators but webhooks."""
    return [*_on_tokens(site), _on_audit(site)]


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
