# SPDX-License-Identifier: Apache-2.0
"""A cluster with Shipwright whose pods are processes of this machine."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tekton"))
sys.path.insert(0, str(Path(__file__).parent))

from shipwright_process_cluster import ShipwrightProcessCluster


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ShipwrightProcessCluster]:
    """A cluster with Shipwright; pods run what the strategies say, for real."""
    for name in ("buildah", "busybox", "git"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is needed: make setup")
    with ShipwrightProcessCluster(tmp_path / "cluster") as running:
        yield running
