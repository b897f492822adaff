# SPDX-License-Identifier: Apache-2.0
"""One connection: a request goes out, its answer comes in, then perhaps the next.

Reading stops while more has come than the caller took, and sending waits while the other side
takes nothing. An answer may come before the request has ended, mostly a refusal: then the rest
is not sent. Whatever leaves the two sides of different opinion about where a message ends makes
the connection useless for another one.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from typing import cast

from okd_payload.oci.registry.http.bodies import Body, body_of
from okd_payload.oci.registry.http.errors import HttpError, Lost, Malformed
from okd_payload.oci.registry.http.heads import MAX_HEAD_BYTES, Head, parse_head

_END = re.compile(rb"\r?\n\r?\n")
_READ_AHEAD = 512 * 1024
_SWITCHING, _FINAL = 101, 200

Content = bytes | AsyncIterator[bytes]


class Connection(asyncio.Protocol):
    """A connection, made by ``dialling``; one task uses it at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        """Done when nothing of the connection is left."""
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._patience = 0.0
        self._failure: HttpError | None = None
        self._is_asked = False
        self._has_body = True
        self._beginning = b""
        self._head: Head | None = None
        self._body: Body | None = None
        self._content: deque[bytes] = deque()
        self._held = 0
        self._sends_slowly = False
        self._reads = True
        self._spoilt = False

    async def exchange(
        self,
        request: bytes,
        content: Content = b"",
        *,
        patience: float,
        stall: float,
        has_body: bool = True,
    ) -> Head:
        """Send a request, and return the head of its answer.

        ``patience`` is how many seconds may pass without a byte of the answer, ``stall`` those in
        which nothing of ``content`` is taken. Raises HttpError, and TimeoutError.
        """
        self._is_asked, self._head, self._body = True, None, None
        self._has_body = has_body
        self._patience = patience
        try:
            if isinstance(content, bytes):
                self._write(request + content)
            else:
                self._write(request)
                await self._send(content, stall)
            return await self._wait_for_head(patience)
        except BaseException:
            self.abort()
            raise

    async def read(self) -> bytes:
        """The next piece of the body, empty at its end. Raises HttpError, and TimeoutError."""
        while not self._content:
            if self._body is None or self._body.ended:
                return b""
            await self._wait(self._patience)
        piece = self._content.popleft()
        self._held -= len(piece)
        if not self._reads and self._held <= _READ_AHEAD // 2 and self._transport:
            self._reads = True
            self._transport.resume_reading()
        return piece

    @property
    def was_heard(self) -> bool:
        """Whether anything came since the last request."""
        return self._head is not None or bool(self._beginning)

    def finish(self) -> bool:
        """Let go of the answer; whether another request may follow on this connection."""
        self._is_asked = False
        head, body = self._head, self._body
        if head is None or body is None or not (head.keeps and body.ended) or self._spoilt:
            self.abort()
            return False
        self._content.clear()
        self._held = 0
        if not self._reads and self._transport:
            self._reads = True
            self._transport.resume_reading()
        return self.is_open

    @property
    def is_open(self) -> bool:
        """Whether both sides may still be there."""
        transport = self._transport
        return transport is not None and not transport.is_closing() and self._failure is None

    def abort(self) -> None:
        """End it, whatever is under way."""
        self._spoilt = True
        if self._transport is not None:
            self._transport.abort()

    async def start_tls(self, context: ssl.SSLContext, name: str) -> None:
        """Go on with TLS, through a tunnel that a proxy has opened. Raises OSError."""
        if self._transport is None or self._spoilt:
            raise Lost("the proxy says more than it should")
        self._is_asked = False
        transport = await self._loop.start_tls(self._transport, self, context, server_hostname=name)
        if transport is None:
            raise Lost("the proxy has hung up")
        self._transport = transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport: called by asyncio."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take what came: called by asyncio."""
        if not self._is_asked:
            self.abort()
            return
        try:
            if self._body is None:
                self._take_head(data)
            else:
                self._take_content(self._body, data)
        except Malformed as error:
            self._failure = error
            self.abort()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """Note that it is over: called by asyncio."""
        if self._failure is None:
            self._failure = Lost(str(error) if error else "the other side has hung up")
            if self._body is not None and error is None:
                self._end_body(self._body)
        self._transport = None
        if not self.closed.done():
            self.closed.set_result(None)
        self._wake()

    def pause_writing(self) -> None:
        """Send nothing more for now: called by asyncio."""
        self._sends_slowly = True

    def resume_writing(self) -> None:
        """Go on sending: called by asyncio."""
        self._sends_slowly = False
        self._wake()

    async def _send(self, content: AsyncIterator[bytes], stall: float) -> None:
        try:
            async for piece in content:
                if self._head is not None:
                    break
                self._write(piece)
                while self._sends_slowly and self._head is None:
                    await self._wait(stall)
            else:
                return
        except (HttpError, TimeoutError):
            if self._head is None:
                raise
        except Exception as error:
            # The other side waits for the rest in vain; the caller knows its own source's error.
            raise Lost(f"the content cannot be read: {error}") from error
        self._spoilt = True
        if isinstance(content, AsyncGenerator):
            await content.aclose()

    async def _wait_for_head(self, seconds: float) -> Head:
        while self._head is None:
            await self._wait(seconds)
        return self._head

    def _write(self, data: bytes) -> None:
        if self._transport is None:
            raise self._failure or Lost("the other side has hung up")
        self._transport.write(data)

    async def _wait(self, seconds: float) -> None:
        """Wait until something happened. Raises what went wrong, TimeoutError for nothing."""
        if self._failure is not None:
            raise self._failure
        self._waiter = waiter = self._loop.create_future()
        timer = self._loop.call_later(seconds, _expire, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _take_head(self, data: bytes) -> None:
        known = max(0, len(self._beginning) - 3)
        self._beginning += data
        while found := _END.search(self._beginning, known):
            head = parse_head(self._beginning[: found.start()] + b"\n")
            rest, self._beginning = self._beginning[found.end() :], b""
            if head.status == _SWITCHING:
                raise Malformed("another protocol, which nobody asked for")
            if head.status < _FINAL:
                self._beginning, known = rest, 0
                continue
            self._head = head
            self._body = body_of(head, has_body=self._has_body)
            if rest:
                self._take_content(self._body, rest)
            return
        if len(self._beginning) > MAX_HEAD_BYTES:
            raise Malformed("headers without end")

    def _take_content(self, body: Body, data: bytes) -> None:
        piece, surplus = body.take(data)
        if surplus:
            self._spoilt = True
        if not piece:
            return
        self._content.append(piece)
        self._held += len(piece)
        if self._held > _READ_AHEAD and self._reads and self._transport:
            self._reads = False
            self._transport.pause_reading()

    def _end_body(self, body: Body) -> None:
        try:
            body.finish()
        except Lost as error:
            self._failure = error


def _expire(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())
