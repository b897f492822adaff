# SPDX-License-Identifier: Apache-2.0
"""Every kind of repository, so that one test can hold all of them to the same promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.repository import Repository
from okd_payload.testing.memory_repository import MemoryRepository

OpenRepository = Callable[[str], Repository]
"""Opens the repository of that name, of the kind under test; twice the same one by one name."""


@pytest.fixture(params=["memory", "layout"])
def open_repository(request: pytest.FixtureRequest, tmp_path: Path) -> OpenRepository:
    """Repositories of one kind, empty at first; names are path components."""
    if request.param == "layout":
        return lambda name: LayoutRepository(tmp_path / name)
    opened: dict[str, MemoryRepository] = {}
    return lambda name: opened.setdefault(name, MemoryRepository(f"memory.test/{name}"))
