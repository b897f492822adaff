# SPDX-License-Identifier: Apache-2.0
"""Connections: kept while both sides agree, given up when they may not, and never mixed up."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from yarl import URL

from okd_payload.errors import RegistryError
from okd_payload.oci.registry.http.dialling import Route, dial
from okd_payload.oci.registry.http.heads import encode_head
from okd_payload.oci.registry.http.pool import Pool
from okd_payload.oci.registry.retry import Transient
from okd_payload.oci.registry.settings import RegistrySettings
from okd_payload.oci.registry.transport import Transport
from okd_payload.testing.clock import ManualClock

SETTINGS = RegistrySettings(stall_seconds=0.3, answer_seconds=0.4)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Script:
    """A server that answers each request with the next of ``answers``.

    An answer is bytes, None to hang up, or a function that is given the two ends.
    """

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []
        self.connections = 0
        self._serving = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = URL(f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/x")
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self.wait_for_silence()

    async def wait_for_silence(self):
        """Wait until all connections have ended."""
        if self._serving:
            await asyncio.wait(self._serving)

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                answer = self.answers.pop(0)
                if answer is None:
                    break
                if callable(answer):
                    await answer(reader, writer)
                else:
                    writer.write(answer)
                    await writer.drain()
        writer.transport.abort()


@pytest.fixture
async def transport():
    """A transport that waits for nobody long."""
    transport = Transport(SETTINGS, clock=ManualClock())
    await transport.open()
    yield transport
    await transport.close()


async def fetch(transport, url, method="GET", **more):
    """Status and body of one answer."""
    response = await transport.send(method, url, headers={}, **more)
    try:
        return response.status, await transport.read(response, limit=10_000_000)
    finally:
        response.release()


async def test_a_connection_is_used_again(transport) -> None:
    """Answers of every form leave the connection to the next request."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    bare = b"HTTP/1.1 204 No Content\r\n\r\n"
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK
    async with Script(OK, chunked, bare, early, OK) as script:
        found = [await fetch(transport, script.url) for _ in range(5)]
        assert found == [(200, b"ok"), (200, b"ok"), (204, b""), (200, b"ok"), (200, b"ok")]
        assert script.connections == 1
        await transport.close()


async def test_a_connection_that_nobody_wants_is_ended() -> None:
    """Whoever runs for months does not hold on to servers that were asked once."""

    async def wait_for_the_end(reader, writer):
        writer.write(OK)
        await reader.read()

    pool = Pool(kept_seconds=0.02)
    async with Script(OK, wait_for_the_end) as script:
        connection = await dial(Route(url=script.url, tls=None))
        pool.add(connection)
        for _ in range(2):
            request = encode_head("GET", "/", {"Host": "quay.test"})
            await connection.exchange(request, patience=5, stall=5)
            pool.give_back("key", connection)
            assert pool.take("key") is connection
        pool.give_back("key", connection)
        await connection.closed
        assert pool.take("key") is None
    await pool.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong",
    ],
)
async def test_a_connection_in_doubt_is_left(transport, answer) -> None:
    """After a goodbye, or bytes that nobody asked for, the next request takes a new connection."""
    async with Script(answer, OK) as script:
        assert await fetch(transport, script.url) == (200, b"ok")
        assert await fetch(transport, script.url) == (200, b"ok")
        assert script.connections == 2
        await transport.close()


async def test_an_answer_of_nobody_is_not_the_next_one(transport) -> None:
    """What comes while nobody asks, a parting word mostly, is no answer to the next request."""

    async def speak_late(reader, writer):
        writer.write(OK)
        await writer.drain()
        spoken.set()
        await again.wait()
        writer.write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            await reader.read()

    spoken, again = asyncio.Event(), asyncio.Event()
    async with Script(speak_late, OK) as script:
        assert await fetch(transport, script.url) == (200, b"ok")
        await spoken.wait()
        again.set()
        await script.wait_for_silence()
        assert await fetch(transport, script.url) == (200, b"ok")
        assert script.connections == 2
        await transport.close()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_a_connection_that_died_while_waiting_costs_nothing(transport, method) -> None:
    """A request that may be sent twice goes out again when nothing of an answer came."""
    answer = OK.removesuffix(b"ok") if method == "HEAD" else OK
    async with Script(OK, None, answer) as script:
        await fetch(transport, script.url)
        assert (await fetch(transport, script.url, method))[0] == 200
        assert script.connections == 2
        await transport.close()


async def test_what_may_not_be_sent_twice_is_not(transport) -> None:
    """A POST on a connection that broke is an error that the caller has to judge."""
    async with Script(OK, None, OK) as script:
        await fetch(transport, script.url)
        with pytest.raises(Transient, match="is lost"):
            await fetch(transport, script.url, "POST", body=b"x")
        assert len(script.requests) == 2
        await transport.close()


async def test_an_answer_that_began_is_not_asked_for_again(transport) -> None:
    """A connection that breaks inside of an answer is lost, even one that was used before."""

    async def break_off(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nConte")
        await writer.drain()
        writer.transport.abort()

    async with Script(OK, break_off, OK) as script:
        await fetch(transport, script.url)
        with pytest.raises(Transient, match="is lost"):
            await fetch(transport, script.url)
        await transport.close()


async def test_a_refusal_before_the_end_is_heard(transport) -> None:
    """Who is refused while sending stops sending, and reads why."""

    async def refuse(_, writer):
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await writer.drain()

    async def content():
        for _ in range(10_000):
            given.append(1)
            yield bytes(65536)

    given = []
    async with Script(refuse) as script:
        response = await transport.send(
            "PUT", script.url, headers={"Content-Length": "655360000"}, body=content()
        )
        assert response.status == 413
        assert await transport.read(response, limit=10) == b"big"
        response.release()
        assert len(given) < 10_000
        await transport.close()


async def test_a_large_answer_waits_for_its_reader(transport) -> None:
    """No more than some read-ahead is held for a reader who is slow, and nothing gets lost."""
    size = 20_000_000
    written = 0

    async def send_much(_, writer):
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while written < size:
            writer.write(bytes(100_000))
            await writer.drain()
            written += 100_000

    async with Script(send_much, OK) as script:
        response = await transport.send("GET", script.url, headers={})
        for _ in range(200):
            await asyncio.sleep(0)
        assert written < size
        found = 0
        while chunk := await transport.next_chunk(response):
            found += len(chunk)
        assert found == size
        response.release()
        assert await fetch(transport, script.url) == (200, b"ok")
        assert script.connections == 1
        await transport.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 101 Switching\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/2 200\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000, "does not speak HTTP: headers without end"),
        (None, "is lost: the other side has hung up"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "went silent"),
        (b"HTTP/1.1 200 OK\r\n", "went silent"),
    ],
)
async def test_what_is_no_answer_is_an_error(transport, answer, words) -> None:
    """Whatever the other side does, it is an error that says so, and the next try is clean."""
    async with Script(answer, OK) as script:
        with pytest.raises(RegistryError, match=words):
            await fetch(transport, script.url)
        assert await fetch(transport, script.url) == (200, b"ok")
        await transport.close()


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "2130706433", "1.2.3.4.5", "127.0.0.0x1"])
async def test_numbers_that_are_no_address_are_no_name(transport, host) -> None:
    """Resolvers take them for addresses, and then nothing that was judged by name would hold."""
    with pytest.raises(RegistryError, match="is not the name of a host"):
        await transport.send("GET", URL(f"http://{host}:1/", encoded=True), headers={})
