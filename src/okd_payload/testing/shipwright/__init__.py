# SPDX-License-Identifier: Apache-2.0
"""What a cluster with Shipwright does to objects, for tests.

    cluster = SimulatedCluster(clock=clock)
    add_tekton(cluster)
    add_shipwright(cluster)
    cluster.controllers += [Builds(), BuildRuns(), TaskRuns(), Node(decide)]

Builds are checked when they are made; a BuildRun makes a TaskRun of its strategy and tells in its
own words how that went. There is no webhook, as in the recordings: what is wrong is found by the
controllers, after the server took it. Not imitated: sources other than Git, vulnerability scans,
triggers, conversion of v1alpha1, nodes and schedulers, the PipelineRun executor.
"""

from okd_payload.cluster.kinds import (
    BUILD_STRATEGY,
    CLUSTER_BUILD_STRATEGY,
    SHIPWRIGHT_BUILD,
    SHIPWRIGHT_BUILD_RUN,
)
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster
from okd_payload.testing.shipwright.build_runs import BuildRuns
from okd_payload.testing.shipwright.builds import Builds

__all__ = ["BuildRuns", "Builds", "add_shipwright"]

KINDS = (BUILD_STRATEGY, CLUSTER_BUILD_STRATEGY, SHIPWRIGHT_BUILD, SHIPWRIGHT_BUILD_RUN)


def add_shipwright(cluster: SimulatedCluster) -> None:
    """Have Shipwright's kinds in the cluster."""
    for kind in KINDS:
        cluster.serve(kind, status=kind in {SHIPWRIGHT_BUILD, SHIPWRIGHT_BUILD_RUN})
