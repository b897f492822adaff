# SPDX-License-Identifier: Apache-2.0
"""``/healthz`` says that the process answers, ``/readyz`` that its database does, too.

An instance that waits for its turn to act is ready: it serves all that only reads.
"""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.enums import MediaType

from okd_payload.controller.records import events
from okd_payload.errors import RecordsError
from okd_payload.web.access.guard import OPEN
from okd_payload.web.problems import NO_DATABASE
from okd_payload.web.reading import read
from okd_payload.web.site import Site


def routes(site: Site) -> list[Any]:
    """The two probes."""

    @read("/healthz", media_type=MediaType.TEXT, include_in_schema=False, opt=OPEN)
    async def healthz() -> str:
        """The process answers."""
        return "ok\n"

    @read("/readyz", media_type=MediaType.TEXT, include_in_schema=False, opt=OPEN)
    async def readyz() -> Response[str]:
        """The database answers."""
        try:
            await site.ask(events.last_number)
        except RecordsError:
            return Response(f"{NO_DATABASE}\n", status_code=503, media_type=MediaType.TEXT)
        return Response("ok\n", media_type=MediaType.TEXT)

    return [healthz, readyz]
