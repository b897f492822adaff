# SPDX-License-Identifier: Apache-2.0
"""Every request that would change something is on record before its answer is given.

Refused ones too, with who asked, from where and how it ended; what they carried is not: secrets
may stand there. Addresses that are refused unheard are not written, so that nobody fills the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from okd_payload.controller.records import audit
from okd_payload.controller.records.audit import AuditEntry
from okd_payload.errors import RecordsError
from okd_payload.web.access.guard import identity_of
from okd_payload.web.site import Site

_log = logging.getLogger(__name__)

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_UNHEARD = 429
_LONGEST = 512


def make_audit(site: Site) -> Callable[[ASGIApp], ASGIApp]:
    """The layer around each route of ``site`` that writes the audit log."""

    def around(app: ASGIApp) -> ASGIApp:
        async def audited(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP or scope["method"] in _READING:
                await app(scope, receive, send)
                return

            async def note(message: Message) -> None:
                if message["type"] == "http.response.start" and message["status"] != _UNHEARD:
                    await _write(site, scope, message["status"])
                await send(message)

            await app(scope, receive, note)

        return audited

    return around


async def _write(site: Site, scope: Scope, status: int) -> None:
    identity = identity_of(scope)
    action = f"{scope.get('method')} {scope['path']}"
    entry = AuditEntry(
        time=site.now(),
        actor=identity.name,
        address=identity.address,
        action="".join(sign if sign.isprintable() else "?" for sign in action)[:_LONGEST],
        status=status,
    )
    try:
        await site.surroundings.database.write(lambda unit: audit.add(unit, entry))
    except RecordsError as error:
        _log.error("the audit log cannot be written: %s", error.message)
