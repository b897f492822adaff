# SPDX-License-Identifier: Apache-2.0
"""The two ends of a transfer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from okd_payload.testing.memory_repository import MemoryRepository

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def source():
    """Where images come from; nothing can be mounted from it."""
    return MemoryRepository("source.test/images")


@pytest.fixture
def destination():
    """Where images go."""
    return MemoryRepository("destination.test/images")
