# SPDX-License-Identifier: Apache-2.0
"""Telling webhooks for as long as the application runs, while this instance acts.

It also lets go of what is too old to be told: events after a month, the audit log after a year.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from litestar import Litestar

from okd_payload.controller.records import audit, events
from okd_payload.controller.service.leadership import Leadership
from okd_payload.errors import RecordsError
from okd_payload.web.events.telling import WebhookDelivery
from okd_payload.web.site import Site

_log = logging.getLogger(__name__)
_SECONDS = 1.0
_DAY = 86400.0
KEPT_EVENTS = 30 * _DAY
KEPT_AUDIT = 366 * _DAY
_BETWEEN = 3600.0
Lifespan = Callable[[Litestar], contextlib.AbstractAsyncContextManager[None]]


def deliver_beside(site: Site) -> list[Lifespan]:
    """What runs beside the application of ``site``: nothing where no controller is."""
    service = site.service
    if service is None:
        return []

    @contextlib.asynccontextmanager
    async def beside(_application: Litestar) -> AsyncIterator[None]:
        from okd_payload.oci.registry.messages import PinnedMessenger

        delivery = WebhookDelivery(site, service.leadership, PinnedMessenger())
        task = asyncio.create_task(_run(site, delivery, service.leadership))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    return [beside]


async def _run(site: Site, delivery: WebhookDelivery, leadership: Leadership) -> None:
    forgotten = 0.0
    trouble = ""
    try:
        while True:
            if leadership.is_acting:
                try:
                    await delivery.advance()
                    if site.now() - forgotten >= _BETWEEN:
                        await forget_old(leadership, now=site.now())
                        forgotten = site.now()
                    trouble = ""
                except RecordsError as error:  # the lease may be lost, or the database away
                    if error.message != trouble:  # said once, not every second
                        _log.warning("webhooks are not told now: %s", error.message)
                    trouble = error.message
            else:
                await delivery.stop()
            await site.surroundings.clock.wait(_SECONDS)
    finally:
        await delivery.stop()


async def forget_old(leadership: Leadership, *, now: float) -> None:
    """Let go of old events and entries of the audit log. Raises RecordsError."""

    def unit(connection: Any) -> None:
        events.forget(connection, now - KEPT_EVENTS)
        audit.forget(connection, now - KEPT_AUDIT)

    await leadership.write(unit)
