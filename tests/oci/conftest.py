# SPDX-License-Identifier: Apache-2.0
"""Every kind of repository, so that one test can hold all of them to the same promises."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from okd_payload.oci.cache import CachedRepository, Shelves
from okd_payload.oci.disk_registry import DiskRepository
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.oci.repository import Repository
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.memory_repository import MemoryRepository
from okd_payload.testing.registry_server import RegistryServer

OpenRepository = Callable[[str], Repository]
"""Opens the repository of that name, of the kind under test; twice the same one by one name."""


@pytest.fixture(
    params=[
        "memory",
        "layout",
        "disk registry",
        "cached",
        "registry",
        pytest.param("docker-registry", marks=pytest.mark.integration),
    ]
)
async def open_repository(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[OpenRepository]:
    """Repositories of one kind, empty at first; names are path components."""
    if request.param == "memory":
        opened: dict[str, MemoryRepository] = {}
        yield lambda name: opened.setdefault(name, MemoryRepository(f"memory.test/{name}"))
    elif request.param == "layout":
        yield lambda name: LayoutRepository(tmp_path / name)
    elif request.param == "disk registry":
        yield lambda name: DiskRepository(tmp_path, f"openshift/{name}")
    elif request.param == "cached":
        shelves = Shelves(tmp_path, clock=ManualClock())
        behind: dict[str, MemoryRepository] = {}
        yield lambda name: CachedRepository(
            behind.setdefault(name, MemoryRepository(f"memory.test/{name}")), shelves
        )
    elif request.param == "registry":
        async with RegistryServer() as server, _client() as client:
            yield lambda name: client.repository(parse_reference(f"{server.host}/{name}"))
    else:
        host = request.getfixturevalue("docker_registry")
        prefix = f"{host}/{uuid.uuid4().hex}"
        async with _client() as client:
            yield lambda name: client.repository(parse_reference(f"{prefix}/{name}"))


def _client() -> RegistryClient:
    return RegistryClient(RegistrySettings(doubtful_deadline=1.0))
