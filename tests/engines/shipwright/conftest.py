# SPDX-License-Identifier: Apache-2.0
"""A cluster with Shipwright for the tests of this folder."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "build"))
sys.path.insert(0, str(Path(__file__).parent))

from shipwright_cluster import ShipwrightCluster

_DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ShipwrightCluster]:
    """Shipwright on Tekton on a node, a repository that pods and we reach, time without waiting."""
    definitions = _DATA / "crds"
    made = ShipwrightCluster(tmp_path, definitions if definitions.is_dir() else None)
    async with made.time, made.cluster:
        yield made
