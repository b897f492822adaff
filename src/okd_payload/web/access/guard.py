# SPDX-License-Identifier: Apache-2.0
"""The one guard before all routes: who asks, and whether that is enough.

A route says with ``takes(role)`` what it needs, with ``OPEN`` that probes and registries may
come without; one that says nothing reads. Writing without a role is refused whoever asks, so
that a forgotten word closes a route instead of opening it.
"""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import (
    ClientException,
    NotAuthorizedException,
    PermissionDeniedException,
    TooManyRequestsException,
)
from litestar.handlers.base import BaseRouteHandler
from litestar.types import Guard

from okd_payload.web.access.attempts import Attempts
from okd_payload.web.access.identity import (
    Identity,
    address_of,
    identity_of_proxy,
    is_same_origin,
)
from okd_payload.web.access.roles import Role, permits
from okd_payload.web.access.tokens import recognise, roles_of
from okd_payload.web.site import Site

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_KEY = "takes"
_IDENTITY = "identity"
OPEN: dict[str, Any] = {_KEY: None}
"""The options of a route that judges by itself who may come."""


def takes(role: Role) -> dict[str, Any]:
    """The options of a route that needs ``role``."""
    return {_KEY: role}


def role_of(handler: BaseRouteHandler) -> Role | None:
    """What ``handler`` needs; None where it judges by itself."""
    needed = handler.opt.get(_KEY, Role.READER)
    return Role(needed) if needed is not None else None


def actor_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Who asks, by name; empty when the guard has not recognised anybody."""
    return identity_of(connection.scope).name


def identity_of(scope: Any) -> Identity:
    """Whom the guard has recognised."""
    found = scope.get("state", {}).get(_IDENTITY)
    return found if isinstance(found, Identity) else Identity()


def make_guard(site: Site) -> Guard:
    """The guard of ``site``."""
    access = site.settings.access
    attempts = Attempts(site.surroundings.clock, limit=access.attempts)

    async def guard(
        connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
    ) -> None:
        _require_text(connection.scope)
        needed = role_of(handler)
        writes = connection.scope.get("method", "GET") not in _READING
        if needed is None:
            _remember(connection, Identity(address=_address(site, connection)))
            return
        identity = await _identify(site, connection, attempts)
        _remember(connection, identity)
        if writes and _KEY not in handler.opt:
            raise PermissionDeniedException("nothing is written here")
        if needed is Role.READER and access.anonymous_reading:
            return
        if not identity.roles:
            raise NotAuthorizedException(
                f"this needs a token with the role {needed.value}",
                headers={"WWW-Authenticate": 'Bearer realm="okd-payload"'},
            )
        if not permits(identity.roles, needed):
            raise PermissionDeniedException(f"{identity.name} has not the role {needed.value}")
        if (
            writes
            and identity.by_proxy
            and not is_same_origin(connection.headers, base_url=site.base_url)
        ):
            raise PermissionDeniedException("a page of another site asks for this")

    return guard


def _require_text(scope: Any) -> None:
    """Raise ClientException for a NUL, which no name has and no database takes."""
    query = scope.get("query_string", b"")
    if "\x00" in scope["path"] or b"\x00" in query or b"%00" in query:
        raise ClientException("there is a NUL in the address")


async def _identify(
    site: Site, connection: ASGIConnection[Any, Any, Any, Any], attempts: Attempts
) -> Identity:
    """Who asks. Raises NotAuthorizedException for a token that opens nothing."""
    address = _address(site, connection)
    shown = connection.headers.get("authorization", "")
    if not shown:
        proxied = identity_of_proxy(
            _peer(connection), connection.headers, site.settings.access.proxy
        )
        return proxied or Identity(address=address)
    wait = attempts.wait_of(address)
    if wait:
        raise TooManyRequestsException(
            "too many tokens were shown from here that open nothing",
            headers={"Retry-After": str(int(wait) + 1)},
        )
    scheme, _, text = shown.partition(" ")
    token = await recognise(site.surroundings, text.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        attempts.note_failure(address)
        raise NotAuthorizedException(
            "the token is not known, revoked or expired",
            headers={"WWW-Authenticate": 'Bearer realm="okd-payload", error="invalid_token"'},
        )
    return Identity(name=token.name, roles=roles_of(token), address=address)


def _remember(connection: ASGIConnection[Any, Any, Any, Any], identity: Identity) -> None:
    connection.scope.setdefault("state", {})[_IDENTITY] = identity


def _peer(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    return connection.client.host if connection.client else ""


def _address(site: Site, connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    return address_of(_peer(connection), connection.headers, site.settings.access.proxy)
