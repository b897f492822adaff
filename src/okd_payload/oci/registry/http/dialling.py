# SPDX-License-Identifier: Apache-2.0
"""Opening connections: straight, over a proxy, or through a tunnel that a proxy opens.

Plain HTTP goes to a proxy as it is; to speak TLS through one, it is asked to ``CONNECT`` first.
Of a name with several addresses the next one is tried while the first keeps silent.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import os
import re
import socket
import ssl

import msgspec
from yarl import URL

from okd_payload.oci.registry.http.connection import Connection
from okd_payload.oci.registry.http.errors import (
    HttpError,
    ImpossibleName,
    Lost,
    NoConnection,
    ProxyRefused,
    ProxyUnreachable,
    TlsFailed,
    UnknownName,
    Untrusted,
)
from okd_payload.oci.registry.http.heads import encode_head

_SECONDS = 30.0
_NEXT_ADDRESS_SECONDS = 0.25
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?")
"""What ends like an address is one or nothing: resolvers read ``127.1`` in a way of their own."""
_UNKNOWN = frozenset({socket.EAI_NONAME, socket.EAI_NODATA})


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """The way to the host of a URL. A host has a context where TLS is spoken with it."""

    url: URL
    tls: ssl.SSLContext | None
    proxy: URL | None = None
    proxy_tls: ssl.SSLContext | None = None

    @property
    def key(self) -> tuple[str, str | None, int | None, URL | None]:
        """Equal for URLs that one connection leads to."""
        return (self.url.scheme, self.url.raw_host, self.url.port, self.proxy)

    @property
    def target(self) -> str:
        """What the request line asks for."""
        path = self.url.raw_path_qs
        if self.proxy is None or self.tls is not None:
            return path
        return f"{self.url.scheme}://{self.url.host_port_subcomponent}{path}"

    @property
    def login(self) -> dict[str, str]:
        """The header by which a proxy that takes requests itself lets us in."""
        return {} if self.tls is not None else _login(self.proxy)


async def dial(route: Route) -> Connection:
    """A new connection. Raises HttpError, and TimeoutError."""
    async with asyncio.timeout(_SECONDS):
        if route.proxy is None:
            return await _connect(route.url, route.tls)
        try:
            connection = await _connect(route.proxy, route.proxy_tls)
        except HttpError as error:
            raise ProxyUnreachable(str(error)) from error
        if route.tls is None:
            return connection
        try:
            await _open_tunnel(connection, route, route.tls)
        except BaseException:
            connection.abort()
            raise
        return connection


async def _connect(url: URL, tls: ssl.SSLContext | None) -> Connection:
    host = url.raw_host or ""
    if _NUMERIC.fullmatch(host) and not _is_address(host):
        raise ImpossibleName(host)
    try:
        _, connection = await asyncio.get_running_loop().create_connection(
            Connection,
            host,
            url.port or 0,
            ssl=tls,
            server_hostname=_tls_name(url) if tls else None,
            happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS,
        )
    except UnicodeError as error:
        raise ImpossibleName(host) from error
    except OSError as error:
        raise _own_error(error) from error
    return connection


async def _open_tunnel(connection: Connection, route: Route, tls: ssl.SSLContext) -> None:
    place = f"{route.url.host_subcomponent}:{route.url.port}"
    request = encode_head("CONNECT", place, {"Host": place, **_login(route.proxy)})
    answer = await connection.exchange(request, patience=_SECONDS, stall=_SECONDS, has_body=False)
    if not 200 <= answer.status < 300:
        raise ProxyRefused(str(answer.status))
    try:
        await connection.start_tls(tls, _tls_name(route.url))
    except OSError as error:
        raise _own_error(error) from error


def _own_error(error: OSError) -> HttpError:
    match error:
        case ssl.SSLCertVerificationError():
            return Untrusted(error.verify_message or str(error))
        case ssl.SSLError():
            return TlsFailed(error.reason or str(error))
        case socket.gaierror() if error.errno in _UNKNOWN:
            return UnknownName(error.strerror or str(error))
        case socket.gaierror():
            return NoConnection(error.strerror or str(error))
        case ConnectionResetError() | ConnectionAbortedError():
            return Lost(str(error))
        case _:
            return NoConnection(os.strerror(error.errno) if error.errno else str(error))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _tls_name(url: URL) -> str:
    """The name that the certificate is for; a dot at its end is an affair of name servers."""
    return (url.raw_host or "").rstrip(".")


def _login(proxy: URL | None) -> dict[str, str]:
    if proxy is None or proxy.user is None:
        return {}
    secret = base64.b64encode(f"{proxy.user}:{proxy.password or ''}".encode()).decode()
    return {"Proxy-Authorization": f"Basic {secret}"}
