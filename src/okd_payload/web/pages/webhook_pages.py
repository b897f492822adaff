# SPDX-License-Identifier: Apache-2.0
"""How webhooks fare, for administrators: where each is, what became of the last tries.

One that was given up has a button by which it is told again. Addresses are shown, secrets never.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from okd_payload.controller.records import webhooks
from okd_payload.controller.records.webhooks import Webhook, WebhookProgress
from okd_payload.web.access.guard import takes
from okd_payload.web.access.roles import Role
from okd_payload.web.events.webhooks import ATTEMPTS, find_webhook, join_webhooks, resume_webhook
from okd_payload.web.pages.deeds import TELL_AGAIN
from okd_payload.web.pages.rendering import AnyRequest, Renderer
from okd_payload.web.pages.saying import done_cookie
from okd_payload.web.pages.words import path_part
from okd_payload.web.site import Site

_FOR_ADMINISTRATORS = takes(Role.ADMINISTRATOR)


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

    @get("/webhooks", include_in_schema=False, opt=_FOR_ADMINISTRATORS)
    async def every(request: AnyRequest) -> Response[bytes]:
        """All webhooks."""
        known = await site.ask(webhooks.read_known)
        shown = [
            show(each, known.progress.get(each.name)) for each in join_webhooks(site, known.added)
        ]
        return renderer.answer(request, "webhooks.html", shown=shown, last=known.last)

    @get("/webhooks/{name:str}", include_in_schema=False, opt=_FOR_ADMINISTRATORS)
    async def page(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
        """One webhook, and its last tries."""
        known = await site.ask(webhooks.read_known)
        webhook = find_webhook(site, known, name)
        return renderer.answer(
            request,
            "webhook.html",
            shown=show(webhook, known.progress.get(name)),
            last=known.last,
            tries=await site.ask(webhooks.read_tries, name),
            deed=TELL_AGAIN,
            most=ATTEMPTS,
        )

    @post(
        f"/webhooks/{{name:str}}/{TELL_AGAIN.word}",
        include_in_schema=False,
        opt=takes(TELL_AGAIN.role),
        status_code=303,
    )
    async def tell_again(name: FromPath[str]) -> Redirect:
        """Let it be told again, from where it was."""
        await resume_webhook(site, name)
        back = f"/webhooks/{path_part(name)}"
        return Redirect(back, status_code=303, cookies=[done_cookie(TELL_AGAIN.word, back)])

    return [every, page, tell_again]
