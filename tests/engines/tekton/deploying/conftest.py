# SPDX-License-Identifier: Apache-2.0
"""A cluster with Tekton and Triggers, and a deployment that has one of everything."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from okd_payload.cluster import kinds
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster

sys.path.insert(0, str(Path(__file__).parent))

TEKTON = (kinds.TASK, kinds.PIPELINE, kinds.TASK_RUN, kinds.PIPELINE_RUN)
TRIGGERS = (kinds.EVENT_LISTENER, kinds.TRIGGER_BINDING, kinds.TRIGGER_TEMPLATE)


@pytest.fixture
def simulated() -> SimulatedCluster:
    """The cluster itself."""
    cluster = SimulatedCluster()
    for kind in (*TEKTON, *TRIGGERS):
        cluster.serve(kind)
    return cluster


@pytest.fixture
def cluster(simulated: SimulatedCluster) -> MemoryCluster:
    """The way of an administrator to it."""
    return MemoryCluster(cluster=simulated)
