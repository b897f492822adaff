# SPDX-License-Identifier: Apache-2.0
"""Telling webhooks, each in order and none in the way of another.

The instance that acts reads the log of events on for each webhook from its own place. Every
address that has something to hear has one task, which holds a few events at most and ends with
the first that is not taken: an address that keeps silent costs its own time only. Webhooks are
counted, so tasks are.

What was sent is written down after the answer. A kill between the two sends it again, with the
same delivery id; nothing is lost. What was changed about a webhook meanwhile wins over what its
task would note.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from okd_payload.controller.model import Event
from okd_payload.controller.records import events, webhooks
from okd_payload.controller.records.webhooks import Webhook, WebhookProgress, WebhookTry
from okd_payload.controller.service.leadership import Leadership
from okd_payload.errors import OkdPayloadError, RecordsError
from okd_payload.oci.messages import Messenger
from okd_payload.web.events.webhooks import (
    after_try,
    is_due,
    join_webhooks,
    wants,
    write_message,
)
from okd_payload.web.site import Site

_log = logging.getLogger(__name__)

_BATCH = 100


class WebhookDelivery:
    """Tells all webhooks of a site."""

    def __init__(self, site: Site, leadership: Leadership, messenger: Messenger) -> None:
        self._site = site
        self._leadership = leadership
        self._messenger = messenger
        self._telling: dict[str, asyncio.Task[None]] = {}
        """By the name of the webhook."""
        self._broken: set[str] = set()
        """Those that an error of ours ended: a restart tells them on."""

    async def advance(self) -> None:
        """Begin to tell every webhook that has something to hear and is not being told.

        Raises RecordsError, also of what was begun before: nothing is lost then.
        """
        if (trouble := self._collect()) is not None:
            raise trouble
        known = await self._site.ask(webhooks.read_known)
        every = join_webhooks(self._site, known.added)
        gone = known.progress.keys() - {each.name for each in every}
        begun = [
            WebhookProgress(name=each.name, position=known.last)  # it hears from now on
            for each in every
            if each.name not in known.progress
        ]
        if gone or begun:
            await self._arrange(gone, begun)
        for webhook in every:
            progress = known.progress.get(webhook.name)
            if progress is None or progress.position >= known.last:
                continue
            is_free = webhook.name not in self._telling and webhook.name not in self._broken
            if is_free and is_due(progress, now=self._site.now()):
                task = asyncio.create_task(self._tell(webhook, progress))
                self._telling[webhook.name] = task

    async def settle(self) -> None:
        """Return when everything that was begun has ended."""
        if self._telling:
            await asyncio.wait(self._telling.values())

    async def stop(self) -> None:
        """End what was begun: whoever acts next goes on from what was noted."""
        for task in self._telling.values():
            task.cancel()
        await self.settle()
        self._collect()

    def _collect(self) -> RecordsError | None:
        """Make room for those that have ended; why one of them could not note how far it was."""
        trouble = None
        for name in [name for name, task in self._telling.items() if task.done()]:
            task = self._telling.pop(name)
            error = task.exception() if not task.cancelled() else None
            if isinstance(error, RecordsError):
                trouble = error
            elif error is not None:
                self._broken.add(name)
                _log.error("webhook %s is told nothing until a restart", name, exc_info=error)
        return trouble

    async def _arrange(self, gone: Collection[str], begun: Sequence[WebhookProgress]) -> None:
        """Let go of what stands in the settings no more, and write down where new ones begin."""

        def unit(connection: Any) -> None:
            for name in gone:
                webhooks.forget_progress(connection, name)
            for progress in begun:
                webhooks.write_progress(connection, progress)

        await self._leadership.write(unit)

    async def _tell(self, webhook: Webhook, progress: WebhookProgress) -> None:
        """Tell ``webhook`` what follows on ``progress``, until something is not taken."""
        noted = progress
        while batch := await self._site.ask(events.read_since, noted.position, limit=_BATCH):
            passed = noted
            for event in batch:
                if not wants(webhook, event):
                    passed = msgspec.structs.replace(passed, position=event.sequence)
                    continue
                passed, tried = await self._try(webhook, passed, event)
                if not await self._note(webhook, noted, passed, tried):
                    return
                noted = passed
                if tried.message:
                    return
            if passed != noted and not await self._note(webhook, noted, passed):
                return
            noted = passed

    async def _try(
        self, webhook: Webhook, progress: WebhookProgress, event: Event
    ) -> tuple[WebhookProgress, WebhookTry]:
        """Tell it of ``event`` once; how far it is then, and how that went."""
        clock, settings = self._site.surroundings.clock, self._site.settings.webhooks
        begun, counted = clock.now(), clock.monotonic()
        status, trouble = None, ""
        message = write_message(webhook, event, now=begun)
        try:
            status = await self._messenger.send(message, allowed=settings.allowed_networks)
        except OkdPayloadError as error:
            trouble = error.message
        if status is not None and not 200 <= status < 300:
            trouble = f"it answered {status}"
        tried = WebhookTry(
            name=webhook.name,
            event=event.sequence,
            kind=event.kind,
            attempt=progress.attempts + 1,
            time=begun,
            seconds=clock.monotonic() - counted,
            status=status,
            message=trouble,
        )
        return after_try(progress, event, trouble, now=clock.now()), tried

    async def _note(
        self,
        webhook: Webhook,
        before: WebhookProgress,
        after: WebhookProgress,
        tried: WebhookTry | None = None,
    ) -> bool:
        """Whether that was noted: nothing is once the webhook was changed, moved or removed."""
        is_configured = webhook.name in self._site.settings.webhooks.hooks

        def unit(connection: Any) -> bool:
            if not is_configured and webhook not in webhooks.list_all(connection):
                return False
            return webhooks.advance(connection, before, after, tried)

        return await self._leadership.write(unit)
