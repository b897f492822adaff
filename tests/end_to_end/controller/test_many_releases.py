# SPDX-License-Identifier: Apache-2.0
"""What a controller of many years costs: pages, interface, a full sync, memory, many readers.

The figures are printed (``pytest -s``) and stand in docs/how-to/operate.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import msgspec
import pytest
from many_releases import Made, Size, configure_jobs, write_many
from serving import Server, Streams
from sqlalchemy import Connection

from okd_payload.clock import SystemClock
from okd_payload.controller.configuration.folder import StreamFolder
from okd_payload.controller.graph.following import SnapshotReader
from okd_payload.controller.inputs.reading import read_input
from okd_payload.controller.records import open_database, releases
from okd_payload.controller.service import Service
from okd_payload.controller.surroundings import Surroundings
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.location import Location
from okd_payload.progress import ignore_progress
from okd_payload.testing.postgresql import PostgresqlServer
from okd_payload.testing.small_stream import push_small_stream
from okd_payload.testing.yardstick import Cost, attempt_below

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SMALL = Size()
LARGE = Size(releases=2000)
SIZES = [
    pytest.param((SMALL, 3.0), id="2000-releases"),
    pytest.param((LARGE, 300.0), id="20000-releases", marks=pytest.mark.endurance),
]
READERS = 50
TRIES = 20
RESTING, RESTS_WITHIN = 0.05, 120
"""Processor time of a second in which nothing is done; and seconds until then."""
SHOWS_SOMETHING = {"Cookie": "seen=1"}
"""Of whoever shows anything nothing is kept: each answer is made anew."""
PAGE_SECONDS, API_SECONDS, SYNC_SECONDS, MEBIBYTES = 0.1, 0.05, 2.0, 400
GRAPH_SECONDS = 0.5
"""What may be used of a processor that does nothing else."""


class Figures(msgspec.Struct, kw_only=True):
    """What was measured."""

    written: float = 0.0
    sync: float = 0.0
    sync_cpu: float = 0.0
    """Processor time of the same, without that of the database."""
    snapshot_cpu: float = 0.0
    """Processor time of reading all releases, as for the first graph after a start."""
    medians: dict[str, float] = {}
    """Of answers that were made for whoever asked."""
    kept: dict[str, float] = {}
    """Of answers that readers whom nobody knows get, who ask one after the other."""
    cpu: dict[str, float] = {}
    """Processor time of server and database for each answer that is made: what it takes on a
    machine of its own."""
    graph: float = 0.0
    """Seconds of the first graph after a release changed."""
    memory: int = 0
    requests: int = 0
    slowest: float = 0.0


@pytest.mark.parametrize("size", SIZES)
async def test_on_sqlite(
    tmp_path: Path, serve: Callable[..., Server], streams: Streams, size: tuple[Size, float]
) -> None:
    """One process, its database beside it."""
    url = f"sqlite:///{tmp_path}/home/state/controller/records.db"
    await measure(url, serve, streams, size)


@pytest.mark.endurance
@pytest.mark.parametrize("size", SIZES)
async def test_on_postgresql(
    serve: Callable[..., Server],
    streams: Streams,
    postgresql: PostgresqlServer,
    size: tuple[Size, float],
) -> None:
    """One process, its database in another."""
    await measure(postgresql.url, serve, streams, size, database=postgresql.process.pid)


async def measure(
    url: str,
    serve: Callable[..., Server],
    streams: Streams,
    size: tuple[Size, float],
    *,
    database: int | None = None,
) -> None:
    """Fill the database, measure everything, and hold it against the bounds."""
    amount, seconds = size
    figures = Figures()
    begun = time.perf_counter()
    made = await fill(url, streams, amount)
    figures.written = time.perf_counter() - begun
    for cost in attempt_below(SYNC_SECONDS):
        figures.sync = await measure_sync(url, streams, cost)
        figures.sync_cpu = cost.seconds
    figures.snapshot_cpu = await measure_snapshot(url, streams)
    server = serve(OKD_PAYLOAD_DATABASE=url).wait_until_it_answers()
    wait_until_it_rests(server)

    def used() -> float:
        return cpu_of(server.process.pid) + cpu_below(database)

    await measure_pages(server, made, figures, used)
    for cost in attempt_below(GRAPH_SECONDS, clock=used):
        figures.graph = await measure_graph(server, url, made, cost)
    await measure_readers(server, made, figures, seconds=seconds)
    figures.memory = memory_of(server)
    assert server.stop() == 0
    print(f"\n{url.partition(':')[0]}: {msgspec.json.encode(figures).decode()}")  # noqa: T201
    assert figures.memory < MEBIBYTES


async def fill(url: str, streams: Streams, size: Size) -> Made:
    """Records of many releases, and a layout of images for each stream."""
    database = open_database(url)
    hashes = {}
    for number in range(size.streams):
        name = f"4.{10 + number}.0-0.okd"
        streams.add(name, poll="1h", more=configure_jobs(size))
        if number == 0:
            first = streams.layout(name, "images")
            await push_small_stream(first, more=size.images - 3)
            first.close()
        else:
            shutil.copytree(first.path, streams.folder / name / "images")
    around = surroundings(url, streams)
    for name, configuration in around.configurations().items():
        hashes[name] = (await read_input(around, configuration)).input_hash
    await around.database.close()
    made = await write_many(database, size, input_hash=hashes)
    await database.close()
    return made


def surroundings(url: str, streams: Streams) -> Surroundings:
    """A controller's surroundings in this process."""

    async def open_location(location: Location) -> LayoutRepository:
        return LayoutRepository(Path(location.repository.removeprefix("oci:")))

    return Surroundings(
        database=open_database(url),
        clock=SystemClock(),
        progress=ignore_progress,
        configurations=StreamFolder(streams.files),
        open_location=open_location,
        open_target=open_location,
        state=streams.folder,
    )


class NoVerifier:
    """Nothing is verified: all releases are decided."""

    async def advance(self, *_: object) -> None:
        """Is not called."""
        raise AssertionError

    async def abort(self, *_: object, reason: str) -> None:
        """Is not called."""
        raise AssertionError(reason)


async def measure_sync(url: str, streams: Streams, cost: Cost) -> float:
    """Seconds of a pass over every stream, the second time; ``cost`` counts what it used."""
    around = surroundings(url, streams)
    service = Service(around, verifier=NoVerifier())
    await service.leadership.renew()
    await sync_all(service, around)
    begun = time.perf_counter()
    with cost:
        await sync_all(service, around)
    took = time.perf_counter() - begun
    await service.leadership.give_up()
    await around.database.close()
    return took


async def sync_all(service: Service, around: Surroundings) -> None:
    """A pass over every stream, in which nothing is to be done."""
    for name in around.configurations():
        decision = await service.sync(name)
        assert decision.actions == (), "nothing has changed"


async def measure_snapshot(url: str, streams: Streams) -> float:
    """Seconds of processor time of reading all releases, the best of some tries."""
    around, costs = surroundings(url, streams), []
    for _ in range(TRIES):
        used = time.process_time()
        snapshot = await SnapshotReader().read(around)
        costs.append(time.process_time() - used)
    assert snapshot.nodes
    await around.database.close()
    return round(min(costs), 4)


def paths_of(made: Made) -> list[str]:
    """What people and programs look at most."""
    stream = made.streams[0]
    newest = made.newest[stream]
    return [
        "/",
        f"/releasestream/{stream}",
        f"/releasestream/{stream}/release/{newest}",
        "/api/v2/streams",
        f"/api/v2/releases?stream={stream}",
        f"/api/v2/releases/{newest}",
        "/graph?channel=stable-4&arch=amd64",
        "/api/v1/releasestreams/accepted",
        "/api/v1/releasestreams/all",
        f"/api/v1/releasestream/{stream}/tags",
        f"/api/v1/releasestream/{stream}/latest",
    ]


async def measure_pages(
    server: Server, made: Made, figures: Figures, used: Callable[[], float]
) -> None:
    """Each page, asked for one after the other; ``used`` tells of the database, too."""
    async with aiohttp.ClientSession(server.address) as client:
        for path in paths_of(made):
            async with client.get(path) as answer:
                assert answer.status == 200, path
            name = path.partition("?")[0].replace(made.newest[made.streams[0]], "NEWEST")
            bound = API_SECONDS if "/api/" in path else PAGE_SECONDS
            for cost in attempt_below(TRIES * bound, clock=used):
                with cost:
                    medians = await medians_of(client, path, SHOWS_SOMETHING, used)
                figures.medians[name], figures.cpu[name] = medians
            figures.kept[name], _ = await medians_of(client, path, {}, used)


async def medians_of(
    client: aiohttp.ClientSession, path: str, headers: dict[str, str], used: Callable[[], float]
) -> tuple[float, float]:
    """Seconds until the whole answer is there, and those of processor time."""
    took, cost = [], []
    for _ in range(TRIES):
        before, begun = used(), time.perf_counter()
        async with client.get(path, headers=headers) as answer:
            await answer.read()
        took.append(time.perf_counter() - begun)
        cost.append(used() - before)
    return round(statistics.median(took), 4), round(statistics.median(cost), 4)


async def measure_graph(server: Server, url: str, made: Made, cost: Cost) -> float:
    """Seconds of the first graph after a release changed; ``cost`` counts what it used."""
    database, name = open_database(url), made.newest[made.streams[0]]

    def unit(connection: Connection) -> None:
        found = releases.find(connection, name)
        assert found is not None
        releases.change(connection, found, time=found.changed, reason="for a measurement")

    await database.write(unit)
    await database.close()
    begun = time.perf_counter()
    with cost:
        async with (
            aiohttp.ClientSession(server.address) as client,
            client.get("/graph?channel=stable-4&arch=amd64") as answer,
        ):
            assert name in await answer.text()
    return round(time.perf_counter() - begun, 4)


def wait_until_it_rests(server: Server) -> None:
    """Return when the server has looked at everything once and waits for what comes."""
    resting = 0
    for _ in range(RESTS_WITHIN):
        before = cpu_of(server.process.pid)
        time.sleep(1)
        resting = resting + 1 if cpu_of(server.process.pid) - before < RESTING else 0
        if resting == 3:  # one second may be one in which it got no processor
            return
    raise AssertionError("the server does not come to rest")


async def measure_readers(server: Server, made: Made, figures: Figures, *, seconds: float) -> None:
    """Many readers at the same time, none of whom sees an error."""
    paths, end = paths_of(made), time.monotonic() + seconds

    async def read(client: aiohttp.ClientSession, number: int) -> None:
        while time.monotonic() < end:
            path = paths[number % len(paths)]
            begun = time.perf_counter()
            async with client.get(path) as answer:
                await answer.read()
                assert answer.status == 200, path
            figures.slowest = max(figures.slowest, round(time.perf_counter() - begun, 3))
            figures.requests += 1
            number += 1

    connector = aiohttp.TCPConnector(limit=READERS)
    async with aiohttp.ClientSession(server.address, connector=connector) as client:
        await asyncio.gather(*(read(client, number) for number in range(READERS)))


def cpu_of(process: int) -> float:
    """Seconds of processor time that the threads of a process have used, to the microsecond."""
    used = 0
    for thread in Path(f"/proc/{process}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):  # it has ended
            used += int(thread.read_text(encoding="utf-8").split()[0])
    return used / 1e9


def cpu_below(process: int | None) -> float:
    """The same of all children of a process, which PostgreSQL has one of for each connection."""
    found = 0.0
    for path in Path("/proc").glob("[0-9]*") if process else ():
        with contextlib.suppress(OSError):
            fields = (path / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            found += cpu_of(int(path.name)) if int(fields[1]) == process else 0.0
    return found


def memory_of(server: Server) -> int:
    """The most that the server has had, in mebibytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) // 1024
