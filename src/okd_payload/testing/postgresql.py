# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL of its own, on a free loopback port, gone at the end with all its data.

The server refuses to run as root, so root runs it as nobody. It waits for no disk: nothing in it
has to outlive the tests.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from okd_payload.errors import MissingTool, OkdPayloadError

_START_SECONDS = 60.0
_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")


class PostgresqlServer(msgspec.Struct, frozen=True):
    """A server that runs; ``url`` is for ``open_database``."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def serve_postgresql(folder: Path, *, port: int = 0) -> Iterator[PostgresqlServer]:
    """Run a server that keeps its data in ``folder``, where it finds what was there before.

    Raises MissingTool, and OkdPayloadError when it does not start.
    """
    programs = _find_programs()
    user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    data = folder / "data"
    port = port or _free_port()
    log = folder / "postgresql.log"
    folder.mkdir(parents=True, exist_ok=True)
    if user is not None:
        os.chown(folder, user, -1)
    with log.open("ab") as output:
        if not data.exists():
            subprocess.run(
                [programs / "initdb", "-D", data, "-U", "records", "-A", "trust", "--no-sync"],
                check=True,
                stdout=output,
                stderr=output,
                user=user,
                cwd=folder,
            )
        process = subprocess.Popen(
            [
                *(programs / "postgres", "-D", data, "-k", folder),
                *("-h", "127.0.0.1", "-p", str(port)),
                *(word for setting in _SETTINGS for word in ("-c", setting)),
            ],
            stdout=output,
            stderr=output,
            user=user,
            cwd=folder,
        )
    try:
        _wait(process, port, log)
        yield PostgresqlServer(f"postgresql+psycopg://records@127.0.0.1:{port}/postgres", process)
    finally:
        process.terminate()  # it lets clients finish; what is left after a while is cut off
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def create_database(server: str, *, template: str = "") -> Iterator[str]:
    """The URL of a new database on the server at ``server``, which is gone at the end.

    It is empty, or a copy of the one at ``template``, to which nobody may be connected.
    """
    import psycopg
    from psycopg.sql import SQL, Identifier

    name, origin = f"own_{uuid.uuid4().hex}", template.rpartition("/")[2] or "template0"
    with psycopg.connect(server.replace("+psycopg", "", 1), autocommit=True) as connection:
        made, copied = Identifier(name), Identifier(origin)
        connection.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(made, copied))
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(made))


def _find_programs() -> Path:
    """The folder with ``initdb`` and ``postgres``: Debian keeps each version in its own."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise MissingTool("postgresql was not found", hint="install the package postgresql")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if b"ready to accept connections" in log.read_bytes():
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
        time.sleep(0.05)
    raise OkdPayloadError(f"postgresql does not start: {log.read_text()[-500:]}")
