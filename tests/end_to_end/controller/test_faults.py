# SPDX-License-Identifier: Apache-2.0
"""What a server stands on goes away: it waits, says so on its pages and in metrics, and goes on."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from invariants import check, read_records
from serving import Server, Streams, wait_for
from sqlalchemy import Connection

from okd_payload.controller.records import open_database, releases
from okd_payload.engines.buildah.program import is_privileged
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient
from okd_payload.testing.docker_registry import serve_docker_registry
from okd_payload.testing.ports import reserve_port
from okd_payload.testing.postgresql import serve_postgresql
from okd_payload.testing.small_stream import push_small_stream

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Serve = Callable[..., Server]

NAME = "4.20.0-0.okd"
HANGING = """\
verify:
  hangs: {runner: command, command: [sleep, "600"], timeout: 3s, errorRetries: 0}
"""
NO_ROOM = re.compile("disk is full|No space left")


def stream_of(server: Server) -> dict[str, Any]:
    """The stream as the interface tells it."""
    answer = server.get(f"/api/v2/streams/{NAME}")
    assert answer.status == 200, answer.text
    told: dict[str, Any] = msgspec.json.decode(answer.text)
    return told


def releases_of(server: Server) -> list[dict[str, Any]]:
    """The releases, the newest first."""
    told: list[dict[str, Any]] = msgspec.json.decode(
        server.get(f"/api/v2/releases?stream={NAME}").text
    )["items"]
    return told


def accepted(server: Server, count: int) -> bool:
    """Whether so many releases are accepted."""
    return [each["phase"] for each in releases_of(server)] == ["Accepted"] * count


def metric(server: Server, name: str) -> float:
    """The value of a metric of one line."""
    text = server.get("/metrics").text
    found = re.search(rf"^{name}(?:\{{[^}}]*\}})? ([0-9.e+-]+)$", text, re.MULTILINE)
    assert found, f"{name} is not in:\n{text}"
    return float(found[1])


async def push_to_registry(host: str, change: str) -> None:
    """Push the stream's images to a registry."""
    async with RegistryClient() as client:
        await push_small_stream(
            client.repository(parse_reference(f"{host}/okd/images")), change=change
        )


@pytest.fixture
def port() -> Iterator[int]:
    """A port to which a server can come back."""
    with reserve_port() as reserved:
        yield reserved


async def test_a_registry_that_is_down(
    serve: Serve, streams: Streams, tmp_path: Path, port: int
) -> None:
    """The page says since when and why; the next change after it is back is a release."""
    files = tmp_path / "registry"
    with serve_docker_registry(files, port=port) as host:
        streams.add(NAME)
        file = streams.files / f"{NAME}.yaml"
        text = re.sub(r'"oci:[^"]*/(images|content|releases)"', rf"{host}/okd/\1", file.read_text())
        file.write_text(text)
        await push_to_registry(host, "one")
        server = serve().wait_until_it_answers()
        wait_for(lambda: accepted(server, 1), what="the first release")
    error = wait_for(lambda: stream_of(server)["error"], what="the error", seconds=60)
    assert host in error
    assert error.split(":")[0] in server.get(f"/releasestream/{NAME}").text
    assert metric(server, "okd_payload_stream_error") == 1
    assert server.get("/readyz").status == 200
    with serve_docker_registry(files, port=port):
        wait_for(lambda: not stream_of(server)["error"], what="going on", seconds=60)
        assert metric(server, "okd_payload_stream_error") == 0
        await push_to_registry(host, "two")
        wait_for(lambda: accepted(server, 2), what="the second release")
        assert server.stop() == 0


async def test_a_database_that_is_down(
    serve: Serve, streams: Streams, database_folder: Path, port: int
) -> None:
    """Probes tell the process from its database; nothing is lost, and it goes on by itself."""
    streams.add(NAME)
    await streams.push(NAME, "one")
    with serve_postgresql(database_folder, port=port) as database:
        server = serve(OKD_PAYLOAD_DATABASE=database.url).wait_until_it_answers()
        wait_for(lambda: accepted(server, 1), what="the first release")
    wait_for(lambda: server.get("/readyz").status == 503, what="not being ready")
    assert server.get("/healthz").status == 200
    page = server.get("/")
    assert page.status == 503
    assert "database" in page.text
    assert metric(server, "okd_payload_database_up") == 0
    await streams.push(NAME, "two")
    with serve_postgresql(database_folder, port=port):
        wait_for(lambda: server.get("/readyz").status == 200, what="being ready")
        wait_for(lambda: accepted(server, 2), what="the second release", seconds=60)
        assert metric(server, "okd_payload_database_up") == 1
        assert server.stop() == 0
        await database_is_whole(streams, database.url)


async def database_is_whole(streams: Streams, url: str) -> None:
    """What must hold whatever happened holds."""
    database = open_database(url)
    await check(await read_records(database), streams)
    await database.close()


async def test_a_run_that_hangs(serve: Serve, streams: Streams) -> None:
    """It is ended when its time is over, the release says so, and the stream goes on."""
    streams.add(NAME, more=HANGING)
    await streams.push(NAME, "one")
    server = serve().wait_until_it_answers()
    (rejected,) = wait_for(
        lambda: [each for each in releases_of(server) if each["phase"] == "Rejected"],
        what="the rejection",
    )
    assert "hangs" in rejected["message"]
    page = server.get(f"/releasestream/{NAME}/release/{rejected['name']}").text
    assert "3s" in page
    wait_for(lambda: not sleeping(server), what="the end of the program")
    streams.add(NAME)
    await streams.push(NAME, "two")
    wait_for(lambda: releases_of(server)[0]["phase"] == "Accepted", what="the next release")
    assert metric(server, "okd_payload_acting") == 1
    assert server.stop() == 0


def sleeping(server: Server) -> list[str]:
    """The hanging programs that the server has started."""
    return [line for line in server.program.processes() if line.startswith("sleep 600")]


@pytest.fixture
def small_disk(streams: Streams) -> Iterator[Path]:
    """The folder of the releases, on a disk of its own that holds a megabyte."""
    if not is_privileged():
        pytest.skip("only root can mount a small disk")
    folder = streams.folder / NAME / "releases"
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


async def test_a_full_disk(serve: Serve, streams: Streams, small_disk: Path) -> None:
    """The page of the release says that there is no room; with room it is made."""
    streams.add(NAME)
    await streams.push(NAME, "one")
    server = serve().wait_until_it_answers()
    wait_for(lambda: accepted(server, 1), what="the first release")
    filling = small_disk / "filling"
    fill(filling)
    await streams.push(NAME, "two")
    pending = wait_for(
        lambda: [
            each
            for each in releases_of(server)
            if each["phase"] == "Pending" and NO_ROOM.search(each.get("message") or "")
        ],
        what="saying that the disk is full",
    )
    page = server.get(f"/releasestream/{NAME}/release/{pending[0]['name']}").text
    assert NO_ROOM.search(page)
    assert server.get("/readyz").status == 200
    filling.unlink()
    await let_the_pause_be_over(server, pending[0]["name"])
    wait_for(lambda: accepted(server, 2), what="the second release")
    assert server.stop() == 0


async def let_the_pause_be_over(server: Server, name: str) -> None:
    """Make the next attempt at a release due, which it will be within a minute."""
    database = open_database(f"sqlite:///{server.program.state}/controller/records.db")
    now = time.time()

    def unit(connection: Connection) -> None:
        found = releases.find(connection, name)
        assert found is not None
        assert found.retry_at is not None
        assert found.retry_at <= now + 60.0
        due = msgspec.structs.replace(found, retry_at=now)
        releases.change(connection, due, time=now, reason="time passes")

    await database.write(unit)
    await database.close()


def fill(path: Path) -> None:
    """Write until there is no room."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return


@pytest.fixture
def small_state(tmp_path: Path) -> Iterator[Path]:
    """The state folder of the server, on a disk of its own that holds three megabytes."""
    if not is_privileged():
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "home" / "state"
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


async def test_a_database_whose_disk_is_full(
    serve: Serve, streams: Streams, small_state: Path
) -> None:
    """It is read and takes nothing: the pages are there, and say why nothing goes on."""
    streams.add(NAME)
    await streams.push(NAME, "one")
    server = serve("--lease", "3").wait_until_it_answers()
    wait_for(lambda: accepted(server, 1), what="the first release")
    filling = small_state / "filling"
    fill(filling)
    await streams.push(NAME, "two")
    wait_for(lambda: metric(server, "okd_payload_database_writable") == 0, what="being told")
    for path in ("/", f"/releasestream/{NAME}"):
        page = server.get(path)
        assert page.status == 200
        assert "disk is full" in page.text
    filling.unlink()
    wait_for(lambda: accepted(server, 2), what="the second release", seconds=60)
    assert metric(server, "okd_payload_database_writable") == 1
    assert server.stop() == 0


def test_an_address_that_is_taken(serve: Serve, streams: Streams, tmp_path: Path) -> None:
    """It is said at once, and nothing is made in the state folder."""
    server = serve().wait_until_it_answers()
    port = server.address.rpartition(":")[2]
    ended = server.program.run("serve", "--streams", streams.files, "--port", port)
    assert (ended.code, ended.out) == (2, "")
    assert f"port {port}" in ended.err
    assert "--port" in ended.err


def test_it_ends_when_it_is_told_to(serve: Serve, streams: Streams) -> None:
    """With code 0, soon, and nothing of it stays."""
    server = serve().wait_until_it_answers()
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < 60
    assert server.program.leftovers() == []
    assert server.program.processes() == []
