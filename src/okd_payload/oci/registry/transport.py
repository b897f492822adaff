# SPDX-License-Identifier: Apache-2.0
"""HTTP as the registry client needs it: one pool of connections, and errors of our own.

It knows TLS contexts, proxies and stalls; it follows no redirect, keeps no cookie, reads no
``.netrc`` and decodes no body. URLs of object storage carry signatures in their query, so
messages name hosts, never URLs.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping

from yarl import URL

from okd_payload import __version__
from okd_payload.clock import Clock
from okd_payload.errors import RegistryError, RegistryRefused, RegistryUnavailable, TooLarge
from okd_payload.oci.registry import responses
from okd_payload.oci.registry.certificates import Certificates
from okd_payload.oci.registry.http import errors
from okd_payload.oci.registry.http.connection import Connection
from okd_payload.oci.registry.http.dialling import Route, dial
from okd_payload.oci.registry.http.heads import encode_head
from okd_payload.oci.registry.http.pool import Pool, Response
from okd_payload.oci.registry.proxies import Proxies
from okd_payload.oci.registry.retry import Transient
from okd_payload.oci.registry.settings import RegistrySettings

_HEADERS = {
    "User-Agent": f"okd-payload/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}
_SENDING = frozenset({"POST", "PUT", "PATCH"})
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})

_NAME_HINT = "check the spelling of the registry's name, and the network"
_TARGET_HINT = "the registry, or a proxy before it, is set up wrongly"
_PROXY_HINT = "check HTTPS_PROXY and NO_PROXY"
_LASTING: dict[type[Exception], tuple[str, str]] = {
    errors.ProxyRefused: ("the proxy refuses the way to {host} (status {error})", _PROXY_HINT),
    errors.UnknownName: ("the name of {host} is unknown: {error}", _NAME_HINT),
}
_PASSING: dict[type[Exception], tuple[str, str]] = {
    errors.ProxyUnreachable: ("the proxy before {host} cannot be reached: {error}", _PROXY_HINT),
    errors.NoConnection: ("no connection to {host}: {error}", ""),
    errors.Malformed: ("{host} does not speak HTTP: {error}", ""),
    errors.Lost: ("the connection to {host} is lost: {error}", ""),
    TimeoutError: ("{host} went silent", ""),
}
"""What to say, and what to do, where another try may go better; above, where it will not."""

Body = bytes | AsyncIterator[bytes] | None


class NoTls(RegistryUnavailable):
    """The other side does not speak TLS: a loopback host may be spoken to without."""


class Transport:
    """The connection pool. Open it before use, and close it."""

    def __init__(self, settings: RegistrySettings, *, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self._certificates = Certificates(settings)
        self._proxies = Proxies(os.environ)
        self._pool: Pool | None = None

    async def open(self) -> None:
        """Be ready for requests."""
        self._pool = Pool()

    async def close(self) -> None:
        """Close all connections."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def send(
        self, method: str, url: URL, *, headers: Mapping[str, str], body: Body = None
    ) -> Response:
        """The answer as soon as its headers are there; the caller releases it.

        A ``body`` that streams has its length among the ``headers``. Raises Transient, or
        RegistryUnavailable where another try cannot help.
        """
        try:
            route = self._route(url)
            try:
                return await self._request(method, route, headers=headers, body=body)
            except errors.Untrusted:
                if not self._certificates.add_system_roots(route.tls):
                    raise
            return await self._request(method, route, headers=headers, body=body)
        except (errors.HttpError, TimeoutError, UnicodeError) as error:
            raise _own_error(url, error) from error

    async def _request(
        self, method: str, route: Route, *, headers: Mapping[str, str], body: Body
    ) -> Response:
        if self._pool is None:
            raise RuntimeError("the registry client is used outside of its `async with` block")
        request = _encode(method, route, headers, body)
        kept = self._pool.take(route.key)
        if kept is not None:
            try:
                return await self._exchange(kept, method, route, request=request, body=body)
            except errors.Lost:
                # The other side hung up on a connection that was waiting: no fault of anybody.
                may_repeat = method in _IDEMPOTENT and not isinstance(body, AsyncIterator)
                if kept.was_heard or not may_repeat:
                    raise
        connection = await dial(route)
        self._pool.add(connection)
        return await self._exchange(connection, method, route, request=request, body=body)

    async def _exchange(
        self, connection: Connection, method: str, route: Route, *, request: bytes, body: Body
    ) -> Response:
        settings = self.settings
        streams = isinstance(body, AsyncIterator)
        head = await connection.exchange(
            request,
            body or b"",
            patience=settings.answer_seconds if streams else settings.stall_seconds,
            stall=settings.stall_seconds,
            has_body=method != "HEAD",
        )
        if self._pool is None:
            raise errors.Lost("the client was closed meanwhile")
        return Response(head, route.url, connection=connection, pool=self._pool, key=route.key)

    def _route(self, url: URL) -> Route:
        """The way to ``url``. A proxy that speaks TLS is trusted like any other host."""
        proxy = self._proxies.find(url)
        proxy_tls = None
        if proxy is not None and proxy.scheme == "https":
            proxy_tls = self._certificates.context(proxy.host_port_subcomponent or "")
            self._certificates.add_system_roots(proxy_tls)
        is_tls = url.scheme == "https"
        tls = self._certificates.context(url.host_port_subcomponent or "") if is_tls else None
        return Route(url=url, tls=tls, proxy=proxy, proxy_tls=proxy_tls)

    async def next_chunk(self, response: Response) -> bytes:
        """More of the body, empty at its end. Raises Transient when it is cut or stalls."""
        try:
            return await response.read()
        except (errors.HttpError, TimeoutError) as error:
            raise _own_error(response.url, error) from error

    async def read(self, response: Response, *, limit: int) -> bytes:
        """The whole body. Raises TooLarge beyond ``limit`` bytes, Transient when it is cut."""
        content = bytearray()
        while chunk := await self.next_chunk(response):
            content += chunk
            if len(content) > limit:
                raise TooLarge(
                    f"{response.url.host} answers with more than {limit} bytes",
                    hint="what was asked for cannot be that large: is this a registry?",
                )
        return bytes(content)


def _encode(method: str, route: Route, headers: Mapping[str, str], body: Body) -> bytes:
    """The head of a request. What the caller says about a header counts more than our habits."""
    ours = {"Host": route.url.host_port_subcomponent or "", **_HEADERS}
    if isinstance(body, bytes) or (body is None and method in _SENDING):
        ours["Content-Length"] = str(len(body or b""))
    given = {name.lower() for name in headers}
    ours = {name: value for name, value in ours.items() if name.lower() not in given}
    return encode_head(method, route.target, {**ours, **headers, **route.login})


def _own_error(url: URL, error: Exception) -> RegistryError:
    """What the network did, said of whom it concerns: Transient where a try may go better."""
    host = responses.printable(url.host_port_subcomponent or "")
    match error:
        case errors.ProxyRefused() | errors.UnknownName():
            message, hint = _LASTING[type(error)]
            return RegistryUnavailable(message.format(host=host, error=error), hint=hint)
        case errors.Untrusted():
            return RegistryUnavailable(
                f"the certificate of {host} is not trusted: {error}",
                hint=f"put its authority into /etc/containers/certs.d/{host}/ca.crt, "
                "or name the file with --certificate-authority",
            )
        case errors.TlsFailed():
            return NoTls(
                f"{host} does not speak TLS with us: {error}",
                hint=f"if {host} speaks plain http only, allow that: --plain-http {host}",
            )
        case errors.Unsendable():
            return RegistryRefused(f"{host} cannot be asked: {error}", hint=_TARGET_HINT)
        case errors.ImpossibleName() | UnicodeError():
            return RegistryRefused(f"{host} is not the name of a host", hint=_NAME_HINT)
        case _:
            message, hint = _PASSING[type(error)]
            silent = isinstance(error, TimeoutError)
            return Transient(message.format(host=host, error=error), hint=hint, overload=silent)
