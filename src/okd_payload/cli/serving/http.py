# SPDX-License-Identifier: Apache-2.0
"""Answering requests, in the loop in which the controller runs.

The address is bound before anything else is opened, so that a port that is taken is said at once.
A server that is told to end lets requests finish, but waits for no reader of events for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Coroutine, Iterator
from typing import TYPE_CHECKING, Any

import uvicorn

from okd_payload.cli.serving.heads import HeadRequests
from okd_payload.cli.serving.requests import RequestLog
from okd_payload.cli.serving.streams import EndingStreams
from okd_payload.errors import InputError

if TYPE_CHECKING:
    from litestar import Litestar

_GRACE_SECONDS = 5
_BACKLOG = 512


@contextlib.contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """A socket at the address; port 0 is any that is free. Raises InputError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        opened = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:  # a host with a part that no name can have
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"cannot listen at {host}, port {port}: {reason}",
            hint="choose another with --listen and --port; port 0 takes any that is free",
        ) from error
    with opened:
        # else the loop leaves it off: a body would wait for the acknowledgement of its head
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield opened


def address_of(opened: socket.socket) -> str:
    """The address that a browser on this machine reaches the socket at."""
    host, port = opened.getsockname()[:2]
    near = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - a name, nothing is bound
    shown = near.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


class _Server(uvicorn.Server):
    """Ends when it is told to by us: signals are the command line's affair."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


async def answer(
    application: Litestar, opened: socket.socket, *, beside: Coroutine[Any, Any, None]
) -> None:
    """Answer requests at ``opened``, and run ``beside``, until one of them ends or we are stopped.

    When stopped, ``beside`` ends first, and requests that are under way are finished.
    """
    streams = EndingStreams(HeadRequests(application))
    config = uvicorn.Config(
        RequestLog(streams),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        lifespan="on",
        proxy_headers=False,  # who asks is the peer; what a proxy says is judged by the application
    )
    server = _Server(config)
    answering = asyncio.create_task(server.serve([opened]))
    working = asyncio.create_task(beside)
    try:
        await asyncio.wait((answering, working), return_when=asyncio.FIRST_COMPLETED)
    finally:
        working.cancel()
        streams.end()
        server.should_exit = True
        ended = await asyncio.gather(working, answering, return_exceptions=True)
    for failure in ended:
        if isinstance(failure, Exception):
            raise failure
