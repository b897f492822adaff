# SPDX-License-Identifier: Apache-2.0
"""A registry in memory and a client that never really waits between tries."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistryRepository, RegistrySettings
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.registry_server import RegistryServer

sys.path.insert(0, str(Path(__file__).parent))  # tests import their helpers by name

Open = Callable[[str], RegistryRepository]
"""Opens a repository of the server by its path."""


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """Nobody's home: no auth file, certificate or proxy of whoever runs the tests counts."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in (
        "REGISTRY_AUTH_FILE",
        "XDG_RUNTIME_DIR",
        "XDG_CONFIG_HOME",
        "DOCKER_CONFIG",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock() -> ManualClock:
    """Time that passes when somebody waits."""
    return ManualClock()


@pytest.fixture
async def server() -> AsyncIterator[RegistryServer]:
    """A registry that does everything, without logins."""
    async with RegistryServer() as server:
        yield server


@pytest.fixture
async def client(clock: ManualClock) -> AsyncIterator[RegistryClient]:
    """A client that finds a silent server dead after a fifth of a second.

    It knows that the server speaks plain http: reading the roots for a try with TLS takes time.
    """
    settings = RegistrySettings(
        stall_seconds=0.2, answer_seconds=0.4, plain_http_hosts=frozenset({"127.0.0.1"})
    )
    async with RegistryClient(settings, clock=clock) as client:
        yield client


@pytest.fixture
def open_path(server: RegistryServer, client: RegistryClient) -> Open:
    """Opens repositories of ``server`` with ``client``."""
    return lambda path: client.repository(parse_reference(f"{server.host}/{path}"))
