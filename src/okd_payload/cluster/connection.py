# SPDX-License-Identifier: Apache-2.0
"""The way to one API server: requests out, bytes back, and nothing understood.

HTTP is aiohttp's, as in the registry client: through lightkube's own client a request costs 1.4 ms
of CPU, and a stream of 190 builds asks thousands of times (decision 0019). Nothing is raised for
what goes wrong on the way: no answer is an outcome, as a refusal is. Streams say at their end
whether they were cut.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from okd_payload import __version__
from okd_payload.cluster.credentials import Credentials
from okd_payload.cluster.request import Answer, Request, Unreached

if TYPE_CHECKING:
    from aiohappyeyeballs import AddrInfoType
    from aiohttp import ClientResponse, ClientSession, ClientTimeout

_CONNECT_TIME = 10.0
_SILENCE = 60.0
"""Seconds without a byte after which a request is given up: servers end theirs after 60."""
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""Seconds of silence before the other side is asked for life, between questions; and how many."""
_LARGEST_ANSWER = 256 << 20
_LARGEST_REFUSAL = 1 << 20


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server is, and the way there."""

    server: str
    proxy: str = ""
    """An HTTP proxy; empty for none."""
    server_name: str = ""
    """The name in its certificate, where it is not that of the address."""


class Stream:
    """An answer that goes on: pieces of bytes, as they come."""

    def __init__(self, response: ClientResponse) -> None:
        self._response = response
        self.cut = ""
        """After the last piece: how the stream was cut; empty when the server ended it."""

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes until the end, however it comes."""
        import aiohttp

        try:
            async for piece in self._response.content.iter_any():
                yield piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.cut = _words(error)


class Connection:
    """Requests to one server; ``close`` it, or the session's sockets stay open."""

    def __init__(
        self, address: Address, credentials: Credentials, *, tls: ssl.SSLContext | None
    ) -> None:
        self.server = address.server.rstrip("/")
        self.answered = False
        """Whether the server ever said anything."""
        self._address = address
        self._credentials = credentials
        self._tls = tls
        self._session: ClientSession | None = None

    async def ask(self, request: Request) -> Answer | Unreached:
        """The whole answer, or how it failed to come."""
        outcome = await self._ask(request)
        if isinstance(outcome, Answer) and outcome.status == 401:
            return await self._ask(request) if await self._credentials.renew() else outcome
        return outcome

    @contextlib.asynccontextmanager
    async def open_stream(
        self, request: Request, *, silence: float
    ) -> AsyncIterator[Stream | Answer | Unreached]:
        """An answer as a stream if it is a good one; ``silence`` in seconds cuts it."""
        async with contextlib.AsyncExitStack() as open_until_end:
            opened = await self._open(request, silence=silence)
            if isinstance(opened, Unreached):
                yield opened
                return
            if opened.status == 401 and await self._credentials.renew():
                opened.release()
                opened = await self._open(request, silence=silence)
                if isinstance(opened, Unreached):
                    yield opened
                    return
            open_until_end.callback(opened.close)
            if opened.status == 200:
                yield Stream(opened)
            else:
                yield await _read(opened, limit=_LARGEST_REFUSAL)

    async def close(self) -> None:
        """Let go of every socket."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, request: Request) -> Answer | Unreached:
        opened = await self._open(request, silence=_SILENCE)
        if isinstance(opened, Unreached):
            return opened
        async with opened:
            return await _read(opened, limit=_LARGEST_ANSWER)

    async def _open(self, request: Request, *, silence: float) -> ClientResponse | Unreached:
        import aiohttp
        from yarl import URL

        headers = {"Accept": "application/json"}
        if authorization := await self._credentials.authorization():
            headers["Authorization"] = authorization
        if request.body:
            headers["Content-Type"] = request.content_type
        try:
            response = await self._running_session().request(
                request.method,
                URL(f"{self.server}{request.target}", encoded=True),
                data=request.body or None,
                headers=headers,
                allow_redirects=False,
                timeout=_timeout(silence),
                proxy=self._address.proxy or None,
                server_hostname=self._address.server_name or None,
            )
        except (aiohttp.ClientSSLError, aiohttp.InvalidURL) as error:
            return Unreached(words=_words(error), sent=False, mendable=False)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Unreached(words=_words(error), sent=False)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Unreached(words=_words(error))
        self.answered = True
        return response

    def _running_session(self) -> ClientSession:
        """The session, made in the loop that uses it."""
        import aiohttp

        if self._session is None:
            connector = aiohttp.TCPConnector(
                ssl=True if self._tls is None else self._tls,
                limit=0,  # each watch and each log keeps one connection busy
                socket_factory=_lively_socket,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": f"okd-payload/{__version__}"},
            )
        return self._session


def _lively_socket(info: AddrInfoType) -> socket.socket:
    """A socket that notices when the other side is gone, however long nothing is to be said."""
    family, kind, protocol, _, _ = info
    made = socket.socket(family=family, type=kind, proto=protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return made


def _timeout(silence: float) -> ClientTimeout:
    import aiohttp

    return aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIME, sock_read=silence)


async def _read(response: ClientResponse, *, limit: int) -> Answer | Unreached:
    import aiohttp

    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in response.content.iter_any():
            size += len(piece)
            if size > limit:
                response.close()
                return Unreached(words=f"the answer has more than {limit} bytes", mendable=False)
            pieces.append(piece)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Unreached(words=_words(error))
    return Answer(
        status=response.status,
        body=b"".join(pieces),
        retry_after=_seconds(response.headers.get("Retry-After", "")),
    )


def _seconds(header: str) -> float | None:
    """The header as API servers write it: whole seconds."""
    return float(header) if header.isascii() and header.isdigit() and len(header) < 8 else None


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
