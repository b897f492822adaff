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
    is_encrypted,
    is_same_origin,
)
from okd_payload.web.access.roles import Role, permits
from okd_payload.web.access.sessions import cookie_name, recognise_session
from okd_payload.web.access.tokens import recognise, roles_of
from okd_payload.web.site import Site

Connection = ASGIConnection[Any, Any, Any, Any]

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


def actor_of(connection: Connection) -> str:
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

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        _require_text(connection.scope)
        needed = role_of(handler)
        writes = connection.scope.get("method", "GET") not in _READING
        if needed is None:
            remember(connection, Identity(address=address_at(site, connection)))
            return
        identity = await _identify(site, connection, attempts)
        remember(connection, identity)
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
        if writes and identity.by_browser:
            require_same_origin(site, connection)

    return guard


def require_same_origin(site: Site, connection: Connection) -> None:
    """Raise PermissionDeniedException unless a page of this site makes the browser ask."""
    if not is_same_origin(connection.headers, base_url=site.base_url):
        raise PermissionDeniedException("a page of another site asks for this")


def _require_text(scope: Any) -> None:
    """Raise ClientException for a NUL, which no name has and no database takes."""
    query = scope.get("query_string", b"")
    if "\x00" in scope["path"] or b"\x00" in query or b"%00" in query:
        raise ClientException("there is a NUL in the address")


async def _identify(site: Site, connection: Connection, attempts: Attempts) -> Identity:
    """Who asks. Raises NotAuthorizedException for a token that opens nothing."""
    address = address_at(site, connection)
    shown = connection.headers.get("authorization", "")
    if not shown:
        return await _identify_browser(site, connection, address)
    require_hearing(attempts, address)
    scheme, _, text = shown.partition(" ")
    token = await recognise(site.surroundings, text.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        attempts.note_failure(address)
        raise NotAuthorizedException(
            "the token is not known, revoked or expired",
            headers={"WWW-Authenticate": 'Bearer realm="okd-payload", error="invalid_token"'},
        )
    return Identity(name=token.name, roles=roles_of(token), address=address)


def require_hearing(attempts: Attempts, address: str) -> None:
    """Raise TooManyRequestsException while ``address`` is not heard."""
    wait = attempts.wait_of(address)
    if wait:
        raise TooManyRequestsException(
            "too many tokens were shown from here that open nothing",
            headers={"Retry-After": str(int(wait) + 1)},
        )


async def _identify_browser(site: Site, connection: Connection, address: str) -> Identity:
    """Who signed in here or at a listed proxy; nobody for a session that has ended."""
    token = await recognise_session(site.surroundings, session_of(site, connection))
    if token is not None:
        return Identity(
            name=token.name,
            roles=roles_of(token),
            by_browser=True,
            signed_in=True,
            address=address,
        )
    proxied = identity_of_proxy(peer_of(connection), connection.headers, site.settings.access.proxy)
    return proxied or Identity(address=address)


def session_of(site: Site, connection: Connection) -> str:
    """The session that the browser shows; empty where it shows none."""
    name = cookie_name(encrypted=speaks_encrypted(site, connection))
    return str(connection.cookies.get(name, ""))


def speaks_encrypted(site: Site, connection: Connection) -> bool:
    """Whether the browser is spoken to by HTTPS."""
    return is_encrypted(
        str(connection.scope.get("scheme", "")),
        peer_of(connection),
        connection.headers,
        site.settings.access.proxy,
        base_url=site.base_url,
    )


def remember(connection: Connection, identity: Identity) -> None:
    """Let everybody behind the guard, and the audit log, know who asks."""
    connection.scope.setdefault("state", {})[_IDENTITY] = identity


def peer_of(connection: Connection) -> str:
    """The address at the other end of the line."""
    return connection.client.host if connection.client else ""


def address_at(site: Site, connection: Connection) -> str:
    """Where the request comes from, by the word of listed proxies."""
    return address_of(peer_of(connection), connection.headers, site.settings.access.proxy)
