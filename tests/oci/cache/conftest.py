# SPDX-License-Identifier: Apache-2.0
"""A cache in a temporary folder, and a repository behind it that writes down what it was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from okd_payload.oci.cache import CachedRepository, Shelves
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.memory_repository import MemoryRepository


@pytest.fixture
def clock() -> ManualClock:
    """The time of the cache, which begins long after that of the files' folder."""
    return ManualClock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the cache is; nothing is there yet."""
    return tmp_path / "content"


@pytest.fixture
def shelves(folder: Path, clock: ManualClock) -> Shelves:
    """The cache."""
    return Shelves(folder, clock=clock)


@pytest.fixture
def place() -> MemoryRepository:
    """The place itself."""
    return MemoryRepository("quay.test/okd/content")


@pytest.fixture
def cached(place: MemoryRepository, shelves: Shelves) -> CachedRepository:
    """The place with the cache in front of it."""
    return CachedRepository(place, shelves)
