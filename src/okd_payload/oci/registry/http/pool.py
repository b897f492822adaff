# SPDX-License-Identifier: Apache-2.0
"""Connections that wait for their next request, and the answers that they come back from.

How many there are is not decided here: whoever sends requests limits those under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

from multidict import CIMultiDictProxy
from yarl import URL

from okd_payload.oci.registry.http.connection import Connection
from okd_payload.oci.registry.http.heads import Head

KEPT_SECONDS = 15.0
"""Servers hang up on those who keep silent, most of them not before a minute."""


class Pool:
    """The connections of one client."""

    def __init__(self, *, kept_seconds: float = KEPT_SECONDS) -> None:
        self._kept_seconds = kept_seconds
        self._waiting: dict[Hashable, list[tuple[float, Connection]]] = {}
        self._all: set[Connection] = set()
        self._sweeping: asyncio.TimerHandle | None = None

    def add(self, connection: Connection) -> None:
        """Take care that ``connection``, which is new, is gone in the end."""
        self._all.add(connection)
        connection.closed.add_done_callback(lambda _: self._all.discard(connection))

    def take(self, key: Hashable) -> Connection | None:
        """A connection that waits, the one that was used last; None when there is none."""
        waiting = self._waiting.get(key, [])
        oldest = asyncio.get_running_loop().time() - self._kept_seconds
        while waiting:
            since, connection = waiting.pop()
            if connection.is_open and since >= oldest:
                return connection
            connection.abort()
        return None

    def give_back(self, key: Hashable, connection: Connection) -> None:
        """Let ``connection`` wait for its next request, if there can be one."""
        if connection.finish():
            loop = asyncio.get_running_loop()
            self._waiting.setdefault(key, []).append((loop.time(), connection))
            if self._sweeping is None:
                self._sweeping = loop.call_later(self._kept_seconds, self._sweep)

    async def close(self) -> None:
        """End all connections, those in use too."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._waiting.clear()
        ending = [connection.closed for connection in self._all]
        for connection in list(self._all):
            connection.abort()
        if ending:
            await asyncio.wait(ending)

    def _sweep(self) -> None:
        """End what nobody has asked for in a while; come back while something waits."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - self._kept_seconds
        for key, waiting in list(self._waiting.items()):
            for since, connection in waiting:
                if since <= oldest:
                    connection.abort()
            waiting[:] = [item for item in waiting if item[1].is_open]
            if not waiting:
                del self._waiting[key]
        again = bool(self._waiting)
        self._sweeping = loop.call_later(self._kept_seconds, self._sweep) if again else None


class Response:
    """An answer while its body streams. Whoever has it reads what is wanted, and releases it."""

    def __init__(
        self, head: Head, url: URL, *, connection: Connection, pool: Pool, key: Hashable
    ) -> None:
        self.status = head.status
        self.headers: CIMultiDictProxy[str] = head.headers
        self.url = url
        """What was asked for."""
        self._connection: Connection | None = connection
        self._pool = pool
        self._key = key

    async def read(self) -> bytes:
        """The next piece of the body, empty at its end. Raises HttpError, and TimeoutError."""
        return b"" if self._connection is None else await self._connection.read()

    def release(self) -> None:
        """Let go of it; what was not read of the body is dropped."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.give_back(self._key, connection)
