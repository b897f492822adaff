# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL of its own, on a free loopback port, gone at the end with all its data.

The server refuses to run as root, so root runs it as nobody. It waits for no disk: nothing in it
has to outlive the tests.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import msgspec

from okd_payload.errors import MissingTool, OkdPayloadError
from okd_payload.testing.ports import reserve_port

_START_SECONDS = 60.0
_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")


class PostgresqlServer(msgspec.Struct, frozen=True):
    """A server that runs; ``url`` is for ``open_database``."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def postgresql_folder() -> Iterator[Path]:
    """A folder for ``serve_postgresql`` that its user can enter, gone at the end.

    It is not below that of pytest, which closes its own to others anew whenever it starts.
    """
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "server"


@contextmanager
def serve_postgresql(folder: Path, *, port: int = 0) -> Iterator[PostgresqlServer]:
    """Run a server that keeps its data in ``folder``, where it finds what was there before.

    Raises MissingTool, and OkdPayloadError when it does not start.
    """
    with nullcontext(port) if port else reserve_port() as place:
        log = folder / "postgresql.log"
        said = log.stat().st_size if log.exists() else 0
        process = _start(folder, log, place)
        try:
            _wait(process, place, log, said=said)
            url = f"postgresql+psycopg://records@127.0.0.1:{place}/postgres"
            yield PostgresqlServer(url, process)
        finally:
            process.send_signal(signal.SIGINT)  # it cuts clients off, and leaves nothing half done
            process.wait()


def _start(folder: Path, log: Path, port: int) -> subprocess.Popen[bytes]:
    """The server, which may need a while."""
    programs = _find_programs()
    user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    data = folder / "data"
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
        return subprocess.Popen(
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


def _find_programs() -> Path:
    """The folder with ``initdb`` and ``postgres``: Debian keeps each version in its own."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise MissingTool("postgresql was not found", hint="install the package postgresql")


def _wait(process: subprocess.Popen[bytes], port: int, log: Path, *, said: int) -> None:
    """Return when it takes connections; what its log ``said`` before it started does not count."""
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if b"ready to accept connections" in log.read_bytes()[said:]:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
        time.sleep(0.05)
    raise OkdPayloadError(f"postgresql does not start: {log.read_text()[-500:]}")
