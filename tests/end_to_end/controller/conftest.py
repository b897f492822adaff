# SPDX-License-Identifier: Apache-2.0
"""Release streams over layouts, a real PostgreSQL, and servers that end with their test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from real_program import Program
from serving import Server, Streams

from okd_payload.testing.postgresql import PostgresqlServer, postgresql_folder, serve_postgresql


@pytest.fixture
def database_folder() -> Iterator[Path]:
    """Where a database server may keep its files."""
    with postgresql_folder() as folder:
        yield folder


@pytest.fixture
def postgresql(database_folder: Path) -> Iterator[PostgresqlServer]:
    """A server of this test's own."""
    with serve_postgresql(database_folder) as server:
        yield server


@pytest.fixture
def streams(tmp_path: Path) -> Streams:
    """A folder without release streams yet."""
    return Streams(tmp_path / "okd")


@pytest.fixture
def serve(tmp_path: Path, streams: Streams) -> Iterator[Callable[..., Server]]:
    """Starts servers over the streams, each in the home folder that it is given."""
    started: list[Server] = []

    def start(*arguments: str | Path, home: str = "home", **environment: str) -> Server:
        program = Program(tmp_path / home)
        server = Server(program, "--streams", streams.files, *arguments, **environment)
        started.append(server)
        return server

    yield start
    for server in started:
        server.kill()
