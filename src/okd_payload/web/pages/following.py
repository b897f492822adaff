# SPDX-License-Identifier: Apache-2.0
"""Files that other processes write, followed for browsers as server-sent events.

Whoever writes records of builds tells nobody, and may be any process with the same folder. So
what is told here is that a look at the files gives something else than before: a look costs a
few calls to the system, and only while somebody has the page open. A browser that comes back
after an interruption says how far it was, and one that asks for something that has ended is told
so in the way that makes it stop asking.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Hashable, Iterable, Iterator
from pathlib import Path

import msgspec
from litestar import Response
from litestar.exceptions import ServiceUnavailableException
from litestar.response import Stream

from okd_payload.clock import Clock
from okd_payload.web.events.hub import HEADERS, MEDIA_TYPE
from okd_payload.web.pages.logs import read_from

SECONDS = 0.5
_HEARTBEAT_LOOKS = 30
"""Looks without news after which something is sent, so that nobody hangs up."""
_MOST_LISTENERS = 500
_HELLO = b"retry: 3000\n\n"
_STILL_HERE = b": still here\n\n"
_CHANGED = b"data: changed\n\n"
_ENDED = b"event: ended\ndata: ended\n\n"


class Followers:
    """Everybody who follows files of this site: bounded, because each costs a look at a time."""

    def __init__(self) -> None:
        self._count = 0

    def stream(self, events: AsyncGenerator[bytes, None]) -> Stream:
        """``events`` as an answer. Raises ServiceUnavailableException when too many listen."""
        if self._count >= _MOST_LISTENERS:
            raise ServiceUnavailableException(
                "too many listen already", headers={"Retry-After": "10"}
            )
        return Stream(self._counted(events), media_type=MEDIA_TYPE, headers=HEADERS)

    async def _counted(self, events: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        with self._listening():
            yield _HELLO
            async with contextlib.aclosing(events):
                async for event in events:
                    yield event

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1


def stop_asking() -> Response[bytes]:
    """The answer after which a browser does not connect again."""
    return Response(b"", status_code=204)


class Mark(msgspec.Struct, frozen=True):
    """What files look like from outside, and whether more is to come."""

    look: Hashable
    is_open: bool = True


def look_at(paths: Iterable[Path]) -> Hashable:
    """What changes whenever one of the files does."""
    found = []
    for path in paths:
        with contextlib.suppress(OSError):
            status = path.stat()
            found.append((str(path), status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(found)


async def tell_changes(
    look: Callable[[], Mark], *, clock: Clock, seconds: float = SECONDS
) -> AsyncGenerator[bytes, None]:
    """An event whenever ``look`` gives something else, until it has ended.

    One comes at once, for what happened since the page was made.
    """
    before: Mark | None = None
    quiet = 0
    while True:
        mark = await asyncio.to_thread(look)
        if mark != before:
            before, quiet = mark, 0
            yield _CHANGED
        if not mark.is_open:
            yield _ENDED
            return
        quiet += 1
        if quiet % _HEARTBEAT_LOOKS == 0:
            yield _STILL_HERE
        await clock.wait(seconds)


async def tell_log(
    find: Callable[[], tuple[Path | None, bool]], *, clock: Clock, offset: int
) -> AsyncGenerator[bytes, None]:
    """What is logged after ``offset``, piece by piece, until the log has ended.

    ``find`` gives the file, or None before there is one, and whether more is to come.
    """
    quiet = 0
    while True:
        path, is_open = await asyncio.to_thread(find)
        piece = (
            await asyncio.to_thread(read_from, path, offset, whole=is_open)
            if path is not None
            else None
        )
        if piece is not None and piece.end > offset:
            offset, quiet = piece.end, 0
            yield b"id: %d\ndata: %s\n\n" % (offset, msgspec.json.encode(piece.text))
            if piece.end < piece.size:
                continue
        if not is_open:
            yield _ENDED
            return
        quiet += 1
        if quiet % _HEARTBEAT_LOOKS == 0:
            yield _STILL_HERE
        await clock.wait(SECONDS)
