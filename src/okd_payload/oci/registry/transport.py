# SPDX-License-Identifier: Apache-2.0
"""HTTP as the registry client needs it: one pool of connections, and errors of our own.

The only module that calls aiohttp. It knows TLS contexts, proxies and stalls; it follows no
redirect, keeps no cookie, reads no ``.netrc`` and decodes no body. URLs of object storage carry
signatures in their query, so messages name hosts, never URLs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping

import aiohttp
from yarl import URL

from okd_payload import __version__
from okd_payload.clock import Clock
from okd_payload.errors import RegistryError, RegistryRefused, RegistryUnavailable, TooLarge
from okd_payload.oci.registry import responses
from okd_payload.oci.registry.certificates import Certificates
from okd_payload.oci.registry.proxies import Proxies
from okd_payload.oci.registry.retry import Transient
from okd_payload.oci.registry.settings import RegistrySettings

_CONNECT_SECONDS = 30.0
_READ_BUFFER = 512 * 1024
_MAX_HEADER = 64 * 1024
_UNKNOWN_NAME = frozenset({socket.EAI_NONAME, socket.EAI_NODATA})

_NAME_HINT = "check the spelling of the registry's name, and the network"
_PROXY_HINT = "check HTTPS_PROXY and NO_PROXY"

Body = bytes | AsyncIterator[bytes] | None


class NoTls(RegistryUnavailable):
    """The other side does not speak TLS: a loopback host may be spoken to without."""


class Transport:
    """The connection pool. Open it with ``async with``."""

    def __init__(self, settings: RegistrySettings, *, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self._certificates = Certificates(settings)
        self._proxies = Proxies(os.environ)
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Be ready for requests."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            read_bufsize=_READ_BUFFER,
            max_line_size=_MAX_HEADER,
            max_field_size=_MAX_HEADER,
            headers={"User-Agent": f"okd-payload/{__version__}", "Accept-Encoding": "identity"},
        )

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(
        self, method: str, url: URL, *, headers: Mapping[str, str], body: Body = None
    ) -> aiohttp.ClientResponse:
        """The answer as soon as its headers are there; the caller releases it.

        Raises Transient, or RegistryUnavailable where another try cannot help.
        """
        with self._own_errors(url):
            try:
                return await self._request(method, url, headers=headers, body=body)
            except aiohttp.ClientConnectorCertificateError:
                if not self._certificates.add_system_roots(self._tls(url, self._proxies.find(url))):
                    raise
            return await self._request(method, url, headers=headers, body=body)

    async def _request(
        self, method: str, url: URL, *, headers: Mapping[str, str], body: Body
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            raise RuntimeError("the registry client is used outside of its `async with` block")
        streamed = body is not None and not isinstance(body, bytes)
        patience = self.settings.answer_seconds if streamed else self.settings.stall_seconds
        proxy = self._proxies.find(url)
        async with asyncio.timeout(None) as watch:
            return await self._session.request(
                method,
                url,
                headers=headers,
                data=self._watched(body, watch) if isinstance(body, AsyncIterator) else body,
                allow_redirects=False,
                ssl=self._tls(url, proxy),
                proxy=proxy,
                timeout=aiohttp.ClientTimeout(sock_connect=_CONNECT_SECONDS, sock_read=patience),
            )

    def _tls(self, url: URL, proxy: URL | None) -> ssl.SSLContext | bool:
        """How to speak TLS on the way to ``url``, whose first hop may be a proxy that does."""
        for hop in (url, proxy):
            if hop is not None and hop.scheme == "https":
                return self._certificates.context(hop.host_port_subcomponent or "")
        return True

    async def chunks(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        """The body of ``response`` as it comes. Raises Transient when it is cut or stalls."""
        with self._own_errors(response.url):
            content = response.content
            while not content.at_eof():
                # Not iter_any, which copies all that came meanwhile into one piece.
                chunk, _ = await content.readchunk()
                if chunk:
                    yield chunk
            if (error := content.exception()) is not None:
                raise error

    async def read(self, response: aiohttp.ClientResponse, *, limit: int) -> bytes:
        """The whole body. Raises TooLarge beyond ``limit`` bytes, Transient when it is cut."""
        content = bytearray()
        async for chunk in self.chunks(response):
            content += chunk
            if len(content) > limit:
                raise TooLarge(
                    f"{response.url.host} answers with more than {limit} bytes",
                    hint="what was asked for cannot be that large: is this a registry?",
                )
        return bytes(content)

    async def _watched(
        self, body: AsyncIterator[bytes], watch: asyncio.Timeout
    ) -> AsyncIterator[bytes]:
        """``body``, with ``watch`` set off when the other side takes nothing for too long.

        Time that ``body`` itself takes does not count: it may come from a slow registry.
        """
        async for chunk in body:
            _expect_within(watch, self.settings.stall_seconds)
            yield chunk
            _expect_within(watch, None)
        _expect_within(watch, self.settings.answer_seconds)

    @contextlib.contextmanager
    def _own_errors(self, url: URL) -> Iterator[None]:
        """Whatever the network does, as an error of ours that says whom it concerns."""
        host = responses.printable(url.host_port_subcomponent or "")
        try:
            yield
        except aiohttp.ClientHttpProxyError as error:
            # Not chained, like the next one: it carries the headers of the request.
            raise RegistryUnavailable(
                f"the proxy refuses the way to {host} (status {error.status})", hint=_PROXY_HINT
            ) from None
        except aiohttp.ClientResponseError as error:
            raise Transient(f"{host} does not speak HTTP: {error.message}") from None
        except (aiohttp.ClientError, OSError, UnicodeError) as error:
            raise _connection_error(host, error) from error


def _expect_within(watch: asyncio.Timeout, seconds: float | None) -> None:
    # A registry may answer before the body ended; then the watch has done its duty.
    with contextlib.suppress(RuntimeError):
        now = asyncio.get_running_loop().time()
        watch.reschedule(None if seconds is None else now + seconds)


def _connection_error(host: str, error: Exception) -> RegistryError:
    """``error`` as one of ours: Transient where another try may go better."""
    match error:
        case aiohttp.ClientConnectorError():
            return _connector_error(host, error)
        case aiohttp.InvalidURL() | UnicodeError():
            return RegistryRefused(f"{host} is not the name of a host", hint=_NAME_HINT)
        case TimeoutError():
            return Transient(f"{host} went silent", overload=True)
        case _:
            return Transient(f"the connection to {host} is lost: {_reason(error)}")


def _connector_error(host: str, error: aiohttp.ClientConnectorError) -> RegistryError:
    reason = error.strerror or str(error)
    match error:
        case aiohttp.ClientConnectorCertificateError():
            why = getattr(error.certificate_error, "verify_message", "") or error.certificate_error
            return RegistryUnavailable(
                f"the certificate of {host} is not trusted: {why}",
                hint=f"put its authority into /etc/containers/certs.d/{host}/ca.crt, "
                "or name the file with --certificate-authority",
            )
        case aiohttp.ClientConnectorSSLError():
            return NoTls(
                f"{host} does not speak TLS with us: {reason}",
                hint=f"if {host} speaks plain http only, allow that: --plain-http {host}",
            )
        case aiohttp.ClientConnectorDNSError() if error.errno in _UNKNOWN_NAME:
            return RegistryUnavailable(
                f"the name of {host} is unknown: {reason}",
                hint=_NAME_HINT,
            )
        case aiohttp.ClientProxyConnectionError():
            message = f"the proxy before {host} cannot be reached: {reason}"
            return Transient(message, hint=_PROXY_HINT)
        case _:
            return Transient(f"no connection to {host}: {reason}")


def _reason(error: Exception) -> str:
    return str(error).split("(", maxsplit=1)[0].strip() or type(error).__name__
