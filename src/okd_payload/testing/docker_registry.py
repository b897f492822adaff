# SPDX-License-Identifier: Apache-2.0
"""The real registry of the Debian package docker-registry, on a free loopback port.

Nobody who wrote our client wrote this one: where both understand the specification differently,
the registry in memory would agree with the client, and this does not.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from okd_payload.errors import OkdPayloadError
from okd_payload.process import find_program

_LISTENING = re.compile(r"listening on (127\.0\.0\.1:[0-9]+)")
_START_SECONDS = 60.0


@contextmanager
def serve_docker_registry(
    folder: Path, *, passwords: Path | None = None, port: int = 0
) -> Iterator[str]:
    """Run a registry that keeps its content in ``folder``; gives its host and port.

    With ``passwords`` (an htpasswd file with bcrypt hashes) it demands a login; with ``port`` it
    comes back to where it was before. Raises MissingTool, and OkdPayloadError when it does not
    start.
    """
    program = find_program("docker-registry", needed_for="a registry of one's own")
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "registry.json"
    configuration.write_bytes(msgspec.json.encode(_settings(folder, passwords, port)))
    log = folder / "registry.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, "serve", configuration], stdout=output, stderr=output, cwd=folder
        )
    try:
        yield _address(process, log)
    finally:
        process.terminate()
        process.wait()


def _settings(folder: Path, passwords: Path | None, port: int) -> dict[str, object]:
    """The registry's own configuration; JSON is YAML enough for it."""
    settings: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "content")},
            "delete": {"enabled": True},
        },
        "http": {"addr": f"127.0.0.1:{port}"},
        "validation": {"manifests": {"urls": {"allow": [".*"]}}},
    }
    if passwords:
        settings["auth"] = {"htpasswd": {"realm": "registry", "path": str(passwords)}}
    return settings


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where it listens: it chooses the port itself, and says so in its log."""
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if found := _LISTENING.search(log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise OkdPayloadError(
        f"docker-registry does not start: {log.read_text()[-500:]}",
        hint="is the package docker-registry whole? its log is above",
    )
