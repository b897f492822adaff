# SPDX-License-Identifier: Apache-2.0
"""Telling webhooks for as long as the application runs, while this instance acts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

from litestar import Litestar

from okd_payload.errors import RecordsError
from okd_payload.web.events.webhooks import WebhookDelivery
from okd_payload.web.site import Site

_log = logging.getLogger(__name__)
_SECONDS = 2.0
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
        task = asyncio.create_task(_run(delivery, lambda: service.leadership.is_acting))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    return [beside]


async def _run(delivery: WebhookDelivery, is_acting: Callable[[], bool]) -> None:
    while True:
        more = False
        if is_acting():
            try:
                more = await delivery.advance()
            except RecordsError as error:  # the lease may be lost, or the database away
                _log.warning("webhooks are not told now: %s", error.message)
        if not more:
            await asyncio.sleep(_SECONDS)
