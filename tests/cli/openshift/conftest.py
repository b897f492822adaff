# SPDX-License-Identifier: Apache-2.0
"""A cluster that has Tekton, and nothing of OpenShift."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tekton"))

from process_cluster import ProcessCluster


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ProcessCluster]:
    """The cluster, which nobody builds on here."""
    with ProcessCluster(tmp_path / "cluster") as running:
        yield running
