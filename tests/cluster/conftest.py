# SPDX-License-Identifier: Apache-2.0
"""The real client before a server that says what a test tells it to."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from okd_payload.cluster.lightkube_cluster import open_cluster
from okd_payload.testing.clock import ManualClock

sys.path.insert(0, str(Path(__file__).parent))

from scripted_api import ScriptedApi, kubeconfig


@pytest.fixture
async def api():
    """The server, listening on a free port."""
    scripted = ScriptedApi()
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    scripted.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield scripted
    server.close()


@pytest.fixture
def clock():
    """A clock that nobody waits for."""
    return ManualClock()


@pytest.fixture
async def cluster(api, tmp_path, clock):
    """The cluster behind the server, entered in namespace ``builds``."""
    path = kubeconfig(tmp_path / "kubeconfig", api.url, namespace="builds")
    async with open_cluster(path, clock=clock, patience=100) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch, tmp_path):
    """No cluster of whoever runs the tests, and no proxy before the server."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
