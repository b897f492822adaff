# SPDX-License-Identifier: Apache-2.0
"""A site answered at a port of its own, in the loop of the test."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from okd_payload.cli.serving.http import address_of, answer, listen
from okd_payload.web.application import make_application
from okd_payload.web.site import Site

PARTS = ("health", "api", "events", "pages", "downloads")
"""What pages ask; the other parts have tests of their own."""


@contextlib.asynccontextmanager
async def serve(site: Site) -> AsyncIterator[str]:
    """The address at which ``site`` is answered, until the end of the block."""
    stop = asyncio.Event()

    async def rest() -> None:
        await stop.wait()

    with listen("127.0.0.1", 0) as opened:
        application = make_application(site, parts=PARTS)
        serving = asyncio.create_task(answer(application, opened, beside=rest()))
        yield address_of(opened)
        stop.set()
        await serving
