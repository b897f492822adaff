# SPDX-License-Identifier: Apache-2.0
"""Passes from the command line: first only told, then done, and never beside a server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from okd_payload.controller.records import leases, open_database, schedules
from okd_payload.oci.layout import LayoutRepository
from okd_payload.testing.small_stream import push_small_stream

RunCli = Callable[..., Any]

STREAM_FILE = """\
apiVersion: okd-payload.io/v1
kind: ReleaseStream
name: 4.20.0-0.okd
input: {{repository: "oci:{folder}/images"}}
content: "oci:{folder}/content"
releases: "oci:{folder}/releases"
publishedAs: {{content: quay.test/content, releases: quay.test/release}}
publish:
  newest: {{tag: latest}}
"""


@pytest.fixture
def options(tmp_path: Path) -> list[str | Path]:
    """The folder with one stream, which has images, and a database of its own."""
    streams = tmp_path / "streams"
    streams.mkdir()
    (streams / "okd.yaml").write_text(STREAM_FILE.format(folder=tmp_path))
    asyncio.run(push(tmp_path))
    return ["--streams", streams, "--database", f"sqlite:///{tmp_path}/records.db"]


async def push(folder: Path, *, change: str = "") -> None:
    """Push the images of the stream."""
    repository = LayoutRepository(folder / "images")
    await push_small_stream(repository, change=change)
    repository.close()


def read_all(folder: Path) -> dict[str, bytes]:
    """Every file below the folder, but for what is cached, and for the lock on scratch files."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.relative_to(folder).parts[0] != "cache"
        and path != folder / "state" / "scratch" / "lock"
    }


def make_due(url: str) -> None:
    """Let an hour have passed for all schedules."""

    async def set_back() -> None:
        database = open_database(url)

        def unit(connection: Any) -> None:
            for run in schedules.list_of(connection):
                earlier = msgspec.structs.replace(run, since=run.since - 3600)
                schedules.write(connection, earlier, time=run.since)

        await database.write(unit)
        await database.close()

    asyncio.run(set_back())


def steps(ended: Any) -> list[str]:
    """The actions in what was printed as JSON."""
    assert ended.code == 0, ended.err
    (planned,) = msgspec.json.decode(ended.out)
    return [step["action"] for step in planned["steps"]]


def test_a_preview_does_nothing(run_cli: RunCli, options: list[str | Path], tmp_path: Path) -> None:
    """It says what would be begun, twice the same, and no payload is made."""
    for _ in range(2):
        assert steps(run_cli("controller", "preview", *options, "-o", "json")) == ["begin"]
    assert not (tmp_path / "releases").exists()
    told = run_cli("controller", "preview", *options)
    assert told.out.splitlines()[1].split() == [
        *("4.20.0-0.okd", "begin", "-", "the", "images", "changed")
    ]


def test_a_sync_does_all_that_is_due(run_cli: RunCli, options: list[str | Path]) -> None:
    """From images to a published release, told step by step; then nothing is left."""
    done = steps(run_cli("controller", "sync", "4.20.0-0.okd", *options, "-o", "json"))
    assert done == ["begin", "make", "settle", "publish"]
    assert run_cli("controller", "preview", *options).out == "there is nothing to do\n"
    assert steps(run_cli("controller", "sync", *options, "-o", "json")) == []


def test_a_preview_leaves_every_byte_as_it_is(
    run_cli: RunCli, options: list[str | Path], tmp_path: Path
) -> None:
    """Of the records, of layouts and of the state; and it goes on from what was done before."""
    run_cli("controller", "sync", *options)
    asyncio.run(push(tmp_path, change="another"))
    before = read_all(tmp_path)
    assert steps(run_cli("controller", "preview", *options, "-o", "json")) == ["begin"]
    assert read_all(tmp_path) == before


def test_a_preview_makes_no_records(
    run_cli: RunCli, options: list[str | Path], tmp_path: Path
) -> None:
    """Where there are none yet."""
    before = read_all(tmp_path)
    assert steps(run_cli("controller", "preview", *options, "-o", "json")) == ["begin"]
    assert read_all(tmp_path) == before


def test_a_sync_waits_for_builds_that_it_began(
    run_cli: RunCli, options: list[str | Path], tmp_path: Path
) -> None:
    """A build that is due is told by the preview, and has ended when the sync has."""
    streams = tmp_path / "streams" / "okd.yaml"
    nothing = tmp_path / "nothing.yaml"
    nothing.write_text("no stream")
    text = f"schedules: {{often: {{every: 1h, build: {nothing}}}}}\n"
    streams.write_text(STREAM_FILE.format(folder=tmp_path) + text)
    run_cli("controller", "sync", *options)
    make_due(str(options[-1]))
    assert "begin build" in steps(run_cli("controller", "preview", *options, "-o", "json"))
    assert "begin build" in steps(run_cli("controller", "sync", *options, "-o", "json"))
    (ended,) = (tmp_path / "state" / "controller" / "builds").glob("*/ended.json")
    assert b"failed with code 2" in ended.read_bytes()


def test_a_server_that_acts_is_left_alone(
    run_cli: RunCli, options: list[str | Path], tmp_path: Path
) -> None:
    """Two never act on the same records; a preview is still possible."""

    async def take() -> None:
        database = open_database(str(options[-1]))
        await database.write(
            lambda unit: leases.take(
                unit, "controller", holder="a server", seconds=200, now=time.time()
            )
        )
        await database.close()

    asyncio.run(take())
    ended = run_cli("controller", "sync", *options)
    assert (ended.code, ended.out) == (1, "")
    assert "another instance acts" in ended.err
    assert not (tmp_path / "releases").exists()
    assert steps(run_cli("controller", "preview", *options, "-o", "json")) == ["begin"]


def test_streams_are_found_by_name(run_cli: RunCli, options: list[str | Path]) -> None:
    """A name that nobody has is told with what there is."""
    ended = run_cli("controller", "preview", "4.20.0-0.odk", *options)
    assert ended.code == 2
    assert "4.20.0-0.okd" in ended.err


@pytest.mark.parametrize("command", ["preview", "sync"])
def test_broken_files_of_streams_are_told(
    run_cli: RunCli, options: list[str | Path], tmp_path: Path, command: str
) -> None:
    """The other streams are passed over, and the exit code says that something is to be mended."""
    (tmp_path / "streams" / "broken.yaml").write_text("name: [")
    (tmp_path / "streams" / "unusable.yaml").write_text(
        STREAM_FILE.replace("4.20.0-0.okd", "4.21.0-0.okd").format(folder=tmp_path)
        + "verify: {lint: {settings: {check: nonsense}}}\n"
    )
    ended = run_cli("controller", command, *options)
    assert ended.code == 2
    assert "begin" in ended.out
    files = f"{tmp_path}/streams/broken.yaml, {tmp_path}/streams/unusable.yaml"
    assert f"error: mistakes are in {files}\n" in ended.err


def test_a_sync_waits_for_checks_of_its_own(
    run_cli: RunCli, options: list[str | Path], tmp_path: Path
) -> None:
    """Nobody else would end them: without, a release would never be judged by syncs alone."""
    file = tmp_path / "streams" / "okd.yaml"
    file.write_text(f"{file.read_text()}verify: {{whole: {{settings: {{check: images}}}}}}\n")
    ended = run_cli("controller", "sync", *options, "-o", "json")
    assert ended.code == 0
    (done,) = msgspec.json.decode(ended.out)
    assert [step["action"] for step in done["steps"]][-2:] == ["settle", "publish"]
