# SPDX-License-Identifier: Apache-2.0
"""A cluster whose pods are processes of this machine, and a registry that they all reach."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE), str(_HERE.parent)]

from process_cluster import ProcessCluster  # noqa: E402 - found by the line above


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ProcessCluster]:
    """A cluster with Tekton; pods run what their TaskRuns say, for real."""
    for name in ("buildah", "busybox", "git"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is needed: make setup")
    with ProcessCluster(tmp_path / "cluster") as running:
        yield running
