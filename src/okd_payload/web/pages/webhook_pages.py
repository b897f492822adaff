# SPDX-License-Identifier: Apache-2.0
"""How webhooks fare, for administrators: where each is, what became of the last tries.

One in trouble has a button by which it is told again, and one to pass over what it does not take.
Addresses are shown, secrets never.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response
from litestar.params import FromPath

from okd_payload.controller.records import webhooks
from okd_payload.controller.records.webhooks import Webhook, WebhookProgress
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError
from okd_payload.web.access.guard import takes
from okd_payload.web.access.roles import Role
from okd_payload.web.events.webhooks import (
    ATTEMPTS,
    find_refused,
    find_webhook,
    join_webhooks,
    pass_over,
    resume_webhook,
)
from okd_payload.web.pages.acting import Refusal, Show, form_routes
from okd_payload.web.pages.deeds import PASS_OVER, TELL_AGAIN
from okd_payload.web.pages.rendering import AnyRequest, Renderer
from okd_payload.web.pages.words import path_part
from okd_payload.web.reading import read
from okd_payload.web.site import Site

_FOR_ADMINISTRATORS = takes(Role.ADMINISTRATOR)
_LONGEST_NUMBER = 16


class ShownWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook, and how it fares."""

    webhook: Webhook
    progress: WebhookProgress
    configured: bool
    condition: str
    """In one word, or two."""


def judge(progress: WebhookProgress | None) -> str:
    """How a webhook fares, in one word or two."""
    if progress is None:
        return "New"
    if progress.disabled is not None:
        return "Given up"
    return "Trouble" if progress.attempts else "Good"


def routes(site: Site, renderer: Renderer) -> list[Any]:
    """The list, and the page of one."""

    def show(webhook: Webhook, progress: WebhookProgress | None) -> ShownWebhook:
        return ShownWebhook(
            webhook=webhook,
            progress=progress or WebhookProgress(name=webhook.name),
            configured=webhook.name in site.settings.webhooks.hooks,
            condition=judge(progress),
        )

    @read("/webhooks", include_in_schema=False, opt=_FOR_ADMINISTRATORS)
    async def every(request: AnyRequest) -> Response[bytes]:
        """All webhooks."""
        known = await site.ask(webhooks.read_known)
        shown = [
            show(each, known.progress.get(each.name)) for each in join_webhooks(site, known.added)
        ]
        return renderer.answer(request, "webhooks.html", shown=shown, last=known.last)

    async def show_one(
        request: AnyRequest, name: str, refusal: Refusal | None = None
    ) -> Response[bytes]:
        known = await site.ask(webhooks.read_known)
        webhook = find_webhook(site, known, name)
        tries = await site.ask(webhooks.read_tries, name)
        return renderer.answer(
            request,
            "webhook.html",
            status=200 if refusal is None else 400,
            refusal=refusal,
            shown=show(webhook, known.progress.get(name)),
            last=known.last,
            tries=tries,
            refused=find_refused(known.progress.get(name), tries),
            again=TELL_AGAIN,
            over=PASS_OVER,
            most=ATTEMPTS,
        )

    @read("/webhooks/{name:str}", include_in_schema=False, opt=_FOR_ADMINISTRATORS)
    async def page(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
        """One webhook, and its last tries."""
        return await show_one(request, name)

    return [every, page, *_forms(site, show_one)]


def _forms(site: Site, show: Show) -> list[Any]:
    """What the forms are sent to; ``show`` makes the page that says what was not done."""

    async def tell_again(_: Surroundings, name: str, **_said: str) -> None:
        await resume_webhook(site, name)

    async def leave_out(_: Surroundings, name: str, *, event: str, **_said: str) -> None:
        if not (event.isascii() and event.isdecimal() and len(event) < _LONGEST_NUMBER):
            raise InputError("that names no event", hint="load the page again")
        await pass_over(site, name, int(event))

    return form_routes(
        site,
        "/webhooks/{name:str}",
        {TELL_AGAIN: tell_again, PASS_OVER: leave_out},
        address_of=lambda name: f"/webhooks/{path_part(name)}",
        show=show,
    )
